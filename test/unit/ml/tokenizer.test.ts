import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { createTokenizer, type TextTokenizer } from '../../../src/ml/tokenizer.ts';

const WINDOW = { max_tokens: 256, head_tokens: 192, tail_tokens: 64 };
const read = (name: string) => readFileSync(`models/switchyard-minilm/${name}`, 'utf8');
let tokenizer: TextTokenizer;
beforeAll(() => {
  tokenizer = createTokenizer(read('tokenizer.json'), read('tokenizer_config.json'), WINDOW);
});

/** Ids as the Python `tokenizers` package 0.23.3 gives them for the same tokenizer.json. */
test.each([
  ['What is the derivative of x^3?', [101, 2054, 2003, 1996, 13819, 1997, 1060, 1034, 1017, 1029, 102]],
  [
    'Unbelievably, naïve café: 東京!',
    [101, 4895, 8671, 2666, 3567, 6321, 1010, 15743, 7668, 1024, 1879, 1755, 999, 102],
  ],
  ['', [101, 102]],
  [' \n\t ', [101, 102]],
])('%j', (text, ids) => {
  expect(tokenizer.encode(text)).toEqual({ ids, truncated: false });
});

test('a special token in a prompt is text', () => {
  const { ids } = tokenizer.encode('[CLS] hi [SEP] there [MASK]');
  expect(ids.filter((id) => id === 101 || id === 102 || id === 103)).toEqual([101, 102]);
});

test('a long text keeps the first 191 and the last 63 of its tokens', () => {
  const words = Array.from(
    { length: 400 },
    (_, index) => ['alpha', 'beta', 'gamma', 'delta', 'house'][index % 5] ?? '',
  );
  const whole = createTokenizer(read('tokenizer.json'), read('tokenizer_config.json'), {
    max_tokens: 8192,
    head_tokens: 6144,
    tail_tokens: 2048,
  }).encode(words.join(' ')).ids;
  const { ids, truncated } = tokenizer.encode(words.join(' '));
  expect(truncated).toBe(true);
  expect(ids).toEqual([...whole.slice(0, 192), ...whole.slice(-64)]);
});

test.each([
  ['prose', 'the quick brown fox jumps over the lazy dog. '.repeat(25_000)],
  ['one word', 'a'.repeat(1_000_000)],
  ['punctuation', '!?'.repeat(500_000)],
  ['no spaces', '漢字'.repeat(500_000)],
])('a megabyte of %s is tokenised within milliseconds', (_, text) => {
  tokenizer.encode(text);
  const start = performance.now();
  const { ids, truncated } = tokenizer.encode(text);
  expect(performance.now() - start).toBeLessThan(50);
  expect(ids.length).toBeLessThanOrEqual(256);
  expect(truncated).toBe(true);
});

test('any text: [CLS] … [SEP] within the window, every id in the vocabulary', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
      const { ids } = tokenizer.encode(text);
      expect(ids.length).toBeLessThanOrEqual(256);
      expect([ids[0], ids.at(-1)]).toEqual([101, 102]);
      expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 30_522)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
