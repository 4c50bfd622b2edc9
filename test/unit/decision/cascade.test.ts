import { describe, expect, test } from '@jest/globals';
import { usesCascade } from '../../../src/config/schema-cascade.ts';
import { decide } from '../../../src/decision/decide.ts';
import type { Plan } from '../../../src/decision/decision.ts';
import type { ChatRequest } from '../../../src/openai/request.ts';
import { allUp, registryOf, requestOf } from './fixture.ts';

function planOf(config: object, request: Partial<ChatRequest> = {}, rule = ''): Plan {
  const registry = registryOf({
    vllm_endpoints: [{ name: 'a', address: 'a.test', port: 1, models: ['cheap', 'middle', 'strong'] }],
    default_model: 'cheap',
    ...config,
  });
  const outcome = decide({
    request: requestOf(request),
    registry,
    signals: null,
    endpoints: allUp(registry),
    random: () => 0,
    headers: new Map([['x-rule', rule]]),
    maxFallbackModels: 2,
  });
  if (outcome.kind === 'refused') throw new Error(outcome.error.message);
  return outcome.plan;
}

const models = (plan: Plan): readonly string[] => plan.targets.map(({ model }) => model);
const rule = (cascade: unknown, more: object = {}) => ({
  rules: [{ name: 'r', when: { header: { 'x-rule': 'r' } }, then: { model: 'cheap', cascade, ...more } }],
});

describe('cascadeOf', () => {
  test('there is none unless the config says so', () => {
    expect(planOf({})).not.toHaveProperty('cascade');
  });

  test('the global one is for every alias, with its defaults and the checks in their order', () => {
    expect(planOf({ cascade: { enabled: true, checks: ['empty', 'refusal'] } }).cascade).toEqual({
      route: 'auto',
      checks: ['refusal', 'empty'],
      minMeanLogprob: null,
      maxShare: 0.2,
      minEscalations: 10,
      windowMs: 60_000,
      maxAnswerBytes: 1_048_576,
    });
  });

  test.each([
    ['a stream', { stream: true }],
    ['a concrete model', { model: 'cheap' }],
  ])('not for %s', (_, request) => {
    expect(planOf({ cascade: { enabled: true } }, request)).not.toHaveProperty('cascade');
  });

  test('a rule switches it on with the global keys, or with some of its own', () => {
    const shared = { cascade: { max_share: 0.5, min_mean_logprob: -2 } };
    expect(planOf({ ...shared, ...rule(true) }, {}, 'r').cascade).toMatchObject({ route: 'r', maxShare: 0.5 });
    expect(
      planOf({ ...shared, ...rule({ checks: ['empty'], max_share: 0.1, window: '5m', max_answer: '2MiB' }) }, {}, 'r')
        .cascade,
    ).toEqual({
      route: 'r',
      checks: ['empty'],
      minMeanLogprob: -2,
      maxShare: 0.1,
      minEscalations: 10,
      windowMs: 300_000,
      maxAnswerBytes: 2_097_152,
    });
    expect(planOf({ ...shared, ...rule(true) }, {}, 'other')).not.toHaveProperty('cascade');
  });

  test('a rule switches it off', () => {
    expect(planOf({ cascade: { enabled: true }, ...rule(false) }, {}, 'r')).not.toHaveProperty('cascade');
  });

  test('it goes to the models that it names, those that are admissible; else as any fallback does', () => {
    const on = { enabled: true };
    expect(models(planOf({ cascade: { ...on, escalate_to: ['strong', 'cheap', 'middle'] } }))).toEqual(['cheap', 'strong', 'middle']); // prettier-ignore
    expect(models(planOf({ cascade: { ...on, escalate_to: ['strong'] }, policy: { deny_models: ['strong'] } }))).toEqual(['cheap']); // prettier-ignore
    const own = { cascade: on, model_config: { cheap: { fallbacks: ['strong'] } } };
    expect(models(planOf(own))).toEqual(['cheap', 'strong']);
    expect(models(planOf({ ...own, ...rule({ escalate_to: ['middle'] }) }, {}, 'r'))).toEqual(['cheap', 'middle']);
  });

  test('without another model there is none', () => {
    const alone = { cascade: { enabled: true }, policy: { allow_models: ['cheap'] } };
    expect(planOf(alone)).not.toHaveProperty('cascade');
    expect(planOf({ ...rule(true, { strict: true }) }, {}, 'r')).not.toHaveProperty('cascade');
  });
});

test.each([
  [{}, false],
  [{ cascade: { enabled: true } }, true],
  [rule(true), true],
  [rule({}), true],
  [rule(false), false],
])('%j uses cascades: %s', (config, expected) => {
  const endpoints = [{ name: 'a', address: 'a.test', port: 1, models: ['cheap'] }];
  expect(usesCascade(registryOf({ vllm_endpoints: endpoints, ...config }).config)).toBe(expected);
});
