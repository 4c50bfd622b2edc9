import { describe, expect, test } from '@jest/globals';
import { findPii, PII_SLICE_CHARACTERS, startPiiSearch } from '../../../../src/signals/pii.ts';

/** Texts that would make a search run back and forth: one piece over and over. */
const PIECES = [
  ...[
    '1',
    '1 ',
    '1.',
    '1-',
    '1:',
    '1/',
    'a1',
    'a1 ',
    '12 ',
    '1234 ',
    '12345 ',
    '1.1.1.1.',
    '(1) ',
    '+1 ',
    '+',
    '(',
    '+1 (2) ',
    '00 1 ',
  ],
  ...['@', 'a@', 'a@b.', 'a.a@a.aa ', 'aaaaaaaaaaaaaaaa@', '://a:bbbbbbb', 'user@a-', 'é@é.éé '],
  ...['eyJ', '.eyJ', 'eyJhbGciOiJub25lIn0.', 'eyJhbGciOiJub25lIn0.eyJhIjoxfQ. '],
  ...[
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n',
    '-----BEGIN PRIVATE KEY-----\nMIIEMIIEMIIEMIIEMIIE\n',
    '\\n',
    'Version: 1\n',
  ],
  ...[
    'sk-',
    'sk-a1',
    'ghp_',
    'AKIA',
    'aA1',
    'aA1/',
    'aA1-',
    'SG.aaaaaaaaaaaaaaaa.',
    '123456789:AA',
    'Maaaaaaaaaaaaaaaaaaaaaaaa.aaaaaa.',
  ],
  ...['password: ', 'password is a1A', 'PASSWORD=', 'assword', 'api_key=', 'token token ', 'Bearer Bearer '],
  ...['GB29', 'GB29 ', 'GB29NWBK60161331926819 ', 'DE00 0000 ', 'M1 1A', 'SW1A 1AA ', 'K1A ', '0B1 '],
  ...[
    '4111 ',
    '4111-',
    '4111 1111 1111 1111 ',
    '411111111111111',
    '123-45-',
    '123-45-6789',
    '415-555-',
    '415-555-2671 ',
  ],
  ...['2001:', '2001:db8::', '::', ':1', 'ff:', 'ff-', 'ffff.', 'a:b:', '00:', '0050.'],
  ...[
    'born 1 ',
    'born 1990-',
    'DOB 1/1/',
    'May 1, ',
    '1 May ',
    'passport ',
    'passport 1 ',
    'passport A1 ',
    'DL#',
    'licence 1 ',
    'phone ',
    'call 1 ',
    'phone 1. ',
  ],
  ...['ZIP 1 ', 'TX 7', 'no. 1 ', 'number number 1 ', 'a. 1 ', '... 1 ', '?1 ', '\n\n1 ', ' ', 'a', '\ud800', '電話1'],
];

type Method = (this: never, ...args: never[]) => unknown;

/** Puts `replacement(original)` in the place of a built-in method; returns what puts the original back. */
function replace<M extends Method>(owner: object, name: string, replacement: (original: M) => M): () => void {
  const original = Reflect.get(owner, name) as M;
  Reflect.set(owner, name, replacement(original));
  return () => Reflect.set(owner, name, original);
}

/**
 * Work that is counted, not timed: characters that are looked at and characters that regular expressions and searches are given or run over.
 * Patterns are sticky with bounded repeats, or get slices of bounded length, so that counting their calls and inputs bounds their steps.
 */
function countWork(run: () => void): number {
  let work = 0;
  const restore = [
    replace<(this: string, at: number) => number>(String.prototype, 'charCodeAt', (original) => {
      return function (at) {
        work += 1;
        return original.call(this, at);
      };
    }),
    replace<(this: string, start?: number, end?: number) => string>(String.prototype, 'slice', (original) => {
      return function (start, end) {
        const part = original.call(this, start, end);
        work += part.length;
        return part;
      };
    }),
    replace<(this: string, needle: string, from?: number) => number>(String.prototype, 'indexOf', (original) => {
      return function (needle, from = 0) {
        const at = original.call(this, needle, from);
        work += (at < 0 ? this.length : at) - from + 1;
        return at;
      };
    }),
    // `test` and `matchAll` call it too.
    replace<(this: RegExp, text: string) => RegExpExecArray | null>(RegExp.prototype, 'exec', (original) => {
      return function (text) {
        const from = this.sticky || this.global ? this.lastIndex : 0;
        const match = original.call(this, text);
        const reached = match === null ? from : match.index + match[0].length;
        if (this.sticky) work += Math.max(1, reached - from);
        else if (this.global) work += (match === null ? text.length : reached) - from + 1;
        else work += text.length;
        return match;
      };
    }),
  ];
  try {
    run();
  } finally {
    for (const putBack of restore) putBack();
  }
  return work;
}

const SHORT = 4_000;
const LONG = 32_000;
/** Windows around each candidate are some hundred characters, and a candidate has two characters or more. */
const MOST_WORK_PER_CHARACTER = 600;

describe('the search is linear', () => {
  test.each(PIECES)('%j', (piece) => {
    const text = (length: number) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
    const short = countWork(() => findPii(text(SHORT)));
    const long = countWork(() => findPii(text(LONG)));
    expect(long).toBeLessThanOrEqual((short * LONG * 1.25) / SHORT + 20_000);
    expect(long / LONG).toBeLessThanOrEqual(MOST_WORK_PER_CHARACTER);
  });
});

/** More than one window of the search, and many: a step may not know the difference. */
const TWO_WINDOWS = 600_000;
const MANY_WINDOWS = 6_000_000;

describe('a step of a long text looks at no more of it than of a short one', () => {
  test.each(PIECES)('%j', (piece) => {
    const firstStep = (length: number) => {
      const search = startPiiSearch(piece.repeat(Math.ceil(length / piece.length)));
      return countWork(() => void search.advance(PII_SLICE_CHARACTERS));
    };
    const work = firstStep(TWO_WINDOWS);
    expect(firstStep(MANY_WINDOWS)).toBe(work);
    // A window is prepared by a handful of searches that run through it once.
    expect(work).toBeLessThanOrEqual(MOST_WORK_PER_CHARACTER * PII_SLICE_CHARACTERS + 10 * TWO_WINDOWS);
  });
});
