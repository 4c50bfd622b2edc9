import { expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { largerWindows, limitAttempts } from '../../../src/execution/attempt-plan.ts';
import { namesOf, planOf } from './targets.ts';

test.each([
  ['a@1 a@2 a@3 a@4 b@5', 3, 'a@1 a@2 b@5'],
  ['a@1 a@2 a@3', 3, 'a@1 a@2 a@3'],
  ['a@1 b@2 b@3 c@4', 3, 'a@1 b@2 c@4'],
  ['a@1 b@2 b@3 c@4', 4, 'a@1 b@2 c@4 b@3'],
  ['a@1 a@2 b@3', 2, 'a@1 a@2'],
  ['a@1 b@2', 2, 'a@1 b@2'],
  ['a@1 a@2 b@3', 1, 'a@1'],
  ['a@1', 0, 'a@1'],
])('%s in %i attempts: %s', (plan, attempts, expected) => {
  expect(namesOf(limitAttempts(planOf(...plan.split(' ')), attempts).targets).join(' ')).toBe(expected);
});

const registry = buildRegistry(
  configSchema.parse({
    vllm_endpoints: [{ name: 'e', address: '10.0.0.1', port: 1, models: ['small', 'large', 'unknown'] }],
    model_config: { small: { context_window: 4096 }, large: { context_window: 131_072 } },
  }),
);

test.each([
  ['small@1 large@2', 'large@2'],
  ['small@1 small@2 large@3 unknown@4 large@5', 'large@3 large@5'],
  ['unknown@1 small@2 large@3', 'small@2 large@3'],
  ['large@1 small@2', ''],
  ['small@1 unknown@2', ''],
  ['small@1 small@2', ''],
])('%s: a prompt that is too long for the first goes to "%s"', (plan, expected) => {
  expect(namesOf(largerWindows(planOf(...plan.split(' ')), registry)).join(' ')).toBe(expected);
});
