import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createShares, type ShareLimits } from '../../../src/cascade/share.ts';

const LIMITS: ShareLimits = { maxShare: 0.2, minEscalations: 0, windowMs: 1000 };

function setUp(limits: Partial<ShareLimits> = {}) {
  let now = 0;
  const shares = createShares(() => now);
  const all = { ...LIMITS, ...limits };
  return {
    shares,
    wait: (ms: number) => (now += ms),
    good: (route = 'r') => shares.count(route, all),
    bad: (route = 'r') => {
      shares.count(route, all);
      return shares.escalate(route, all);
    },
  };
}

describe('shares', () => {
  test('one in five, counted with the request that asks', () => {
    const { good, bad } = setUp();
    for (let i = 0; i < 4; i += 1) good();
    expect([bad(), bad(), bad()]).toEqual(['granted', 'refused_first', 'refused']);
  });

  test('a few are granted whatever the share', () => {
    const { bad } = setUp({ minEscalations: 3 });
    expect([bad(), bad(), bad(), bad()]).toEqual(['granted', 'granted', 'granted', 'refused_first']);
  });

  test('what leaves the window makes room, and ends the alarm', () => {
    const { bad, wait, shares } = setUp({ minEscalations: 1 });
    expect([bad(), bad()]).toEqual(['granted', 'refused_first']);
    wait(500);
    expect(bad()).toBe('refused');
    expect(shares.view()).toEqual([{ route: 'r', checked: 3, escalated: 1, refused: 2 }]);
    wait(550);
    expect(shares.view()).toEqual([{ route: 'r', checked: 1, escalated: 0, refused: 1 }]);
    expect(bad()).toBe('granted');
    wait(5000);
    expect(shares.view()).toEqual([{ route: 'r', checked: 0, escalated: 0, refused: 0 }]);
  });

  test('each route has its own', () => {
    const { bad } = setUp({ minEscalations: 1 });
    expect([bad('a'), bad('b'), bad('a')]).toEqual(['granted', 'granted', 'refused_first']);
  });

  test.each([
    [0, 0],
    [1, 100],
  ])('share %f grants %i of 100', (maxShare, expected) => {
    const { bad } = setUp({ maxShare });
    expect(Array.from({ length: 100 }, () => bad()).filter((one) => one === 'granted')).toHaveLength(expected);
  });

  test('the number of routes is bounded', () => {
    const { good, shares } = setUp();
    for (let i = 0; i < 3000; i += 1) good(`route-${i}`);
    expect(shares.view().length).toBeLessThanOrEqual(1000);
  });

  test('whatever comes when: at each escalation the window holds no more of them than the share allows', () => {
    const traffic = fc.array(fc.record({ isBad: fc.boolean(), waitMs: fc.nat({ max: 120 }) }), { maxLength: 300 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(traffic, share, fc.nat({ max: 5 }), (events, maxShare, minEscalations) => {
        const { good, bad, wait, shares } = setUp({ maxShare, minEscalations });
        let refused = 0;
        for (const { isBad, waitMs } of events) {
          wait(waitMs);
          const outcome = isBad ? bad() : (good(), 'passed');
          const [seen] = shares.view();
          if (seen === undefined) throw new Error('a counted route has a view');
          const room = Math.max(minEscalations, maxShare * seen.checked);
          if (outcome === 'granted') expect(seen.escalated).toBeLessThanOrEqual(room);
          // Nor is an escalation refused that there was room for.
          if (outcome.startsWith('refused')) {
            refused += 1;
            expect(seen.escalated + 1).toBeGreaterThan(room);
          }
        }
        expect(refused).toBeLessThanOrEqual(events.length);
      }),
    );
  });
});
