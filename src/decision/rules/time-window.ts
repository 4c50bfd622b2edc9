import type { ConditionConfig } from '../../config/schema-policy.ts';

type TimeCondition = NonNullable<ConditionConfig['time']>;
type Day = NonNullable<TimeCondition['days']>[number];

const WEEK: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const MINUTES_A_DAY = 24 * 60;

/** Whether a moment (Unix time, milliseconds) lies in the window. */
export type TimeWindow = (nowMs: number) => boolean;

/**
 * From `from` (inclusive, default 00:00) to `to` (exclusive, default 24:00) on the given days (default all), by the wall clock of the time
 * zone, daylight saving included. A window with `to` before `from` runs over midnight and belongs to the day on which it begins; equal
 * ends mean the whole day. Throws RangeError for a time zone that is not known.
 */
export function compileTimeWindow(condition: TimeCondition): TimeWindow {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: condition.timezone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const from = minutes(condition.from ?? '00:00');
  const to = condition.to === undefined ? MINUTES_A_DAY : minutes(condition.to);
  const days = new Set(condition.days ?? WEEK);
  return (nowMs) => {
    const { day, minute } = wallClock(clock, nowMs);
    const today = days.has(day);
    if (from < to) return today && minute >= from && minute < to;
    if (from === to) return today;
    return (today && minute >= from) || (days.has(dayBefore(day)) && minute < to);
  };
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}

function dayBefore(day: Day): Day {
  return WEEK[(WEEK.indexOf(day) + WEEK.length - 1) % WEEK.length] ?? day;
}

function wallClock(clock: Intl.DateTimeFormat, nowMs: number): { readonly day: Day; readonly minute: number } {
  const parts = new Map(clock.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const name = parts.get('weekday')?.toLowerCase();
  return {
    day: WEEK.find((day) => day === name) ?? 'mon',
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
