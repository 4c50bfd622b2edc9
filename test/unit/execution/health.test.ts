import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { configSchema } from '../../../src/config/schema.ts';
import {
  isDue,
  isOut,
  stepHealth,
  wantsTraffic,
  WELL,
  type Health,
  type HealthEvent,
} from '../../../src/execution/health.ts';

const settings = configSchema.parse({
  vllm_endpoints: [{ name: 'a', address: '10.0.0.1', port: 1, models: ['m'] }],
  health: {
    consecutive_errors: 3,
    ejection: '1s',
    max_ejection: '8s',
    min_requests: 10,
    error_ratio: 0.5,
    window: '10s',
  },
}).health;
const FAILED: HealthEvent = { kind: 'failed', cause: '5xx' };
const SUCCEEDED: HealthEvent = { kind: 'succeeded' };

/** Applies events, each at its moment. */
function run(events: readonly (readonly [number, HealthEvent])[], from: Health = WELL): Health {
  return events.reduce((health, [atMs, event]) => stepHealth(health, event, atMs, settings), from);
}
const out = run([[0, FAILED], [0, FAILED], [0, FAILED]]); // prettier-ignore

describe('passive', () => {
  test('failures in a row take it out, a success in between does not let it come to that', () => {
    expect(out).toMatchObject({ kind: 'out', untilMs: 1000, reason: '5xx', times: 1 });
    expect(run([[0, FAILED], [0, FAILED], [0, SUCCEEDED], [0, FAILED], [0, FAILED]]).kind).toBe('up'); // prettier-ignore
  });

  test('a share of failures takes it out from min_requests on, within the window', () => {
    const alternating = (count: number, everyMs: number) =>
      Array.from({ length: count }, (_, n) => [n * everyMs, n % 2 === 0 ? FAILED : SUCCEEDED] as const);
    expect(run(alternating(9, 1)).kind).toBe('up');
    expect(run([...alternating(10, 1), [10, FAILED]])).toMatchObject({ kind: 'out', reason: 'error_ratio' });
    expect(run([...alternating(10, 2000), [20_001, FAILED]]).kind).toBe('up');
  });

  test('out, then due; a failure then doubles the time, a success brings it back', () => {
    expect([isOut(out, 999), isDue(out, 999), isOut(out, 1000), isDue(out, 1000)]).toEqual([true, false, false, true]);
    const again = stepHealth(out, FAILED, 1500, settings);
    expect(again).toMatchObject({ kind: 'out', untilMs: 3500, times: 2 });
    expect(stepHealth(again, SUCCEEDED, 3500, settings).kind).toBe('up');
  });

  test('the time out is bounded, and forgotten after a long time without trouble', () => {
    let health = out;
    for (let n = 0; n < 20; n += 1) health = stepHealth(health, FAILED, health.untilMs, settings);
    expect(health.untilMs - health.changedMs).toBe(8000);
    const back = stepHealth(health, SUCCEEDED, health.untilMs, settings);
    const later = back.changedMs + 16_000;
    expect(run([[later, FAILED], [later, FAILED], [later, FAILED]], back)).toMatchObject({ untilMs: later + 1000, times: 1 }); // prettier-ignore
  });

  test('what was sent before it went out changes nothing, good or bad', () => {
    expect(stepHealth(out, FAILED, 500, settings)).toBe(out);
    expect(stepHealth(out, SUCCEEDED, 500, settings)).toBe(out);
  });

  test('Retry-After is kept, up to the longest time out; a shorter one does not shorten', () => {
    expect(stepHealth(WELL, { kind: 'retry_after', ms: 5000 }, 0, settings)).toMatchObject({
      kind: 'out',
      untilMs: 5000,
    });
    expect(stepHealth(WELL, { kind: 'retry_after', ms: 3_600_000 }, 0, settings).untilMs).toBe(8000);
    expect(stepHealth(out, { kind: 'retry_after', ms: 10 }, 0, settings).untilMs).toBe(1000);
  });
});

describe('active', () => {
  test('a bad check takes it out until a good one, whatever requests say', () => {
    const bad = stepHealth(WELL, { kind: 'checked', isWell: false }, 0, settings);
    expect([isOut(bad, 1e9), isDue(bad, 1e9)]).toEqual([true, false]);
    expect(stepHealth(bad, SUCCEEDED, 10, settings).kind).toBe('out');
    expect(stepHealth(bad, { kind: 'checked', isWell: true }, 10, settings).kind).toBe('up');
  });

  test('a good check does not end a time out that failing requests made', () => {
    expect(stepHealth(out, { kind: 'checked', isWell: true }, 10, settings)).toBe(out);
  });

  test('a probe brings it back or keeps it out; after three that fail a request is let through', () => {
    expect(stepHealth(out, { kind: 'probed', isWell: true }, 1000, settings).kind).toBe('up');
    expect(wantsTraffic(out)).toBe(false);
    let health = out;
    for (let n = 0; n < 2; n += 1) {
      health = stepHealth(health, { kind: 'probed', isWell: false }, health.untilMs, settings);
    }
    expect([health.times, wantsTraffic(health)]).toEqual([3, true]);
  });
});

test('total: every order of events gives a state that ends', () => {
  const event = fc.oneof(
    fc.constant(SUCCEEDED),
    fc.constant(FAILED),
    fc.record({ kind: fc.constant('retry_after' as const), ms: fc.nat(100_000) }),
    fc.record({ kind: fc.constantFrom('checked' as const, 'probed' as const), isWell: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5000), event), { maxLength: 60 }), (steps) => {
      let now = 0;
      let health = WELL;
      for (const [wait, one] of steps) {
        now += wait;
        health = stepHealth(health, one, now, settings);
        expect(health.untilMs - now).toBeLessThanOrEqual(8000);
        expect(isOut(health, now) && isDue(health, now)).toBe(false);
      }
      const well = stepHealth(health, { kind: 'checked', isWell: true }, now, settings);
      expect(isOut(well, now + 8001)).toBe(false);
    }),
  );
});
