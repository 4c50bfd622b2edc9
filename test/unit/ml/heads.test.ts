import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allFinite, argmax, sigmoid, softmax } from '../../../src/ml/heads.ts';

const logits = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });

test('softmax of known logits', () => {
  expect(softmax([0, Math.log(3)])).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.75, 12)]);
  expect(softmax([])).toEqual([]);
  expect(softmax(Float32Array.from([1000, 1000]))).toEqual([0.5, 0.5]);
});

test('softmax gives probabilities in the order of the logits', () => {
  fc.assert(
    fc.property(logits, (values) => {
      const probabilities = softmax(values);
      expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
      expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
      for (const [i, a] of values.entries()) {
        for (const [j, b] of values.entries())
          if (a > b) expect(probabilities[i]!).toBeGreaterThanOrEqual(probabilities[j]!);
      }
    }),
  );
});

test('sigmoid is stable at both ends and symmetric', () => {
  expect([sigmoid(0), sigmoid(1e6), sigmoid(-1e6)]).toEqual([0.5, 1, 0]);
  expect(sigmoid(Math.log(3))).toBeCloseTo(0.75, 12);
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) =>
      expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 12),
    ),
  );
});

test('argmax takes the first of equals', () => {
  expect([argmax([1, 3, 3]), argmax([-5]), argmax([])]).toEqual([1, 0, -1]);
});

test('allFinite', () => {
  expect([allFinite([1, 2]), allFinite(Float32Array.from([1, NaN])), allFinite([Infinity])]).toEqual([
    true,
    false,
    false,
  ]);
});
