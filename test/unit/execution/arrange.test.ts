import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '../../../bench/prompts.ts';
import { place } from '../../../src/execution/affinity.ts';
import { arrange } from '../../../src/execution/arrange.ts';
import { namesOf, planOf } from './targets.ts';

const { targets } = planOf('m@1', 'm@2', 'm@3', 'm@4');
const even = () => 1;
const idle = () => 0;

describe('arrange', () => {
  test('every target once, the kept one first', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }), (seed, loads) => {
        const order = arrange(targets, {
          load: (address) => loads[Number(address) - 1] ?? 0,
          weight: even,
          random: seeded(seed),
          first: '3',
        });
        expect(namesOf(order)[0]).toBe('m@3');
        expect(namesOf(order).sort()).toEqual(namesOf(targets));
      }),
    );
  });

  test('of two that are drawn the less loaded one comes first: the busiest never does', () => {
    const random = seeded(1);
    for (let n = 0; n < 200; n += 1) {
      const [first] = arrange(targets, { load: (address) => Number(address), weight: even, random, first: null });
      expect(first?.address).not.toBe('4');
    }
  });

  test('idle replicas share by weight', () => {
    const random = seeded(2);
    const counts = new Map<string, number>();
    const weight = ({ address }: { address: string }) => (address === '1' ? 3 : 1);
    const inFlight = new Map<string, number>();
    const underWay: string[] = [];
    for (let n = 0; n < 6000; n += 1) {
      const load = (address: string) => inFlight.get(address) ?? 0;
      const [first] = arrange(targets, { load, weight, random, first: null });
      counts.set(first!.address, (counts.get(first!.address) ?? 0) + 1);
      // Six under way at a time: the oldest ends as a new one begins.
      underWay.push(first!.address);
      inFlight.set(first!.address, load(first!.address) + 1);
      if (underWay.length > 6) {
        const ended = underWay.shift()!;
        inFlight.set(ended, load(ended) - 1);
      }
    }
    expect(counts.get('1')! / 6000).toBeGreaterThan(0.42);
    expect(counts.get('2')! / 6000).toBeLessThan(0.22);
  });
});

describe('place', () => {
  const placement = { busy: idle, recent: idle, weight: even, loadFactor: 1.25 };
  const keys = Array.from({ length: 2000 }, (_, n) => `key ${n}`);

  test('the same key gets the same replica, and all get their share', () => {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const address = place(key, targets, placement)!;
      expect(place(key, [...targets].reverse(), placement)).toBe(address);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    for (const { address } of targets) expect(counts.get(address)! / keys.length).toBeCloseTo(0.25, 1);
  });

  test('a replica that leaves takes only its own conversations along', () => {
    const left = targets.filter(({ address }) => address !== '2');
    for (const key of keys) {
      const before = place(key, targets, placement);
      if (before !== '2') expect(place(key, left, placement)).toBe(before);
    }
  });

  test.each(['busy', 'recent'] as const)('one that has more than its share of what is %s gets no new one', (what) => {
    const loads = { ...placement, [what]: (address: string) => (address === '1' ? 10 : 5) };
    for (const key of keys) expect(place(key, targets, loads)).not.toBe('1');
  });

  test('nobody is nobody', () => {
    expect(place('key', [], placement)).toBeNull();
  });
});
