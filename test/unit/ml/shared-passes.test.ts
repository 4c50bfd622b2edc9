import { expect, test } from '@jest/globals';
import type { Manifest } from '../../../src/ml/bundle.ts';
import { SharedPasses } from '../../../src/ml/shared-passes.ts';

test('a text that the tokenizer cannot take fails alone, and is forgotten', async () => {
  const tokenizer = {
    encodeCut: () => {
      throw new Error('no such text');
    },
  };
  const pool = {
    submit: () => {
      throw new Error('nothing to submit');
    },
  };
  const passes = new SharedPasses(tokenizer, pool, { set: () => undefined }, {} as Manifest);
  const cut = { head: 'x', tail: null };
  await expect(passes.join('key', cut, 1000, undefined)).resolves.toEqual({ kind: 'failed', reason: 'encoder_error' });
  expect(passes.has('key')).toBe(false);
});
