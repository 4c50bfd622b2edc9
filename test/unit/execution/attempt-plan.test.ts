import { expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { hasLargerWindow, limitAttempts } from '../../../src/execution/attempt-plan.ts';
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
  ['small@1 large@2', true],
  ['small@1 small@2 large@3', true],
  ['unknown@1 large@2', true],
  ['large@1 small@2', false],
  ['small@1 unknown@2', false],
  ['small@1 small@2', false],
])('%s: a later window is larger: %s', (plan, expected) => {
  expect(hasLargerWindow(planOf(...plan.split(' ')), registry)).toBe(expected);
});
