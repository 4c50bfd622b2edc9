import { describe, expect, test } from '@jest/globals';
import { checkAnswer, type Wanted } from '../../../src/cascade/check.ts';
import { CASCADE_CHECKS, type CascadeCheck } from '../../../src/config/schema-cascade.ts';
import { HELD_OUT_ANSWERS, LABELLED_ANSWERS, type LabelledAnswer } from '../../fixtures/cascade-answers.ts';

const ALL: Wanted = { checks: CASCADE_CHECKS, minMeanLogprob: -1, format: { kind: 'text' } };

function check(answer: unknown, wanted: Partial<Wanted> = {}): string {
  const { verdict } = checkAnswer(Buffer.from(JSON.stringify(answer)), { ...ALL, ...wanted });
  return verdict.kind === 'failed' ? verdict.check : verdict.kind;
}

const said = (content: unknown, more: object = {}) => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', ...more }],
});

interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
  /** Bad answers that were found for another reason than theirs. */
  readonly otherCause: readonly string[];
}

/** Precision: of the answers that would be escalated, the share that a person would have escalated. Recall: of those, the share that was found. */
function score(answers: readonly LabelledAnswer[], only?: CascadeCheck): Score {
  const seen = answers.map(({ id, label, format, choice }) => {
    const { verdict } = checkAnswer(Buffer.from(JSON.stringify({ choices: [choice] })), { ...ALL, format });
    return { id, label, found: verdict.kind === 'failed' ? verdict.check : null };
  });
  const about = seen.filter(({ label, found }) => only === undefined || label === only || found === only);
  const hits = about.filter(({ label, found }) => label !== null && found !== null);
  const wrong = about.filter(({ label, found }) => label === null && found !== null).map(({ id }) => id);
  const missed = about.filter(({ label, found }) => label !== null && found === null).map(({ id }) => id);
  return {
    precision: hits.length / (hits.length + wrong.length),
    recall: hits.length / (hits.length + missed.length),
    missed,
    wrong,
    otherCause: hits.filter(({ label, found }) => label !== found).map(({ id }) => id),
  };
}

describe('labelled answers', () => {
  test('are enough of both kinds', () => {
    const good = LABELLED_ANSWERS.filter(({ label }) => label === null).length;
    expect(LABELLED_ANSWERS.length).toBeGreaterThanOrEqual(150);
    expect(good).toBeGreaterThanOrEqual(60);
    expect(HELD_OUT_ANSWERS).toHaveLength(30);
  });

  // Measured: 0.975 and 0.918 (78 hits, 2 wrong, 7 missed).
  test('precision and recall of escalation', () => {
    const { precision, recall, otherCause } = score(LABELLED_ANSWERS);
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThanOrEqual(0.89);
    expect(otherCause).toEqual([]);
  });

  // Measured on texts that no phrasing was fitted to, half of them made to mislead: 0.846 and 0.733 (11 hits, 2 wrong, 4 missed).
  test('precision and recall of refusals on texts kept aside', () => {
    const { precision, recall } = score(HELD_OUT_ANSWERS);
    expect(precision).toBeGreaterThanOrEqual(0.8);
    expect(recall).toBeGreaterThanOrEqual(0.7);
  });

  test.each([
    ['refusal', 1, 0.9],
    ['truncated', 0.85, 1],
    ['empty', 1, 0.75],
    ['invalid_json', 1, 1],
    ['low_confidence', 1, 0.75],
  ] as const)('%s: precision %f, recall %f', (only, precision, recall) => {
    const measured = score(LABELLED_ANSWERS, only);
    expect(measured.precision).toBeGreaterThanOrEqual(precision);
    expect(measured.recall).toBeGreaterThanOrEqual(recall);
  });
});

describe('checkAnswer', () => {
  test('the first check that is asked for is the cause', () => {
    const cut = said('{"a": ', { finish_reason: 'length' });
    const object = { kind: 'json_object' } as const;
    expect(check(cut, { format: object })).toBe('truncated');
    expect(check(cut, { format: object, checks: ['invalid_json'] })).toBe('invalid_json');
    expect(check(cut, { format: object, checks: ['empty'] })).toBe('passed');
  });

  test('several choices fail only together', () => {
    const bad = said('').choices[0];
    const fine = said('Fine.').choices[0];
    expect(check({ choices: [bad, fine] })).toBe('passed');
    expect(check({ choices: [bad, { ...bad, index: 1 }] })).toBe('empty');
    expect(check({ choices: [] })).toBe('empty');
    expect(check({ choices: [] }, { checks: ['refusal'] })).toBe('passed');
  });

  test('text completions are read too', () => {
    const unsure = { text: 'maybe', finish_reason: 'stop', logprobs: { token_logprobs: [null, -3, -2] } };
    expect(check({ choices: [{ text: '', finish_reason: 'stop' }] })).toBe('empty');
    expect(check({ choices: [{ text: 'Once upon a', finish_reason: 'length' }] })).toBe('truncated');
    expect(check({ choices: [unsure] })).toBe('low_confidence');
    expect(check({ choices: [unsure] }, { minMeanLogprob: null })).toBe('passed');
    expect(check({ choices: [{ ...unsure, logprobs: null }] })).toBe('passed');
  });

  test('content in parts is read as one text', () => {
    expect(check(said([{ type: 'text', text: "I'm sorry, but I can't" }, { type: 'text', text: ' help with that.' }]))).toBe('refusal'); // prettier-ignore
  });

  test('a call is an answer, whatever stands beside it', () => {
    const tool_calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const called = { choices: [{ message: { content: 'not JSON', tool_calls }, finish_reason: 'tool_calls' }] };
    expect(check(called, { format: { kind: 'json_object' } })).toBe('passed');
    expect(check({ choices: [{ message: { content: null, function_call: { name: 'f' } } }] })).toBe('passed');
  });

  test.each([
    ['no JSON', 'oops'],
    ['no object', '[]'],
    ['no choices', '{"error": {"message": "busy"}}'],
    ['choices that are no list', '{"choices": {}}'],
    ['nothing', ''],
  ])('%s is not judged', (_, body) => {
    expect(checkAnswer(Buffer.from(body), ALL).verdict).toEqual({ kind: 'unreadable' });
  });

  test.each([[null], [7], ['x'], [{ message: 5 }], [{ message: { content: 5 }, logprobs: { content: [3, null] } }]])(
    'a choice that is %j breaks nothing',
    (choice) => {
      expect(check({ choices: [choice] })).toBe('empty');
    },
  );

  test('says what the answer used', () => {
    const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
    const checked = checkAnswer(Buffer.from(JSON.stringify({ ...said('Hi'), usage })), ALL);
    expect(checked.usage).toMatchObject({ promptTokens: 7, completionTokens: 3, totalTokens: 10 });
    expect(checkAnswer(Buffer.from(JSON.stringify(said('Hi'))), ALL).usage).toBeNull();
  });

  test('a schema that cannot be decided lets the answer pass, broken JSON does not', () => {
    const format = { kind: 'json_schema', schema: { $ref: 'https://example.org/schema.json' } } as const;
    expect(check(said('{"a": 1}'), { format })).toBe('passed');
    expect(check(said('{"a": 1'), { format })).toBe('invalid_json');
    expect(check(said('[1]'), { format: { kind: 'json' } })).toBe('passed');
  });
});
