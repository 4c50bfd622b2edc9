import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compiledPolicy, learntPolicy } from '../../../src/decision/compile.ts';
import { NO_OUTCOMES, tableOf, withOutcome } from '../../../src/outcomes/table.ts';
import { registryOf } from '../decision/fixture.ts';

function registry(outcomes: object) {
  return registryOf({
    vllm_endpoints: [{ name: 'a', address: '10.0.0.1', port: 8000, models: ['m'] }],
    categories: [{ name: 'math', model_scores: [{ model: 'm', score: 0.5 }] }],
    outcomes,
  });
}

const GRADE = { model: 'm', category: 'math', score: 1 };

describe('what the decision looks up', () => {
  test('is the config’s own unless the config says that grades count, and there are some', () => {
    const { table } = tableOf([GRADE]);
    const off = registry({});
    expect(learntPolicy(off, table)).toBe(compiledPolicy(off));
    const on = registry({ use: true });
    expect(learntPolicy(on, NO_OUTCOMES)).toBe(compiledPolicy(on));
    expect(learntPolicy(on)).toBe(compiledPolicy(on));
  });

  test('is made once for a table, and anew for the next table and the next config', () => {
    const { table } = tableOf([GRADE]);
    const on = registry({ use: true });
    const policy = learntPolicy(on, table);
    expect(learntPolicy(on, table)).toBe(policy);
    expect(learntPolicy(on, withOutcome(table, GRADE))).not.toBe(policy);
    const next = registry({ use: true, prior_strength: 1 });
    expect(entryOf(next, table)?.score).toBe(0.75);
    expect(entryOf(on, table)?.score).toBe(0.5238);
  });

  test('another best grade never lowers a score', () => {
    const on = registry({ use: true });
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (scores) => {
        const { table } = tableOf(scores.map((score) => ({ ...GRADE, score })));
        const before = entryOf(on, table)?.score ?? Number.NaN;
        expect(entryOf(on, withOutcome(table, GRADE))?.score).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

function entryOf(on: ReturnType<typeof registry>, table: ReturnType<typeof tableOf>['table']) {
  const category = on.categories.get('math');
  return category === undefined ? null : learntPolicy(on, table).scores.entry(category, 'm');
}
