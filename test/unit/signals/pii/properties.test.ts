import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findPii, maskPii, PII_KINDS, startPiiSearch } from '../../../../src/signals/pii.ts';
import { rowsOf } from './rows.ts';

const SAMPLES = [...rowsOf('positives'), ...rowsOf('negatives')].map((row) => row.text);
/** Pieces that the detectors look at, so that random text is not just noise. */
const PIECES = [
  ...[
    '@',
    '.',
    ':',
    '::',
    '-',
    '(',
    ')',
    '+',
    '+49',
    ' ',
    '\n',
    '"',
    '=',
    '/',
    '//',
    'eyJ',
    '-----BEGIN ',
    '-----END ',
  ],
  ...[
    'PRIVATE KEY-----',
    'password: ',
    'passport ',
    'DOB ',
    'born ',
    'phone ',
    'call ',
    'ZIP ',
    'SSN ',
    'DL#',
    'sk-',
    'ghp_',
  ],
  ...[
    'GB29',
    'DE89',
    '4111',
    '555',
    '0',
    '1',
    '12',
    '1990',
    'a1',
    'ff',
    'A',
    'é',
    '電話',
    '🙂',
    '\ud800',
    '\0',
    'İ',
    'ß',
    'May ',
    'SW1A',
  ],
];
const soup = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 }), fc.nat(99_999).map(String)), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''));
const mixed = fc.oneof(
  soup,
  fc.array(fc.constantFrom(...SAMPLES), { minLength: 1, maxLength: 4 }).map((texts) => texts.join(' ')),
  fc.tuple(soup, fc.constantFrom(...SAMPLES), soup).map((texts) => texts.join('')),
);

describe('any text', () => {
  test('findings lie in it, in order, apart, and are of known kinds', () => {
    fc.assert(
      fc.property(mixed, (text) => {
        let last = 0;
        for (const { kind, start, end, confidence } of findPii(text)) {
          expect(PII_KINDS).toContain(kind);
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(confidence).toBeGreaterThanOrEqual(0.5);
          expect(confidence).toBeLessThanOrEqual(1);
          last = end;
        }
      }),
      { numRuns: 400 },
    );
  });

  test('the mask hides each finding and keeps every other character', () => {
    fc.assert(
      fc.property(mixed, (text) => {
        const findings = findPii(text);
        let at = 0;
        let expected = '';
        for (const { kind, start, end } of findings) {
          expected += `${text.slice(at, start)}<${kind}>`;
          at = end;
        }
        expect(maskPii(text, findings)).toBe(expected + text.slice(at));
      }),
      { numRuns: 200 },
    );
  });

  test('a search that pauses anywhere finds the same', () => {
    fc.assert(
      fc.property(mixed, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), (text, steps) => {
        const search = startPiiSearch(text);
        const pieces = [];
        for (let to = 0, i = 0; to < text.length; i += 1) {
          to = Math.min(text.length, to + (steps[i % steps.length] ?? 1));
          pieces.push(...search.advance(to));
        }
        expect(pieces).toEqual(findPii(text));
      }),
      { numRuns: 400 },
    );
  });
});

describe('a text of several windows', () => {
  /** Paragraphs that have nothing to do with each other, a million characters of them. */
  const paragraphs: readonly string[] = Array.from({ length: 40 }, () => SAMPLES).flat();
  const parts = paragraphs.map(
    (text, index) => `${text.trim()}.\n\n${'Plain words. '.repeat(1 + (index % 7) * 3)}\n\n`,
  );
  const whole = parts.join('');
  const unlimited = () => true;

  test('has the findings of its paragraphs, wherever the windows are cut', () => {
    expect(whole.length).toBeGreaterThan(1_000_000);
    let offset = 0;
    const expected = parts.flatMap((part) => {
      const found = startPiiSearch(part, unlimited).advance(part.length);
      const shifted = found.map((one) => ({ ...one, start: one.start + offset, end: one.end + offset }));
      offset += part.length;
      return shifted;
    });
    expect(startPiiSearch(whole, unlimited).advance(whole.length)).toEqual(expected);
    // The windows begin elsewhere.
    const pushed = startPiiSearch(`${'Plain. '.repeat(20_000)}\n\n${whole}`, unlimited);
    expect(pushed.advance(Infinity)).toHaveLength(expected.length);
  });

  test('has the same findings however it is gone through', () => {
    const search = startPiiSearch(whole, unlimited);
    const pieces = [];
    for (let to = 0; to < whole.length;) {
      to = Math.min(whole.length, to + 9973);
      pieces.push(...search.advance(to));
    }
    expect(pieces).toEqual(startPiiSearch(whole, unlimited).advance(whole.length));
  });

  test('has a key that lies across the end of a window once', () => {
    const key = 'ghp_' + 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5';
    const window = 256 * 1024;
    for (const before of [1, key.length - 1, key.length]) {
      const text = `${'a '.repeat((window - before - 1) / 2 + 1).slice(0, window - before - 1)} ${key} ${'b '.repeat(60_000)}`;
      expect(startPiiSearch(text, unlimited).advance(text.length)).toEqual([
        { kind: 'API_KEY', start: window - before, end: window - before + key.length, confidence: 1 },
      ]);
    }
  });
});
