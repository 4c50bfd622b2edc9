import { describe, expect, test } from '@jest/globals';
import { expectedLength, NOTHING_OBSERVED, observe, type Usage } from '../../../src/decision/observations.ts';

const USAGE: Usage = { model: 'm', category: 'math', completionTokens: 101, ttftMs: 100, completionLatencyMs: 1100 };

function after(...answers: readonly Partial<Usage>[]) {
  return answers.reduce<typeof NOTHING_OBSERVED>(
    (seen, answer) => observe(seen, { ...USAGE, ...answer }),
    NOTHING_OBSERVED,
  );
}

describe('observe', () => {
  test('starts with the first answer and follows the later ones slowly', () => {
    expect(after({}).get('m')).toMatchObject({ ttftMs: 100, tokensPerS: 100, latencySamples: 1 });
    expect(after({}, { ttftMs: 200, completionLatencyMs: 1200 }).get('m')).toMatchObject({
      ttftMs: 110,
      tokensPerS: 100,
    });
  });

  test('keeps lengths by category', () => {
    const seen = after({}, { completionTokens: 51 }, { category: '', completionTokens: 10 }).get('m')!;
    expect([...seen.outputTokens]).toEqual([
      ['math', { mean: 76, samples: 2 }],
      ['', { mean: 10, samples: 1 }],
    ]);
  });

  test.each([
    [{ completionTokens: null }, { ttftMs: 100, tokensPerS: null, latencySamples: 0 }],
    [{ ttftMs: null }, { ttftMs: null, tokensPerS: null, latencySamples: 0 }],
    [{ completionLatencyMs: 100 }, { ttftMs: 100, tokensPerS: null, latencySamples: 0 }],
    [{ completionTokens: 3 }, { tokensPerS: null }], // too short to have a rate
    [{ ttftMs: Number.NaN }, { ttftMs: null }],
  ])('of %j learns only what is there', (answer, expected) => expect(after(answer).get('m')).toMatchObject(expected));

  test('changes no earlier value', () => {
    const before = after({});
    const copy = structuredClone(before);
    observe(before, { ...USAGE, completionTokens: 9999 });
    expect(before).toEqual(copy);
  });

  test('follows a change of the traffic after many answers', () => {
    let seen = NOTHING_OBSERVED;
    for (let index = 0; index < 5000; index += 1) seen = observe(seen, { ...USAGE, completionTokens: 100 });
    for (let index = 0; index < 2000; index += 1) seen = observe(seen, { ...USAGE, completionTokens: 500 });
    expect(seen.get('m')!.outputTokens.get('math')!.mean).toBeGreaterThan(480);
  });
});

describe('expectedLength', () => {
  test.each([
    [0, 400],
    [1, (400 * 20 + 100) / 21],
    [20, 250],
    [500, (400 * 20 + 100 * 500) / 520],
  ])('after %d answers of 100 tokens', (answers, expected) => {
    const seen = after(...Array.from({ length: answers }, () => ({ completionTokens: 100 })));
    expect(expectedLength(seen.get('m'), 'math', 400)).toEqual({ tokens: expected, samples: answers });
  });

  test('of a category without answers is the prior', () => {
    expect(expectedLength(after({}).get('m'), 'law', 400)).toEqual({ tokens: 400, samples: 0 });
  });
});
