import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { loadBundle, type Bundle } from '../../../src/ml/bundle.ts';
import { createGlance } from '../../../src/ml/glance.ts';
import { argmax, softmax } from '../../../src/ml/heads.ts';
import { parseStaticTable, staticProbabilities, type StaticTable } from '../../../src/ml/static-table.ts';
import { createTokenizer } from '../../../src/ml/tokenizer.ts';

const SHIPPED = 'models/switchyard-minilm';
const LABELS = ['law', 'math'];
/** Token 1 speaks for law, token 2 for maths, token 0 was never seen; the two rows of pairs speak for maths and for law. */
const TABLE: StaticTable = {
  weights: Int8Array.of(0, 0, 100, -20, -10, 127, 0, 30, 40, 0),
  vocabulary: 3,
  scale: Float32Array.of(0.5, 0.25),
  bias: Float32Array.of(0.5, -0.5),
};
const ALONE: StaticTable = { ...TABLE, weights: TABLE.weights.slice(0, 6) };
const logOf = (ratio: number) => Math.log(ratio);

describe('the arithmetic', () => {
  test('a token’s row, scaled by label, and the bias', () => {
    expect(staticProbabilities(TABLE, [1])).toEqual(softmax([0.5 + 50, -0.5 - 5]));
  });

  test('what is said again counts by its logarithm, and the text has length 1', () => {
    // (1 · 31337 + 2 · 7919) mod 2 = 1, (2 · 31337 + 1 · 7919) mod 2 = 1, (1 · 31337 + 1 · 7919) mod 2 = 0
    const [twice, thrice] = [1 + Math.log(2), 1 + Math.log(3)];
    const length = Math.hypot(thrice, 1, twice, 1);
    const law = thrice * 100 - 10 + twice * 40 + 0;
    const maths = thrice * -20 + 127 + twice * 0 + 30;
    const expected = softmax([0.5 + (0.5 * law) / length, -0.5 + (0.25 * maths) / length]);
    const found = staticProbabilities(TABLE, [1, 2, 1, 1]);
    found.forEach((p, label) => expect(p).toBeCloseTo(expected[label] ?? 0, 12));
  });

  test('a phrase said sixty times over makes the table hardly surer than one said once', () => {
    const [once = 0] = staticProbabilities({ ...TABLE, scale: Float32Array.of(0.02, 0.01) }, [1, 2, 0]);
    const [often = 0] = staticProbabilities(
      { ...TABLE, scale: Float32Array.of(0.02, 0.01) },
      Array(60).fill([1, 2, 0]).flat(),
    );
    expect(Math.abs(often - once)).toBeLessThan(0.1);
  });

  test('order counts by the pairs only', () => {
    expect(staticProbabilities(ALONE, [2, 1, 1])).toEqual(staticProbabilities(ALONE, [1, 2, 1]));
    expect(staticProbabilities(TABLE, [2, 1, 1])).not.toEqual(staticProbabilities(TABLE, [1, 2, 1]));
  });

  test('strange tokens, and tokens beyond the table, lower the confidence', () => {
    const [sure = 0] = staticProbabilities(ALONE, [1, 2]);
    const [less = 0] = staticProbabilities(ALONE, [1, 2, 0]);
    const [least = 0] = staticProbabilities(ALONE, [1, 2, 0, 999_999]);
    expect(logOf(sure / (1 - sure))).toBeGreaterThan(logOf(less / (1 - less)));
    expect(logOf(less / (1 - less))).toBeGreaterThan(logOf(least / (1 - least)));
  });

  test('without a token the bias speaks', () => {
    expect(staticProbabilities(TABLE, [])).toEqual(softmax([0.5, -0.5]));
  });
});

interface Draft {
  readonly header?: (header: Record<string, Record<string, unknown>>) => void;
  readonly bytes?: (bytes: Uint8Array) => Uint8Array;
  readonly scale?: readonly number[];
}

/** A file as training writes it, then spoilt. */
function fileOf(draft: Draft = {}): Uint8Array {
  const header = {
    __metadata__: { format: 'switchyard-static-3', labels: JSON.stringify(LABELS), tokens: '3' },
    weights: { dtype: 'I8', shape: [5, 2], data_offsets: [0, 10] },
    scale: { dtype: 'F32', shape: [2], data_offsets: [10, 18] },
    bias: { dtype: 'F32', shape: [2], data_offsets: [18, 26] },
  };
  draft.header?.(header);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const numbers = (values: ArrayLike<number>) => Buffer.from(Float32Array.from(values).buffer);
  const weights = Buffer.from(Uint8Array.from(TABLE.weights, (value) => value & 255));
  const file = Buffer.concat([length, text, weights, numbers(draft.scale ?? TABLE.scale), numbers(TABLE.bias)]);
  return draft.bytes?.(file) ?? file;
}

describe('the file', () => {
  test('gives the numbers back, wherever they lie', () => {
    const outcome = parseStaticTable(fileOf(), LABELS);
    expect(outcome.kind === 'valid' && staticProbabilities(outcome.table, [1, 2])).toEqual(
      staticProbabilities(TABLE, [1, 2]),
    );
  });

  test.each<[string, Draft, string]>([
    ['too short for a length', { bytes: (file) => file.subarray(0, 5) }, 'not a safetensors file'],
    ['a header beyond the end', { bytes: (file) => file.fill(255, 0, 2) }, 'not a safetensors file'],
    ['cut short', { bytes: (file) => file.subarray(0, -1) }, 'bias: 8 bytes are needed'],
    ['another format', { header: (header) => (header['__metadata__'] = { format: 'x' }) }, 'its format is not'],
    [
      'other labels',
      { header: (header) => (header['__metadata__']!['labels'] = '["math","law"]') },
      'its labels are not those of outputs.category',
    ],
    [
      'another type',
      { header: (header) => (header['weights']!['dtype'] = 'F16') },
      'weights: a tensor of I8 is needed',
    ],
    ['another width', { header: (header) => (header['weights']!['shape'] = [2, 5]) }, 'weights: [rows, 2] is needed'],
    [
      'no number of tokens',
      { header: (header) => delete header['__metadata__']!['tokens'] },
      'tokens: the number of rows',
    ],
    [
      'more tokens than rows',
      { header: (header) => (header['__metadata__']!['tokens'] = '6') },
      'tokens: the number of rows',
    ],
    ['bytes that do not fit', { header: (header) => (header['scale']!['shape'] = [3]) }, 'scale: 12 bytes are needed'],
    ['a missing tensor', { header: (header) => delete header['bias'] }, 'bias: a tensor of F32 is needed'],
    ['a number that is none', { scale: [1, NaN] }, 'scale: 2 finite numbers are needed'],
  ])('%s is refused', (_, draft, problem) => {
    expect(parseStaticTable(fileOf(draft), LABELS)).toMatchObject({
      kind: 'invalid',
      problem: expect.stringContaining(problem),
    });
  });
});

/** Written by `python -m switchyard_training held-out`. */
const [head, ...rows] = readFileSync('test/unit/ml/static.rows.jsonl', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { table_sha256?: string; text: string; probabilities: readonly number[] });

const glanceOf = (bundle: Bundle) => {
  const glance = createGlance(bundle);
  const tokenizer = createTokenizer(bundle.tokenizerJson, bundle.tokenizerConfigJson, bundle.manifest.inputs);
  return glance === null ? null : (text: string) => glance(tokenizer.encode(text));
};

describe('the table that ships', () => {
  test('is the one that the rows were computed with', async () => {
    const { manifest } = await loadBundle(SHIPPED);
    expect(manifest.files.static_table?.sha256).toBe(head?.table_sha256);
  });

  test('says what training’s own arithmetic says', async () => {
    const glance = glanceOf(await loadBundle(SHIPPED));
    expect(rows.length).toBeGreaterThanOrEqual(60);
    for (const { text, probabilities } of rows) {
      const found = glance?.(text)?.categoryProbabilities ?? [];
      expect(found).toHaveLength(probabilities.length);
      found.forEach((p, label) => expect(p).toBeCloseTo(probabilities[label] ?? NaN, 4));
    }
  });

  test.each([
    ['math', 'Solve the integral of x^2 * e^x dx step by step.'],
    ['law', 'Under contract law, when does an offer lapse and can it be revoked before acceptance?'],
    ['computer science', 'Write a Python function that finds the longest palindromic substring in O(n^2).'],
    ['economics', 'Explain how an increase in interest rates by the central bank affects inflation and unemployment.'],
  ])('knows plain prompts: %s', async (category, text) => {
    const bundle = await loadBundle(SHIPPED);
    const encoding = glanceOf(bundle)?.(text);
    const top = argmax(encoding?.categoryProbabilities ?? []);
    expect(bundle.manifest.outputs.category.labels[top]).toBe(category);
    expect(encoding?.categoryProbabilities[top]).toBeGreaterThan(0.6);
    expect(encoding).toMatchObject({ tier: 'static', difficulty: null, jailbreak: null, embedding: null });
  });

  test('reads a long text as the encoder would: its beginning and its end', async () => {
    const bundle = await loadBundle(SHIPPED);
    const glance = glanceOf(bundle);
    const long = glance?.(`derivative ${'and so on '.repeat(100_000)} integral`);
    expect(long).toMatchObject({ tokens: bundle.manifest.inputs.max_tokens, truncated: true });
  });

  test('a text without tokens says nothing, and a model without a table has no glance', async () => {
    const bundle = await loadBundle(SHIPPED);
    expect(glanceOf(bundle)?.('\u0000\u0001')).toBeNull();
    expect(glanceOf({ ...bundle, staticTable: null })).toBeNull();
  });
});
