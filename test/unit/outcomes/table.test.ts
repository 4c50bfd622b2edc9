import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shrink } from '../../../src/outcomes/shrink.ts';
import { parseTable, printTable, versionOf } from '../../../src/outcomes/table-file.ts';
import {
  cellOf,
  cellsOf,
  countOf,
  MAX_CELLS,
  meanOf,
  NO_OUTCOMES,
  type Outcome,
  tableOf,
  withOutcome,
  withoutOutcome,
} from '../../../src/outcomes/table.ts';

const score = fc.double({ min: 0, max: 1, noNaN: true });
const outcome = fc.record({
  model: fc.constantFrom('small', 'large'),
  category: fc.constantFrom('math', 'Law', ''),
  score,
});
const outcomes = fc.array(outcome, { maxLength: 60 });
const prior = fc.double({ min: 0, max: 1, noNaN: true });
const strength = fc.double({ min: 0, max: 1000, noNaN: true });

function folded(list: readonly Outcome[]) {
  return list.reduce((table, one) => withOutcome(table, one), NO_OUTCOMES);
}

describe('the table', () => {
  test('counts and means by model and category, whatever the case of the category', () => {
    const table = folded([
      { model: 'a', category: 'Math', score: 1 },
      { model: 'a', category: 'math', score: 0.5 },
      { model: 'a', category: '', score: 0 },
    ]);
    expect(cellsOf(table).map(({ category, count }) => [category, count])).toEqual([
      ['', 1],
      ['math', 2],
    ]);
    expect(meanOf(cellOf(table, 'a', 'MATH') ?? { count: 1, sum: -1 })).toBe(0.75);
    expect(cellOf(table, 'b', 'math')).toBeNull();
    expect(countOf(table)).toBe(3);
  });

  test('the order of the grades makes no difference, not even in the last digit', () => {
    fc.assert(
      fc.property(
        outcomes.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(printTable(folded(shuffled))).toBe(printTable(folded(list)));
        },
      ),
    );
  });

  test('one at a time and all at once make the same table', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        expect(printTable(tableOf(list).table)).toBe(printTable(folded(list)));
      }),
    );
  });

  test('a grade that is taken back was never there', () => {
    fc.assert(
      fc.property(outcomes, outcome, (list, one) => {
        const before = folded(list);
        expect(printTable(withoutOutcome(withOutcome(before, one), one))).toBe(printTable(before));
      }),
    );
  });

  test('taking back what is not there changes nothing', () => {
    expect(withoutOutcome(NO_OUTCOMES, { model: 'a', category: 'math', score: 1 })).toBe(NO_OUTCOMES);
  });

  test('holds a bounded number of cells', () => {
    const many = Array.from({ length: MAX_CELLS + 7 }, (_, index) => ({ model: `m${index}`, category: '', score: 1 }));
    const { table, skipped } = tableOf(many);
    expect(skipped).toBe(7);
    expect(withOutcome(table, { model: 'one more', category: '', score: 1 })).toBe(table);
    expect(countOf(withOutcome(table, { model: 'm0', category: '', score: 1 }))).toBe(MAX_CELLS + 1);
  });
});

describe('the estimate', () => {
  test('lies between the prior and the mean of the grades, inside its interval', () => {
    fc.assert(
      fc.property(prior, strength, fc.array(score, { minLength: 1, maxLength: 50 }), (start, weight, scores) => {
        const cell = cellFor(scores);
        const { value, low, high } = shrink(start, weight, cell);
        const mean = meanOf(cell);
        expect(value).toBeGreaterThanOrEqual(Math.min(start, mean) - 1e-12);
        expect(value).toBeLessThanOrEqual(Math.max(start, mean) + 1e-12);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('another best grade never lowers it, another worst grade never raises it', () => {
    fc.assert(
      fc.property(prior, strength, fc.array(score, { maxLength: 50 }), (start, weight, scores) => {
        const before = shrink(start, weight, scores.length === 0 ? null : cellFor(scores)).value;
        expect(shrink(start, weight, cellFor([...scores, 1])).value).toBeGreaterThanOrEqual(before - 1e-12);
        expect(shrink(start, weight, cellFor([...scores, 0])).value).toBeLessThanOrEqual(before + 1e-12);
      }),
    );
  });

  test('a better grade in place of a worse one never lowers it', () => {
    fc.assert(
      fc.property(prior, strength, fc.array(score, { maxLength: 50 }), score, score, (start, weight, scores, a, b) => {
        const worse = shrink(start, weight, cellFor([...scores, Math.min(a, b)])).value;
        const better = shrink(start, weight, cellFor([...scores, Math.max(a, b)])).value;
        expect(better).toBeGreaterThanOrEqual(worse);
      }),
    );
  });

  test('is the prior without grades, and their mean with very many', () => {
    fc.assert(
      fc.property(prior, strength, score, (start, weight, mean) => {
        expect(shrink(start, weight, null).value).toBe(start);
        const many = { count: 1e9, sum: Math.round(mean * 1e6) * 1e9 };
        expect(shrink(start, weight, many).value).toBeCloseTo(mean, 4);
      }),
    );
  });

  test('weighs the prior as much as so many grades', () => {
    expect(shrink(0.5, 20, { count: 20, sum: 20_000_000 }).value).toBeCloseTo(0.75);
    expect(shrink(0.5, 0, { count: 1, sum: 1_000_000 }).value).toBe(1);
    expect(shrink(0.4, 0, null)).toEqual({ value: 0.4, low: 0, high: 1 });
  });

  test('the interval narrows with more grades of the same mean', () => {
    const width = (count: number) => {
      const { low, high } = shrink(0.6, 20, { count, sum: count * 600_000 });
      return high - low;
    };
    expect(width(10)).toBeGreaterThan(width(100));
    expect(width(100)).toBeGreaterThan(width(10_000));
  });
});

describe('the file', () => {
  test('reads back what was printed, with the same version', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const table = folded(list);
        const parsed = parseTable(printTable(table));
        expect(parsed.kind).toBe('table');
        if (parsed.kind === 'table') expect(versionOf(parsed.table)).toBe(versionOf(table));
      }),
    );
  });

  test.each([
    ['{', 'it is not JSON'],
    ['[]', 'kind'],
    ['{"kind":"other"}', 'kind'],
    ['{"kind":"switchyard-outcomes","schema_version":2,"cells":[]}', 'schema_version'],
    ['{"kind":"switchyard-outcomes","schema_version":1}', 'cells'],
    [file('{"model":"a","category":"","count":0,"sum_millionths":0}'), 'cells[0]'],
    [file('{"model":"a","category":"","count":1,"sum_millionths":1000001}'), 'cells[0]'],
    [file('{"model":"a","category":"","count":1,"sum_millionths":-1}'), 'cells[0]'],
    [file('{"model":"a","category":"","count":1.5,"sum_millionths":1}'), 'cells[0]'],
    [file('{"model":"","category":"","count":1,"sum_millionths":1}'), 'cells[0]'],
    [file('null'), 'cells[0]'],
    [
      file(
        '{"model":"a","category":"x","count":1,"sum_millionths":1},{"model":"a","category":"X","count":1,"sum_millionths":1}',
      ),
      'cells[1] is there twice',
    ],
  ])('refuses %s', (text, problem) => {
    const parsed = parseTable(text);
    expect(parsed.kind === 'invalid' ? parsed.problem : '').toContain(problem);
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => ['table', 'invalid'].includes(parseTable(text).kind)),
    );
  });
});

function file(cells: string): string {
  return `{"kind":"switchyard-outcomes","schema_version":1,"cells":[${cells}]}`;
}

function cellFor(scores: readonly number[]) {
  return (
    cellOf(folded(scores.map((one) => ({ model: 'a', category: 'c', score: one }))), 'a', 'c') ?? { count: 0, sum: 0 }
  );
}
