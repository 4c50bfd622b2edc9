import { describe, expect, test } from '@jest/globals';
import { allAliases, readAlias } from '../../../src/decision/alias.ts';
import { needsExactCount } from '../../../src/decision/capabilities.ts';
import { readGuards, signalsNeeded } from '../../../src/decision/guards.ts';
import { registryOf, signalsOf } from './fixture.ts';

function registry(over: object = {}) {
  return registryOf({
    vllm_endpoints: [{ name: 'a', address: 'a.test', port: 1, models: ['open', 'strict'] }],
    model_config: { strict: { pii_policy: { allow_by_default: false } }, open: { context_window: 8000 } },
    ...over,
  });
}

describe('signalsNeeded', () => {
  test.each([
    [{}, 'auto', { encoder: true, pii: true }],
    [{}, 'auto:cost', { encoder: true, pii: true }],
    [{}, 'open', { encoder: false, pii: false }],
    [{}, 'strict', { encoder: false, pii: true }],
    [{ pii: { action: 'flag' } }, 'strict', { encoder: false, pii: false }],
    [{ jailbreak: { action: 'block' } }, 'open', { encoder: true, pii: false }],
    [{ jailbreak: { action: 'route', route_to: 'open' } }, 'open', { encoder: true, pii: false }],
  ])('guards %j, model %s: %j', (guards, model, needs) =>
    expect(signalsNeeded(registry({ guards }), model)).toEqual(needs),
  );
});

describe('readGuards', () => {
  const pii = (confidence: number) => [{ kind: 'EMAIL_ADDRESS' as const, start: 0, end: 1, confidence }];

  test.each([
    [{}, 0.5, ['EMAIL_ADDRESS']],
    [{}, 0.49, []],
    [{ min_confidence: 0.9 }, 0.89, []],
    [{ action: 'off' }, 1, []],
  ])('pii %j with a confidence of %d finds %j', (settings, confidence, kinds) => {
    const found = readGuards(registry({ guards: { pii: settings } }), signalsOf({ math: 1 }, { pii: pii(confidence) }));
    expect(found.piiKinds).toEqual(kinds);
    expect(found.flags.map((flag) => flag.kinds)).toEqual(kinds.length === 0 ? [] : [kinds]);
  });

  test('nobody looked is not nothing found', () => {
    expect(readGuards(registry(), null).piiKinds).toBeNull();
  });

  test.each([
    [{ action: 'block', threshold: 0.7 }, 0.7, 'block'],
    [{ action: 'block', threshold: 0.7 }, 0.699, 'pass'],
    [{ action: 'flag', threshold: 0.7 }, 0.9, 'pass'],
    [{ action: 'off' }, 1, 'pass'],
    [{ action: 'route', route_to: 'open' }, 0.9, 'route'],
  ])('jailbreak %j with a score of %d: %s', (settings, score, kind) => {
    const signals = signalsOf({ math: 1 }, { encoding: { jailbreak: score } });
    expect(readGuards(registry({ guards: { jailbreak: settings } }), signals).jailbreak.kind).toBe(kind);
  });
});

describe('aliases', () => {
  test.each([
    ['auto', { objective: null }],
    ['MoM', { objective: null }],
    ['vllm-sr/auto', { objective: null }],
    ['auto:cost', { objective: 'cost' }],
    ['MoM:quality', { objective: 'quality' }],
    ['auto:fast', { objective: 'latency' }],
    ['auto:best', null],
    ['auto:constructor', null],
    ['open:cost', null],
    ['auto:', null],
    [':cost', null],
    ['AUTO', null],
  ])('%s', (model, expected) => expect(readAlias(registry(), model)).toEqual(expected));

  test('all of them are aliases', () => {
    const all = allAliases(registry());
    expect(all).toContain('auto:fast');
    for (const alias of all) expect(readAlias(registry(), alias)).not.toBeNull();
  });
});

test.each([
  [5200, false],
  [5201, true],
  [8000, true],
  [11_999, true],
  [12_000, false],
])('an estimate of %d tokens near a window of 8000 needs an exact count: %s', (tokens, expected) =>
  expect(needsExactCount(registry().models.values(), tokens)).toBe(expected),
);
