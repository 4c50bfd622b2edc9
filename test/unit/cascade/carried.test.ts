import { describe, expect, test } from '@jest/globals';
import {
  decodeCascade,
  decodeKept,
  encodeCascade,
  encodeKept,
  encodeNote,
  noteOf,
  type CarriedCascade,
} from '../../../src/cascade/carried.ts';

const CASCADE: CarriedCascade = {
  route: 'auto',
  checks: ['refusal', 'empty'],
  minMeanLogprob: null,
  maxShare: 0.2,
  minEscalations: 10,
  windowMs: 60_000,
  maxAnswerBytes: 1_048_576,
  format: { kind: 'json_schema', schema: { type: 'object' } },
};

test('a cascade comes back as it was', () => {
  expect(decodeCascade(encodeCascade(CASCADE))).toEqual(CASCADE);
});

test.each([
  [undefined],
  [7],
  ['{'],
  ['null'],
  [JSON.stringify({ ...CASCADE, route: 1 })],
  [JSON.stringify({ ...CASCADE, checks: ['lies'] })],
  [JSON.stringify({ ...CASCADE, checks: 'refusal' })],
  [JSON.stringify({ ...CASCADE, minMeanLogprob: 'x' })],
  [JSON.stringify({ ...CASCADE, windowMs: undefined })],
  [JSON.stringify({ ...CASCADE, format: { kind: 'xml' } })],
])('%s is none of ours', (text) => {
  expect(decodeCascade(text)).toBeNull();
});

describe('notes', () => {
  const usage = { promptTokens: 7, completionTokens: null, totalTokens: 9, cachedTokens: null, reasoningTokens: null };

  test('come back, with what there is not', () => {
    const notes = { '1': encodeNote('escalated', 'refusal', usage), '2': encodeNote('passed', null, null) };
    expect(noteOf(notes, 1)).toEqual({
      result: 'escalated',
      check: 'refusal',
      promptTokens: 7,
      completionTokens: null,
      totalTokens: 9,
    });
    expect(noteOf(notes, 2)).toMatchObject({ result: 'passed', check: null, totalTokens: null });
    expect(noteOf(notes, 3)).toBeNull();
  });

  test.each([[undefined], [{ '1': 5 }], [{ '1': '' }], [{ '1': 'maybe refusal' }]])('%j is none', (notes) => {
    expect(noteOf(notes, 1)).toBeNull();
  });
});

describe('kept answers', () => {
  test('come back byte for byte', () => {
    const body = Buffer.from('{ "a":"Café \\u00e9 😀" }\n');
    const kept = encodeKept(2, 'empty', body);
    expect(decodeKept(kept ?? undefined)).toEqual({ attempt: 2, check: 'empty', body: body.toString('utf8') });
  });

  test('bytes that are no UTF-8 are not kept', () => {
    expect(encodeKept(1, 'empty', Buffer.from([0x7b, 0xff, 0x7d]))).toBeNull();
  });

  test.each([
    [undefined],
    [{}],
    [{ body: '{}', attempt: 'x', check: 'empty' }],
    [{ body: '{}', attempt: '1', check: 'lies' }],
    [{ body: 7, attempt: '1', check: 'empty' }],
  ])('%j is none', (kept) => {
    expect(decodeKept(kept)).toBeNull();
  });
});
