import { expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { Cascade } from '../../../src/decision/decision.ts';
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

const CASCADE: Cascade = {
  route: 'auto',
  checks: ['empty'],
  minMeanLogprob: null,
  maxShare: 0.2,
  minEscalations: 10,
  windowMs: 60_000,
  maxAnswerBytes: 1024,
};

test.each([
  ['a@1 a@2 a@3 b@4 b@5 c@6', 3, 'a@1 b@4 c@6'],
  ['a@1 a@2 a@3 b@4 b@5 c@6', 16, 'a@1 b@4 c@6 b@5 a@2 a@3'],
  ['a@1 a@2 b@3', 2, 'a@1 b@3'],
  ['a@1 a@2 b@3', 3, 'a@1 b@3 a@2'],
])('a cascade, %s in %i attempts: %s', (plan, attempts, expected) => {
  const limited = limitAttempts({ ...planOf(...plan.split(' ')), cascade: CASCADE }, attempts);
  expect(namesOf(limited.targets).join(' ')).toBe(expected);
  expect(limited.cascade).toEqual(CASCADE);
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
