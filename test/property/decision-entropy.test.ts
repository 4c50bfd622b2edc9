import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideReasoning,
  entropyBits,
  entropyLevel,
  normalizedEntropy,
  ranking,
  type ReasoningInput,
} from '../../src/decision/entropy.ts';

const THRESHOLDS = { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2 };

/** Distributions from even to nearly certain: weights raised to a power, then normalised. */
const distribution = fc
  .tuple(
    fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 }),
    fc.integer({ min: 1, max: 12 }),
  )
  .map(([weights, power]) => {
    const raised = weights.map((weight) => weight ** power);
    const sum = raised.reduce((total, weight) => total + weight, 0);
    return raised.map((weight) => weight / sum);
  })
  .filter((values) => values.every(Number.isFinite));

const input = distribution.chain((probabilities) =>
  fc.record({
    probabilities: fc.constant(probabilities),
    labels: fc.constant(probabilities.map((_, index) => `label ${index}`)),
    threshold: fc.double({ min: 0, max: 1, noNaN: true }),
    reasoningMap: fc
      .array(fc.option(fc.boolean()), { minLength: probabilities.length, maxLength: probabilities.length })
      .map((uses) => new Map(uses.flatMap((use, index) => (use === null ? [] : [[`label ${index}`, use] as const])))),
    thresholds: fc.constant(THRESHOLDS),
    veryHighReasoning: fc.boolean(),
    failed: fc.constant(false),
  }),
) satisfies fc.Arbitrary<ReasoningInput>;

test('entropy lies between 0 and log2 N, its normalised form between 0 and 1', () => {
  fc.assert(
    fc.property(distribution, (probabilities) => {
      const bits = entropyBits(probabilities);
      expect(bits).toBeGreaterThanOrEqual(0);
      expect(bits).toBeLessThanOrEqual(Math.log2(probabilities.length) + 1e-9);
      expect(normalizedEntropy(probabilities)).toBeLessThanOrEqual(1);
    }),
  );
});

test('entropy does not depend on the order of the labels', () => {
  fc.assert(
    fc.property(distribution, fc.nat(), (probabilities, seed) => {
      const turned = rotated(probabilities, seed);
      expect(entropyBits(turned)).toBeCloseTo(entropyBits(probabilities), 9);
    }),
  );
});

test('every decision is a row of the table with a confidence of 0..1, and never above p1 where the top is trusted', () => {
  fc.assert(
    fc.property(input, (asked) => {
      const decision = decideReasoning(asked);
      const level = entropyLevel(normalizedEntropy(asked.probabilities), THRESHOLDS);
      expect(ROWS[level]).toContain(`${decision.reason}/${decision.strategy}`);
      expect(decision.confidence).toBeGreaterThanOrEqual(0);
      expect(decision.confidence).toBeLessThanOrEqual(1 + 1e-9);
      if (decision.strategy === 'trust_top_category') {
        expect(decision.confidence).toBeLessThanOrEqual(Math.max(...asked.probabilities));
      }
      if (decision.strategy.includes('weighted')) expect(decision.confidence).toBeGreaterThanOrEqual(0.5);
    }),
  );
});

test('permuting the labels behind the top three, with their probabilities, changes nothing', () => {
  fc.assert(
    fc.property(input, fc.nat(), (asked, seed) => {
      const order = ranking(asked.probabilities);
      const permuted = [...order.slice(0, 3), ...rotated(order.slice(3), seed)];
      const moved = decideReasoning({
        ...asked,
        probabilities: permuted.map((index) => asked.probabilities[index]!),
        labels: permuted.map((index) => asked.labels[index]!),
      });
      const still = decideReasoning({
        ...asked,
        probabilities: order.map((index) => asked.probabilities[index]!),
        labels: order.map((index) => asked.labels[index]!),
      });
      expect(moved).toEqual(still);
    }),
  );
});

test('renaming the labels behind the top three, map entries included or not, changes nothing', () => {
  fc.assert(
    fc.property(input, (asked) => {
      const top = new Set(ranking(asked.probabilities).slice(0, 3));
      const labels = asked.labels.map((label, index) => (top.has(index) ? label : `other ${label}`));
      expect(decideReasoning({ ...asked, labels })).toEqual(decideReasoning(asked));
    }),
  );
});

test('only the very high band looks at its switch', () => {
  fc.assert(
    fc.property(input, (asked) => {
      const on = decideReasoning({ ...asked, veryHighReasoning: true });
      const off = decideReasoning({ ...asked, veryHighReasoning: false });
      const level = entropyLevel(normalizedEntropy(asked.probabilities), THRESHOLDS);
      if (level === 'very_high') expect([on.enabled, off.enabled]).toEqual([true, false]);
      else expect(on).toEqual(off);
    }),
  );
});

const TRUST_OR_UNKNOWN = (level: string) => [
  `${level}_uncertainty_trust_classification/trust_top_category`,
  'category_not_in_reasoning_map/unknown_category_default',
];
const ROWS = {
  very_high: ['very_high_uncertainty_conservative_default/high_uncertainty_reasoning_enabled'],
  high: ['high_uncertainty_weighted_decision/top_two_categories_weighted'],
  medium: [
    'medium_uncertainty_top_category_above_threshold/trust_top_category',
    'medium_uncertainty_weighted/weighted_decision',
  ],
  low: TRUST_OR_UNKNOWN('low'),
  very_low: TRUST_OR_UNKNOWN('very_low'),
};

function rotated<T>(values: readonly T[], by: number): T[] {
  const start = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}
