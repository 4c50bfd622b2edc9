import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calibrationError, fitTemperature, judge, type Judged } from '../../../src/learn/calibrate.ts';
import { compare, lowestAccuracy, type CheckRow } from '../../../src/learn/checks.ts';
import { nearDuplicateGroups, stratifiedFolds } from '../../../src/learn/folds.ts';
import { fromVectors, type Matrix } from '../../../src/learn/matrix.ts';
import { measure, measureCoverage, rate } from '../../../src/learn/measure.ts';
import { fitThresholds } from '../../../src/learn/thresholds.ts';

const judged = (truth: number, predicted: number, confidence: number): Judged => ({ truth, predicted, confidence });

describe('calibration', () => {
  test('finds the temperature that logits were spoilt with', () => {
    // 70 % of the rows are right, and say so at a temperature of 1.
    const spoilt = 3;
    const logit = Math.log(0.7 / 0.3) * spoilt;
    const logits: Matrix = { values: new Float64Array(2000), rows: 1000, columns: 2 };
    for (let row = 0; row < 1000; row += 1) logits.values[row * 2] = logit;
    const truths = Array.from({ length: 1000 }, (_, row) => (row % 10 < 7 ? 0 : 1));
    expect(fitTemperature(logits, truths, [...truths.keys()])).toBeCloseTo(spoilt, 3);
    expect(fitTemperature(logits, truths, [])).toBe(1);
  });

  test('judges by the largest logit, the first of equals', () => {
    expect(judge(Float64Array.of(1, 1, 0), 2, 1)).toMatchObject({ predicted: 0, truth: 2 });
    expect(judge(Float64Array.of(1000, 0), 0, 1).confidence).toBe(1);
    expect(judge(Float64Array.of(Math.log(3), 0), 0, 1).confidence).toBeCloseTo(0.75, 12);
  });

  test('its error is the gap between what is said and what is right', () => {
    expect(calibrationError([])).toBe(0);
    expect(calibrationError([judged(0, 0, 1), judged(0, 1, 1)])).toBeCloseTo(0.5, 12);
    expect(calibrationError([judged(0, 0, 0.75), judged(0, 0, 0.75), judged(0, 0, 0.75), judged(1, 0, 0.75)])).toBe(0);
  });
});

describe('folds', () => {
  const near = [
    [1, 0, 0],
    [0.99, 0.05, 0],
    [0, 1, 0],
    [1, 0, 0.02],
  ];
  test('near-duplicates of one label share a group, others do not', () => {
    const groups = nearDuplicateGroups(fromVectors(near), [0, 0, 0, 1]);
    expect(groups[0]).toBe(groups[1]);
    expect(new Set(groups).size).toBe(3);
  });

  test('no group is cut, and every label is spread as evenly as single rows allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 10, maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        (truths, twins) => {
          const groups = truths.map(
            (_, row) => row - (row % 2 === 1 && row < twins && truths[row] === truths[row - 1] ? 1 : 0),
          );
          const folds = stratifiedFolds(truths, groups, 5);
          for (const [row, group] of groups.entries()) expect(folds[row]).toBe(folds[group]);
          for (const label of new Set(truths)) {
            const counts = [0, 1, 2, 3, 4].map(
              (fold) => truths.filter((one, row) => one === label && folds[row] === fold).length,
            );
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
          }
        },
      ),
    );
  });
});

describe('thresholds', () => {
  const options = { labels: 2, other: null, targetPrecision: 0.9 };
  const ladder = Array.from({ length: 100 }, (_, n) => judged(n < 50 && n % 2 === 0 ? 1 : 0, 0, n / 100));

  test('begin where the target precision is reached', () => {
    const [threshold = 0] = fitThresholds(ladder, { ...options, other: 1 });
    const answered = ladder.filter(({ confidence }) => confidence >= threshold);
    const right = answered.filter(({ truth }) => truth === 0).length;
    expect(right / answered.length).toBeGreaterThanOrEqual(0.89);
    expect(answered.length).toBeGreaterThan(55);
  });

  test('are 0 for "other" and for a label that is always right enough', () => {
    const right = Array.from({ length: 30 }, (_, n) => judged(n % 2, n % 2, 0.5 + n / 100));
    expect(fitThresholds(right, { ...options, other: 1 })).toEqual([0, 0]);
  });

  test('keep 95 % of the right answers, no more, when the data have no strangers', () => {
    const right = Array.from({ length: 100 }, (_, n) => judged(0, 0, (n + 1) / 100));
    expect(fitThresholds(right, options)[0]).toBeCloseTo(0.06, 12);
  });

  test('a label that reaches the target nowhere is held where it comes closest', () => {
    const poor = [judged(0, 0, 0.9), ...Array.from({ length: 40 }, (_, n) => judged(1, 0, n / 100))];
    expect(fitThresholds(poor, { ...options, targetPrecision: 0.999 })[0]).toBe(0.9);
  });
});

describe('scores', () => {
  test('of four answers', () => {
    const scores = measure(
      [judged(0, 0, 1), judged(0, 1, 1), judged(1, 1, 1), judged(1, 1, 1)],
      ['a', 'b', 'c'],
      [0, 0, 0],
    );
    expect(scores.accuracy.value).toBe(0.75);
    expect(scores.confusion).toEqual([
      [1, 1, 0],
      [0, 2, 0],
      [0, 0, 0],
    ]);
    expect(scores.labels[1]).toMatchObject({ precision: 2 / 3, recall: 1, f1: 0.8 });
    expect(scores.labels[2]).toMatchObject({ precision: null, recall: null, f1: 0 });
    expect(scores.macroF1).toBeCloseTo((2 / 3 + 0.8) / 2, 12);
  });

  test('of what the thresholds leave', () => {
    const coverage = measureCoverage(
      [judged(0, 0, 0.9), judged(0, 0, 0.4), judged(1, 0, 0.8), judged(1, 1, 0.9)],
      () => [0.5, 0],
      1,
      0.9,
    );
    expect(coverage).toMatchObject({ coverage: { value: 0.5 }, precision: { value: 0.5 }, otherKept: { value: 0.5 } });
  });

  test('a rate has the interval of Wilson', () => {
    expect(rate(0, 0)).toEqual({ value: 0, low: 0, high: 1 });
    const { low, high } = rate(8, 10);
    expect([low, high].map((bound) => Number(bound.toFixed(4)))).toEqual([0.4902, 0.9433]);
  });
});

test('expectations are compared with answers', () => {
  const rows: readonly CheckRow[] = [
    { request: {}, line: 1, expect: { category: 'Math', model: 'big' } },
    { request: {}, line: 2, expect: { category: 'other', reasoning: true } },
    { request: {}, line: 4, expect: { decision: 'blocked', model: 'big' } },
  ];
  const report = compare(rows, [
    { category: 'math', model: 'small', reasoning: false, decision: 'auto' },
    { category: '', model: 'small', reasoning: true, decision: 'auto' },
    { category: '', model: null, reasoning: false, decision: 'blocked' },
  ]);
  expect(report.mismatches).toEqual([
    { line: 1, check: 'model', expected: 'big', got: 'small' },
    { line: 4, check: 'model', expected: 'big', got: 'none' },
  ]);
  expect(report.accuracy).toMatchObject({
    category: { value: 1, rows: 2 },
    model: { value: 0 },
    reasoning: { value: 1 },
  });
  expect([report.all.value, lowestAccuracy(report)]).toEqual([1 / 3, 0]);
});
