import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CHARS_PER_TOKEN, cutCharacters, joinTokens, type TokenWindow } from '../../../src/ml/window.ts';

const WINDOW: TokenWindow = { max_tokens: 256, head_tokens: 192, tail_tokens: 64 };
const SPECIAL = { cls: -1, sep: -2 };
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Windows as manifests may give them: head and tail may leave room unused. */
const windows = fc
  .record({
    head: fc.integer({ min: 2, max: 40 }),
    tail: fc.integer({ min: 1, max: 40 }),
    more: fc.integer({ min: 0, max: 9 }),
  })
  .filter(({ head, tail, more }) => head + tail + more >= 8)
  .map(({ head, tail, more }): TokenWindow => ({
    max_tokens: head + tail + more,
    head_tokens: head,
    tail_tokens: tail,
  }));

describe('cutCharacters', () => {
  test('leaves a text that fits alone', () => {
    const text = 'x'.repeat(256 * CHARS_PER_TOKEN);
    expect(cutCharacters(text, WINDOW)).toEqual({ head: text, tail: null });
  });

  test('keeps the first three quarters and the last quarter of the characters', () => {
    const text = `${'a'.repeat(5000)}${'b'.repeat(5000)}`;
    expect(cutCharacters(text, WINDOW)).toEqual({ head: 'a'.repeat(1536), tail: 'b'.repeat(512) });
  });

  test('any text: bounded, a beginning and an end of it, and no half characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 900 }), windows, (text, window) => {
        const { head, tail } = cutCharacters(text, window);
        expect(text.startsWith(head)).toBe(true);
        if (tail === null) {
          expect(head).toBe(text);
          return;
        }
        expect(text.endsWith(tail)).toBe(true);
        expect(head.length + tail.length).toBeLessThanOrEqual(
          (window.head_tokens + window.tail_tokens) * CHARS_PER_TOKEN,
        );
        expect(/[\uD800-\uDBFF]$/.test(head)).toBe(false);
        expect(/^[\uDC00-\uDFFF]/.test(tail)).toBe(false);
      }),
    );
  });

  test('costs the same for 32 MiB as for a page', () => {
    const text = 'word '.repeat(6_500_000);
    // The first look joins the pieces that `repeat` made.
    cutCharacters(text, WINDOW);
    const start = performance.now();
    for (let round = 0; round < 100; round += 1) cutCharacters(text, WINDOW);
    expect(performance.now() - start).toBeLessThan(100);
  });
});

describe('joinTokens', () => {
  test('wraps a text that fits', () => {
    expect(joinTokens([7, 8, 9], null, WINDOW, SPECIAL)).toEqual({ ids: [-1, 7, 8, 9, -2], truncated: false });
    expect(joinTokens([], null, WINDOW, SPECIAL)).toEqual({ ids: [-1, -2], truncated: false });
  });

  test('a full window keeps 192 tokens of the beginning and 64 of the end, specials counted', () => {
    const { ids, truncated } = joinTokens(range(0, 1000), null, WINDOW, SPECIAL);
    expect(truncated).toBe(true);
    expect(ids).toEqual([-1, ...range(0, 191), ...range(937, 1000), -2]);
  });

  test('any lengths: within the window, a beginning and an end, and no room wasted', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.option(fc.nat(120)), windows, (headCount, tailCount, window) => {
        const head = range(0, headCount);
        const tail = tailCount === null ? null : range(1000, 1000 + tailCount);
        const { ids, truncated } = joinTokens(head, tail, window, SPECIAL);
        const all = [...head, ...(tail ?? [])];
        const inner = ids.slice(1, -1);
        expect([ids[0], ids.at(-1)]).toEqual([-1, -2]);
        expect(ids.length).toBe(Math.min(all.length + 2, window.max_tokens));
        // What is kept is a prefix and a suffix of what there was.
        let prefix = 0;
        while (prefix < inner.length && inner[prefix] === all[prefix]) prefix += 1;
        expect(inner.slice(prefix)).toEqual(all.slice(all.length - (inner.length - prefix)));
        expect(truncated).toBe(tail !== null || all.length > inner.length);
      }),
    );
  });
});
