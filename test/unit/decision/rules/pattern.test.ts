import { describe, expect, test } from '@jest/globals';
import { compilePatterns, patternProblem } from '../../../../src/config/pattern.ts';

describe('patternProblem', () => {
  test.each(['a', '(?i)\\binvoice\\s+#?\\d{4,}', '\\p{Han}', '^x$', '[^a-z]{2,8}', ''])('passes %j', (source) =>
    expect(patternProblem(source)).toBeNull(),
  );

  test.each([
    ['(a', 'missing closing )'],
    ['a**', 'invalid nested repetition'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
    ['a{2000}', 'invalid repeat count'],
    ['(a{100}){9}', 'too large'],
    ['a'.repeat(1001), 'longer than 1000'],
  ])('refuses %j', (source, why) => expect(patternProblem(source)).toContain(why));
});

describe('compilePatterns', () => {
  test('tells which patterns occur', () => {
    const set = compilePatterns(['TICKET-\\d{4,}', '(?i)urgent', 'x{9}y', 'never']);
    expect([...set.search('Urgent: TICKET-12345')].sort()).toEqual([0, 1]);
    expect([...set.search('xxxxxxxxxy')]).toEqual([2]);
    expect(set.search('')).toEqual(new Set());
    expect(compilePatterns([]).search('anything')).toEqual(new Set());
  });

  test.each([
    ['(a+)+$', 'a'],
    ['(a|aa)*b', 'a'],
    ['(x+x+)+y', 'x'],
    ['(.*)*,(.*)*,z', ','],
    ['(a|b)*a(a|b){20}c', 'ab'],
  ])('takes time in proportion to the text for %s, which makes backtracking engines hang', (source, unit) => {
    const set = compilePatterns([source]);
    const timeOf = (length: number) => {
      const text = `${unit.repeat(length / unit.length)}!`;
      set.search(text);
      const started = performance.now();
      set.search(text);
      return performance.now() - started;
    };
    // Backtracking would need more than the age of the universe for either.
    expect(timeOf(1024)).toBeLessThan(2000);
    expect(timeOf(8192)).toBeLessThan(4000);
  });
});
