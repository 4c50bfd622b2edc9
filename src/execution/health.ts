/**
 * The health of one address as a pure state machine: `stepHealth(state, event, nowMs, settings) → state`.
 *
 * - `up`: takes requests. Failures in a row (`consecutive_errors`), the share of failures within the window (`error_ratio`, from `min_requests`
 *   on), or a Retry-After take it to `out`.
 * - `out` until a moment: takes nothing. The time out doubles with each time in a row, from `ejection` to `max_ejection`.
 * - after that moment it is due: a probe of its own (`probed`) or one request is let through. A success brings it `up`; a failure takes it `out`
 *   again, for longer.
 * - `checked` events come from the health check: a bad one takes it out until a good one, whatever the traffic says.
 *
 * What it did while it was well is forgotten as time goes by: after twice `max_ejection` without trouble the time out starts small again.
 */
import type { HealthConfig } from '../config/schema-execution.ts';
import type { AttemptCause } from './attempts.ts';

export interface Health {
  readonly kind: 'up' | 'out';
  /** When `out` ends, in the clock's milliseconds. */
  readonly untilMs: number;
  /** Why it is or was out last; null while it never was. */
  readonly reason: OutReason | null;
  /** Times out in a row. */
  readonly times: number;
  /** When it last came back, or failed; the clock's milliseconds. */
  readonly changedMs: number;
  readonly consecutive: number;
  readonly windowStartMs: number;
  readonly requests: number;
  readonly failures: number;
  /** The last health check was bad. */
  readonly isCheckBad: boolean;
}

export type OutReason = AttemptCause | 'error_ratio' | 'retry_after' | 'health_check' | 'probe';

export type HealthEvent =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly cause: AttemptCause }
  /** The endpoint asks to be left alone for so long. */
  | { readonly kind: 'retry_after'; readonly ms: number }
  | { readonly kind: 'checked'; readonly isWell: boolean }
  /** The result of a probe that was made because its time out had passed. */
  | { readonly kind: 'probed'; readonly isWell: boolean };

export const WELL: Health = {
  kind: 'up',
  untilMs: 0,
  reason: null,
  times: 0,
  changedMs: 0,
  consecutive: 0,
  windowStartMs: 0,
  requests: 0,
  failures: 0,
  isCheckBad: false,
};

/** A probe may fail for reasons of the prober's: after so many in a row a request is let through all the same. */
const PROBES_BEFORE_TRAFFIC = 3;

/** Takes no requests now. */
export function isOut(health: Health, nowMs: number): boolean {
  return health.kind === 'out' && (nowMs < health.untilMs || health.isCheckBad);
}

/** Its time out has passed and nobody has tried it since. */
export function isDue(health: Health, nowMs: number): boolean {
  return health.kind === 'out' && nowMs >= health.untilMs && !health.isCheckBad;
}

/** Whether a request may be the next to try an address that is due. */
export function wantsTraffic(health: Health): boolean {
  return health.times % PROBES_BEFORE_TRAFFIC === 0;
}

/** The next state. Total: every event is defined in every state. */
export function stepHealth(health: Health, event: HealthEvent, nowMs: number, settings: HealthConfig): Health {
  switch (event.kind) {
    case 'succeeded':
      return succeeded(health, nowMs, settings);
    case 'failed':
      return failed(health, event.cause, nowMs, settings);
    case 'retry_after':
      return out(health, 'retry_after', nowMs, Math.min(event.ms, settings.max_ejection), health.times);
    case 'checked':
      if (event.isWell) return health.isCheckBad ? up({ ...health, isCheckBad: false }, nowMs) : health;
      return { ...out(health, 'health_check', nowMs, 0, health.times), isCheckBad: true };
    case 'probed':
      if (event.isWell) return isDue(health, nowMs) ? up(health, nowMs) : health;
      return out(health, 'probe', nowMs, backOff(health.times, settings), health.times + 1);
  }
}

function succeeded(health: Health, nowMs: number, settings: HealthConfig): Health {
  if (health.kind === 'out') return isDue(health, nowMs) ? up(health, nowMs) : health;
  return { ...counted(health, nowMs, settings, 0), consecutive: 0 };
}

function failed(before: Health, cause: AttemptCause, nowMs: number, settings: HealthConfig): Health {
  // A request that was sent before it went out tells nothing new.
  if (before.kind === 'out' && nowMs < before.untilMs) return before;
  const health = forgiven(before, nowMs, settings);
  if (health.kind === 'out') return out(health, cause, nowMs, backOff(health.times, settings), health.times + 1);
  const next = { ...counted(health, nowMs, settings, 1), consecutive: health.consecutive + 1 };
  const isInARow = next.consecutive >= settings.consecutive_errors;
  const isOften = next.requests >= settings.min_requests && next.failures / next.requests >= settings.error_ratio;
  if (!isInARow && !isOften) return next;
  return out(next, isInARow ? cause : 'error_ratio', nowMs, backOff(next.times, settings), next.times + 1);
}

/** One more answer in the window; a window that has passed begins anew. */
function counted(health: Health, nowMs: number, settings: HealthConfig, failures: 0 | 1): Health {
  const isOver = nowMs - health.windowStartMs >= settings.window;
  return {
    ...health,
    windowStartMs: isOver ? nowMs : health.windowStartMs,
    requests: (isOver ? 0 : health.requests) + 1,
    failures: (isOver ? 0 : health.failures) + failures,
  };
}

function forgiven(health: Health, nowMs: number, settings: HealthConfig): Health {
  const isLongAgo = health.kind === 'up' && nowMs - health.changedMs >= 2 * settings.max_ejection;
  return isLongAgo ? { ...health, times: 0 } : health;
}

function backOff(times: number, { ejection, max_ejection }: HealthConfig): number {
  return Math.min(max_ejection, ejection * 2 ** Math.min(times, 30));
}

function out(health: Health, reason: OutReason, nowMs: number, ms: number, times: number): Health {
  return { ...health, kind: 'out', reason, untilMs: Math.max(health.kind === 'out' ? health.untilMs : 0, nowMs + ms), times, changedMs: nowMs }; // prettier-ignore
}

function up(health: Health, nowMs: number): Health {
  return { ...health, kind: 'up', changedMs: nowMs, consecutive: 0, requests: 0, failures: 0, windowStartMs: nowMs };
}
