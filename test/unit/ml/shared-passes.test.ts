import { expect, test } from '@jest/globals';
import type { Manifest } from '../../../src/ml/bundle.ts';
import { refused } from '../../../src/ml/pool.ts';
import { SharedPasses } from '../../../src/ml/shared-passes.ts';
import type { Tokens } from '../../../src/ml/tokenizer.ts';

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
  const passes = new SharedPasses(tokenizer, pool, { set: () => undefined }, {} as Manifest, () => null);
  const cut = { head: 'x', tail: null };
  await expect(passes.join('key', cut, 1000, undefined)).resolves.toEqual({ kind: 'failed', reason: 'encoder_error' });
  expect(passes.has('key')).toBe(false);
});

test.each(['queue_full', 'encoder_error', 'deadline'] as const)(
  '%s: the stand-in reads the tokens that are there',
  async (reason) => {
    let tokenised = 0;
    const tokens = { ids: [101, 7, 102], truncated: false };
    const tokenizer = { encodeCut: () => ((tokenised += 1), tokens) };
    const never = { outcome: new Promise<never>(() => undefined), drop: () => true };
    const pool = { submit: () => (reason === 'deadline' ? never : refused(reason)) };
    const seen: Tokens[] = [];
    const glance = (read: Tokens) => (seen.push(read), null);
    const passes = new SharedPasses(tokenizer, pool, { set: () => undefined }, {} as Manifest, glance);
    const outcome = await passes.join('key', { head: 'x', tail: null }, 5, undefined);
    expect(outcome).toMatchObject({ kind: 'failed', reason });
    expect(seen).toEqual([]);
    expect(outcome.kind === 'failed' && outcome.standIn?.()).toBeNull();
    expect(seen).toEqual([tokens]);
    expect(tokenised).toBe(1);
  },
);
