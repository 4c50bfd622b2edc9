import { describe, expect, test } from '@jest/globals';
import { compileTimeWindow } from '../../../../src/decision/rules/time-window.ts';

type Condition = Parameters<typeof compileTimeWindow>[0];

function isOpen(condition: Partial<Condition>, moment: string): boolean {
  return compileTimeWindow({ timezone: 'UTC', ...condition })(Date.parse(moment));
}

describe('a time window', () => {
  test.each([
    // 2026-01-05 is a Monday.
    [{}, '2026-01-05T00:00:00Z', true],
    [{ from: '09:00', to: '17:00' }, '2026-01-05T08:59:59Z', false],
    [{ from: '09:00', to: '17:00' }, '2026-01-05T09:00:00Z', true],
    [{ from: '09:00', to: '17:00' }, '2026-01-05T16:59:59Z', true],
    [{ from: '09:00', to: '17:00' }, '2026-01-05T17:00:00Z', false],
    [{ from: '09:00' }, '2026-01-05T23:59:59Z', true],
    [{ to: '09:00' }, '2026-01-05T00:00:00Z', true],
    [{ days: ['mon'] }, '2026-01-05T12:00:00Z', true],
    [{ days: ['tue'] }, '2026-01-05T12:00:00Z', false],
    [{ days: ['mon'], from: '22:00', to: '06:00' }, '2026-01-05T22:00:00Z', true],
    [{ days: ['mon'], from: '22:00', to: '06:00' }, '2026-01-06T05:59:00Z', true],
    [{ days: ['mon'], from: '22:00', to: '06:00' }, '2026-01-05T05:59:00Z', false],
    [{ days: ['sun'], from: '22:00', to: '06:00' }, '2026-01-05T05:59:00Z', true],
    [{ days: ['mon'], from: '22:00', to: '06:00' }, '2026-01-06T22:00:00Z', false],
    [{ days: ['mon'], from: '08:00', to: '08:00' }, '2026-01-05T03:00:00Z', true],
    [{ days: [] }, '2026-01-05T12:00:00Z', false],
    [{ from: '09:00', to: '10:00', timezone: 'Asia/Tokyo' }, '2026-01-05T00:30:00Z', true],
    [{ days: ['sun'], timezone: 'America/New_York' }, '2026-01-05T03:00:00Z', true],
    // Daylight saving: 09:00 in Berlin is 08:00 UTC in winter and 07:00 in summer.
    [{ from: '09:00', to: '10:00', timezone: 'Europe/Berlin' }, '2026-01-05T08:30:00Z', true],
    [{ from: '09:00', to: '10:00', timezone: 'Europe/Berlin' }, '2026-07-06T08:30:00Z', false],
    [{ from: '09:00', to: '10:00', timezone: 'Europe/Berlin' }, '2026-07-06T07:30:00Z', true],
  ] as [Partial<Condition>, string, boolean][])('%j at %s: %s', (condition, moment, expected) =>
    expect(isOpen(condition, moment)).toBe(expected),
  );

  test('in a time zone that nobody knows does not compile', () => {
    expect(() => compileTimeWindow({ timezone: 'Mars/Olympus' })).toThrow(RangeError);
  });
});
