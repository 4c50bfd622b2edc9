import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bootstrapWeights,
  curveOf,
  intervalOf,
  qualityAt,
  randomFrom,
  rankByScore,
  summarize,
} from '../../../scripts/eval-routing-curve.ts';

const SMALL = [1, 0, 0, 0];
const LARGE = [1, 1, 1, 0];
const GAIN = LARGE.map((score, index) => score - (SMALL[index] ?? 0));
const BASE = 0.25;

function summaryOf(score: readonly number[]) {
  return summarize(curveOf(rankByScore(score), GAIN, BASE));
}

describe('the curve', () => {
  test('of a random mix is straight: half of the gap at half of the cost', () => {
    expect(summaryOf([0, 0, 0, 0])).toEqual({ apgr: 0.5, cpt50: 50, cpt80: 80 });
  });

  test('of the best order has all of the gap at the share of requests that gain', () => {
    // Gains in order 1, 1, 0, 0: recovered .5 at 25 %, 1 from 50 % on. Area: .0625 + .1875 + .25 + .25.
    const best = summaryOf([0, 3, 2, 0]);
    expect(best.apgr).toBeCloseTo(0.75);
    expect(best.cpt50).toBeCloseTo(25);
    expect(best.cpt80).toBeCloseTo(40);
  });

  test('of the opposite order is its mirror image', () => {
    expect(summaryOf([3, 1, 1, 2]).apgr).toBeCloseTo(0.25);
  });

  test('starts at all-small and ends at all-large, whatever the strategy', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 }), (score) => {
        const curve = curveOf(rankByScore(score), GAIN, BASE);
        expect(qualityAt(curve, 0)).toBe(0.25);
        expect(qualityAt(curve, 1)).toBeCloseTo(0.75);
      }),
    );
  });

  test('does not depend on the order in which equal requests are listed', () => {
    const there = summarize(curveOf(rankByScore([1, 1, 1, 0]), [1, 0, -1, 1], 0.5));
    const back = summarize(curveOf(rankByScore([1, 1, 1, 0]), [-1, 0, 1, 1], 0.5));
    expect(there).toEqual(back);
  });

  test('with a request drawn twice is the curve of a list that has it twice', () => {
    const score = [3, 1, 2];
    const gain = [1, -1, 0];
    const drawn = summarize(curveOf(rankByScore(score), gain, 0.5, [2, 0, 1]));
    const listed = summarize(curveOf(rankByScore([3, 3, 2]), [1, 1, 0], 0.5));
    expect(drawn).toEqual(listed);
  });

  test('is read between its corners', () => {
    const curve = { shares: [0, 0.5, 1], quality: [0, 1, 0] };
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => qualityAt(curve, share))).toEqual([0, 0.5, 1, 0.5, 0]);
  });
});

test('the interval is the middle 95 % of the draws; what is no number is left out', () => {
  const draws = [Number.NaN, ...Array.from({ length: 1001 }, (_, index) => index / 1000)];
  expect(intervalOf(0.5, draws)).toEqual({ value: 0.5, low: 0.025, high: 0.975 });
});

test('a bootstrap draw has as many requests as there are, the same for the same seed', () => {
  const weights = bootstrapWeights(500, randomFrom(7));
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(500);
  expect(bootstrapWeights(500, randomFrom(7))).toEqual(weights);
  expect(bootstrapWeights(500, randomFrom(8))).not.toEqual(weights);
});
