import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isFailure, readAttempts, type AttemptsSeen } from '../../../src/execution/attempts.ts';
import { planOf } from './targets.ts';

const { targets } = planOf('a@1', 'b@2', 'c@3');
const seen = (over: Partial<AttemptsSeen>): AttemptsSeen => ({
  notes: {},
  count: 1,
  status: 200,
  details: 'via_upstream',
  nowMs: 10_000,
  firstByteMs: 1000,
  ...over,
});
const read = (over: Partial<AttemptsSeen>) =>
  readAttempts(targets, seen(over)).map(({ target, cause, status, latencyMs, retryAfterS }) => [
    target.model,
    cause,
    status,
    latencyMs,
    retryAfterS,
  ]);

describe('readAttempts', () => {
  test('one that was answered', () => {
    expect(read({ notes: { n: '1', '1': '9000 9040 200 - -' } })).toEqual([['a', 'answered', 200, 40, null]]);
  });

  test('causes of those that failed, with their times', () => {
    expect(
      read({
        count: 3,
        notes: { '1': '1000 1020 503 - -', '2': '1100 1105 429 7 -', '3': '1200 1260 200 - -' },
      }),
    ).toEqual([
      ['a', '5xx', 503, 20, null],
      ['b', '429', 429, 5, 7],
      ['c', 'answered', 200, 60, null],
    ]);
  });

  test('no answer: until the next one began; late ones are timeouts', () => {
    expect(read({ count: 3, notes: { '1': '1000', '2': '1030', '3': '2040 2050 200 - -' } })).toEqual([
      ['a', 'no_answer', null, 30, null],
      ['b', 'timeout', null, 1010, null],
      ['c', 'answered', 200, 10, null],
    ]);
  });

  test.each([
    ['upstream_reset_before_response_started{connection_failure}', 503, 'no_answer'],
    ['upstream_per_try_timeout', 504, 'timeout'],
    ['response_timeout', 504, 'timeout'],
  ])('the last one without an answer: %s', (details, status, cause) => {
    expect(read({ status, details, notes: { '1': '9500' } })).toEqual([['a', cause, null, 500, null]]);
  });

  test('an answer that did not pass its check was escalated, if there was a later attempt', () => {
    const notes = { '1': '1000 1020 200 - -', '2': '1100 1105 200 - -' };
    const checks = { '1': 'escalated refusal 1 2 3', '2': 'escalated empty - - -' };
    expect(read({ count: 2, notes, checks })).toEqual([
      ['a', 'escalated:refusal', 200, 20, null],
      ['b', 'answered', 200, 5, null],
    ]);
    expect(read({ count: 1, notes, checks: { '1': 'kept refusal - - -' } })).toEqual([
      ['a', 'answered', 200, 20, null],
    ]);
    expect(isFailure('escalated:refusal')).toBe(false);
  });

  test('a prompt that is too long is nobody’s failure', () => {
    expect(read({ status: 400, notes: { '1': '1 2 400 - context_length' } })).toEqual([['a', 'context_length', 400, 1, null]]); // prettier-ignore
  });

  test('without notes the status tells of the last attempt', () => {
    expect(read({ status: 503, details: '' })).toEqual([['a', '5xx', 503, null, null]]);
    expect(read({ count: 2, status: 200 })).toEqual([
      ['a', 'no_answer', null, null, null],
      ['b', 'answered', 200, null, null],
    ]);
  });

  test('more attempts than the plan has targets, and nonsense', () => {
    expect(read({ count: 9 })).toHaveLength(3);
    expect(read({ count: Number.NaN })).toHaveLength(1);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), fc.integer(), fc.string(), (notes, count, details) => {
        expect(readAttempts(targets, seen({ notes, count, details })).length).toBeLessThanOrEqual(3);
      }),
    );
  });
});
