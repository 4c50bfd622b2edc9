import { describe, expect, test } from '@jest/globals';
import { allAliases, readAlias } from '../../../src/decision/alias.ts';
import { needsExactCount } from '../../../src/decision/capabilities.ts';
import { decide } from '../../../src/decision/decide.ts';
import { readGuards, signalsNeeded } from '../../../src/decision/guards.ts';
import { missingField } from '../../../src/openai/reply.ts';
import type { Signals } from '../../../src/signals/signals.ts';
import { allUp, fixedRandom, registryOf, requestOf, signalsOf } from './fixture.ts';

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

describe('a jailbreak guard without a score', () => {
  const unjudged = (degraded: Signals['degraded']) => ({ ...signalsOf({ math: 1 }), encoding: null, degraded });

  test.each<[Signals['degraded'], string]>([
    ['deadline', 'unjudged'],
    ['queue_full', 'unjudged'],
    ['encoder_error', 'unjudged'],
    ['encoder_unavailable', 'unjudged'],
    // Nothing failed: there was nothing to read, or not in the encoder's language.
    ['no_text', 'pass'],
    ['unsupported_language', 'pass'],
  ])('closed, %s: %s; open: always on', (degraded, kind) => {
    for (const action of ['block', 'route']) {
      const guards = { jailbreak: { action, route_to: 'open' } };
      const closed = registry({ guards, failure_mode: 'closed' });
      expect(readGuards(closed, unjudged(degraded)).jailbreak.kind).toBe(kind);
      const open = readGuards(registry({ guards }), unjudged(degraded));
      expect(open.jailbreak.kind).toBe('pass');
      expect(open.notes).toEqual(['the jailbreak guard had no score to judge by']);
    }
  });

  test('closed: a model without that output judges nobody, and nobody read is nobody judged', () => {
    const closed = registry({ guards: { jailbreak: { action: 'block' } }, failure_mode: 'closed' });
    expect(readGuards(closed, signalsOf({ math: 1 })).jailbreak.kind).toBe('unjudged');
    expect(readGuards(closed, null).jailbreak.kind).toBe('unjudged');
  });

  test.each(['off', 'flag'])('closed, action %s: nothing to hold back', (action) => {
    const closed = registry({ guards: { jailbreak: { action } }, failure_mode: 'closed' });
    expect(readGuards(closed, unjudged('deadline'))).toMatchObject({ jailbreak: { kind: 'pass' }, notes: [] });
  });

  test.each(['auto', 'open'])('closed, for %s: 503 as an error, whatever form a block has', (model) => {
    const closed = registry({ guards: { jailbreak: { action: 'block' }, answer: 'content_filter' }, failure_mode: 'closed' }); // prettier-ignore
    const input = { registry: closed, endpoints: allUp(closed), random: fixedRandom(0) };
    expect(decide({ ...input, request: requestOf({ model }), signals: unjudged('deadline') })).toMatchObject({
      kind: 'refused',
      error: { status: 503, code: 'guard_unavailable', type: 'server_error' },
      block: { event: 'security_block', form: 'error' },
    });
  });

  test('closed: a request that cannot be read is told so', () => {
    const closed = registry({ guards: { jailbreak: { action: 'block' } }, failure_mode: 'closed' });
    const request = requestOf({ model: 'open', problem: missingField('messages') });
    const input = { registry: closed, endpoints: allUp(closed), random: fixedRandom(0), signals: null };
    expect(decide({ ...input, request })).toMatchObject({ kind: 'refused', error: { status: 400, param: 'messages' } });
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
