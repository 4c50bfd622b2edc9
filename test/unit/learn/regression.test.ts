import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { minimize } from '../../../src/learn/lbfgs.ts';
import { fromVectors, matrix, timesTransposed, type Matrix } from '../../../src/learn/matrix.ts';
import { blended, fitPrototypes } from '../../../src/learn/prototypes.ts';
import { fitRegression, logitsOf, regressionObjective, type Samples } from '../../../src/learn/regression.ts';

const DIMS = 7;

/** Rows around one centre a label, in an order that mixes the labels. */
function samples(rows: number, labels: number, seed = 1): Samples {
  let state = seed >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  const truths = Array.from({ length: rows }, (_, row) => row % labels);
  const vectors = truths.map((truth) =>
    Array.from({ length: DIMS }, (_, column) => (column === truth ? 0.5 : 0) + random()),
  );
  return { features: fromVectors(vectors), truths, labels };
}

function pick({ features, truths, labels }: Samples, order: readonly number[]): Samples {
  const picked = matrix(order.length, features.columns);
  for (const [row, from] of order.entries()) {
    picked.values.set(features.values.subarray(from * DIMS, (from + 1) * DIMS), row * DIMS);
  }
  return { features: picked, truths: order.map((from) => truths[from]!), labels };
}

const largestGap = (one: ArrayLike<number>, two: ArrayLike<number>) =>
  Math.max(...Array.from(one, (value, index) => Math.abs(value - two[index]!)));

test('the gradient is the slope of the loss, at any point', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 2, max: 6 }),
      fc.double({ min: 0.1, max: 100, noNaN: true }),
      fc.infiniteStream(fc.double({ min: -2, max: 2, noNaN: true })),
      (rows, labels, strength, stream) => {
        const objective = regressionObjective(samples(rows, labels), strength);
        const size = labels * (DIMS + 1);
        const point = Float64Array.from({ length: size }, () => stream.next().value as number);
        const gradient = new Float64Array(size);
        objective(point, gradient);
        const scratch = new Float64Array(size);
        const width = 1e-5;
        const numeric = point.map((_, index) => {
          const at = (offset: number) => objective(point.with(index, point[index]! + offset), scratch);
          return (at(width) - at(-width)) / (2 * width);
        });
        expect(largestGap(gradient, numeric)).toBeLessThan(1e-6);
      },
    ),
    { numRuns: 40 },
  );
});

test('products of matrices are those of the definition, whatever the shape', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (rows, others) => {
      const one = samples(rows, 1, rows).features;
      const two = samples(others, 1, others + 50).features;
      const product = timesTransposed(one, two);
      for (let row = 0; row < rows; row += 1) {
        for (let other = 0; other < others; other += 1) {
          let sum = 0;
          for (let column = 0; column < DIMS; column += 1) {
            sum += one.values[row * DIMS + column]! * two.values[other * DIMS + column]!;
          }
          expect(product.values[row * others + other]).toBeCloseTo(sum, 12);
        }
      }
    }),
  );
});

test('the order of the rows does not matter', () => {
  const all = samples(40, 3);
  const base = fitRegression(all, 10);
  fc.assert(
    fc.property(fc.shuffledSubarray([...all.truths.keys()], { minLength: 40, maxLength: 40 }), (order) => {
      expect(largestGap(fitRegression(pick(all, order), 10).weights.values, base.weights.values)).toBeLessThan(0.02);
    }),
    { numRuns: 10 },
  );
});

test('nor which number a label has', () => {
  const all = samples(40, 3);
  const swap = [2, 0, 1];
  const base = logitsOf(fitRegression(all, 10), all.features);
  const swapped = logitsOf(fitRegression({ ...all, truths: all.truths.map((one) => swap[one]!) }, 10), all.features);
  const back = Float64Array.from(base.values, (_, index) => {
    return swapped.values[Math.floor(index / 3) * 3 + swap[index % 3]!]!;
  });
  expect(largestGap(back, base.values)).toBeLessThan(0.02);
});

test('a start elsewhere leads to the same end', () => {
  const all = samples(60, 4);
  const far = fitRegression(all, 1000);
  expect(largestGap(fitRegression(all, 5, far).weights.values, fitRegression(all, 5).weights.values)).toBeLessThan(
    0.03,
  );
});

test('what can be told apart is told apart, and a stronger penalty means smaller weights', () => {
  const vectors = [
    [1, 0, 0, 0, 0, 0, 0],
    [0.9, 0.1, 0, 0, 0, 0, 0],
    [0, 0, 1, 0, 0, 0, 0],
    [0, 0, 0.9, 0.1, 0, 0, 0],
  ];
  const all: Samples = { features: fromVectors(vectors), truths: [0, 0, 1, 1], labels: 2 };
  const norm = (strength: number) => Math.hypot(...fitRegression(all, strength).weights.values);
  const logits = logitsOf(fitRegression(all, 10), all.features).values;
  expect([0, 1, 2, 3].map((row) => (logits[row * 2]! > logits[row * 2 + 1]! ? 0 : 1))).toEqual([0, 0, 1, 1]);
  expect(norm(1)).toBeLessThan(norm(10));
});

test('minimize finds the bottom of a narrow valley', () => {
  const minimum = minimize(
    (point, gradient) => {
      const [x, y] = [point[0]! - 3, point[1]! + 1];
      gradient[0] = 2 * x;
      gradient[1] = 2000 * y;
      return x * x + 1000 * y * y;
    },
    Float64Array.of(50, 50),
    { maxIterations: 100, tolerance: 1e-9 },
  );
  expect(minimum.converged).toBe(true);
  expect(minimum.point[0]).toBeCloseTo(3, 9);
  expect(minimum.point[1]).toBeCloseTo(-1, 9);
});

test('a blend is the sum of both, and the temperature divides it', () => {
  const all = samples(30, 3);
  const regression = fitRegression(all, 10);
  const prototypes = fitPrototypes(all);
  const cosines = timesTransposed(all.features, prototypes);
  const plain = logitsOf(regression, all.features);
  const head = blended(regression, prototypes, { regression: 1, prototypes: 4 }, 2);
  const expected = plain.values.map((value, index) => (value + 4 * cosines.values[index]!) / 2);
  expect(largestGap(logitsOf(head, all.features).values, expected)).toBeLessThan(1e-12);
});

test('prototypes have length 1, and those of absent labels are zero', () => {
  const prototypes: Matrix = fitPrototypes({ ...samples(10, 2), labels: 3 });
  const norms = [0, 1, 2].map((label) => Math.hypot(...prototypes.values.subarray(label * DIMS, (label + 1) * DIMS)));
  expect(norms.map((norm) => Number(norm.toFixed(9)))).toEqual([1, 1, 0]);
});
