/** What became of each attempt at one request, read from what Envoy's filters noted of it. Pure. */
import { noteOf } from '../cascade/carried.ts';
import type { CascadeCheck } from '../config/schema-cascade.ts';
import type { Target } from '../decision/decision.ts';

/**
 * How an attempt ended. `no_answer`: the connection was refused or broke before the response headers; `timeout`: the time to the first byte
 * passed; `escalated:CHECK`: the answer did not pass a cascade's check and was asked for again; `answered`: any other answer, an error of the
 * client's included.
 */
export type AttemptCause =
  'answered' | 'no_answer' | 'timeout' | '5xx' | '429' | 'context_length' | `escalated:${CascadeCheck}`;

export interface Attempt {
  /** From 1. */
  readonly attempt: number;
  readonly target: Target;
  readonly cause: AttemptCause;
  /** HTTP status of the endpoint; null when it gave none. */
  readonly status: number | null;
  /** Milliseconds to the response headers, or until the attempt was given up (the back-off before the next one included). */
  readonly latencyMs: number | null;
  /** The endpoint's Retry-After in seconds; null without one. */
  readonly retryAfterS: number | null;
}

export interface AttemptsSeen {
  /** Entries of the attempts' namespace: see envoy/attempts.ts for their form. Empty where that filter does not run. */
  readonly notes: Readonly<Record<string, unknown>>;
  /** Entries of the checks' namespace (cascade/carried.ts); absent: no answer was checked. */
  readonly checks?: Readonly<Record<string, unknown>> | undefined;
  /** How many attempts there were. */
  readonly count: number;
  /** Status of what the client gets. */
  readonly status: number;
  /** Envoy's `response.code_details`; '' when it does not say. */
  readonly details: string;
  /** When the last attempt ended, Unix milliseconds. */
  readonly nowMs: number;
  /** `timeouts.first_byte`. */
  readonly firstByteMs: number;
}

/** More attempts than any plan has. */
const MAX_ATTEMPTS = 64;
/** An attempt that was given up this much before the time to the first byte was given up because of it, clocks being what they are. */
const CLOCK_SLACK_MS = 20;

/** The attempts in order; those whose target is not in the plan are left out. */
export function readAttempts(targets: readonly Target[], seen: AttemptsSeen): readonly Attempt[] {
  const count = Math.min(MAX_ATTEMPTS, Math.max(1, Math.floor(seen.count) || 1));
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((attempt) => {
    const target = targets[attempt - 1];
    return target === undefined ? [] : [{ attempt, target, ...ended(attempt, count, seen) }];
  });
}

/** Whether the endpoint is to blame. A client's bad request, or a prompt that is too long, says nothing of it. */
export function isFailure(cause: AttemptCause): boolean {
  return cause === 'no_answer' || cause === 'timeout' || cause === '5xx';
}

function ended(attempt: number, count: number, seen: AttemptsSeen): Omit<Attempt, 'attempt' | 'target'> {
  const note = readNote(seen.notes[String(attempt)]);
  if (note?.status != null) {
    const latencyMs = note.endMs === null ? null : note.endMs - note.startMs;
    // Where no further attempt was made, the client got it after all.
    const failed = attempt < count ? noteOf(seen.checks, attempt) : null;
    const isEscalated = failed?.result === 'escalated' && failed.check !== null;
    return {
      cause: isEscalated ? `escalated:${failed.check}` : causeOf(note.status, note.isContextLength),
      status: note.status,
      latencyMs,
      retryAfterS: note.retryAfterS,
    };
  }
  const isLast = attempt === count;
  // Without notes the client's own answer tells of the last attempt, if an endpoint gave it.
  if (isLast && note === null && (seen.details === '' || seen.details === 'via_upstream')) {
    return { cause: causeOf(seen.status, false), status: seen.status, latencyMs: null, retryAfterS: null };
  }
  const endMs = isLast ? seen.nowMs : (readNote(seen.notes[String(attempt + 1)])?.startMs ?? null);
  const latencyMs = note === null || endMs === null ? null : Math.max(0, endMs - note.startMs);
  const isLate = isLast
    ? /timeout/.test(seen.details)
    : latencyMs !== null && latencyMs >= seen.firstByteMs - CLOCK_SLACK_MS;
  return { cause: isLate ? 'timeout' : 'no_answer', status: null, latencyMs, retryAfterS: null };
}

function causeOf(status: number, isContextLength: boolean): AttemptCause {
  if (isContextLength) return 'context_length';
  if (status === 429) return '429';
  return status >= 500 ? '5xx' : 'answered';
}

interface Note {
  readonly startMs: number;
  readonly endMs: number | null;
  readonly status: number | null;
  readonly retryAfterS: number | null;
  readonly isContextLength: boolean;
}

/** `START` or `START END STATUS RETRY_AFTER CAUSE`. */
function readNote(value: unknown): Note | null {
  if (typeof value !== 'string') return null;
  const [start, end, status, retryAfter, cause] = value.split(' ');
  const startMs = numberIn(start);
  if (startMs === null) return null;
  return {
    startMs,
    endMs: numberIn(end),
    status: numberIn(status),
    retryAfterS: numberIn(retryAfter),
    isContextLength: cause === 'context_length',
  };
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
