/**
 * What a cascade leaves beside a request, as Envoy's dynamic metadata: what the answer must pass, what came of each attempt's check, and the
 * answers that did not pass. Nothing of a request is remembered in the router.
 */
import { isUtf8 } from 'node:buffer';
import { CASCADE_CHECKS, type CascadeCheck } from '../config/schema-cascade.ts';
import type { Cascade } from '../decision/decision.ts';
import type { AnswerUsage } from '../openai/response.ts';
import { isRecord } from '../record.ts';
import type { Wanted, WantedFormat } from './check.ts';

/** A cascade and the form that its request asked for. */
export type CarriedCascade = Cascade & Pick<Wanted, 'format'>;

export function encodeCascade(cascade: CarriedCascade): string {
  return JSON.stringify(cascade);
}

/** Null for what is none of ours: another version of the router may have written it. */
export function decodeCascade(text: unknown): CarriedCascade | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    return isCascade(value) ? value : null;
  } catch {
    return null;
  }
}

/** passed; unchecked: it could not be read; escalated: it failed and was to be asked for again; kept: it failed, and there was no room. */
export type CheckResult = 'passed' | 'unchecked' | 'escalated' | 'kept';

/** What came of the check of one attempt's answer. */
export interface CheckNote {
  readonly result: CheckResult;
  /** Null unless it failed. */
  readonly check: CascadeCheck | null;
  /** What the answer says it used; null where it does not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly totalTokens: number | null;
}

/** `RESULT CHECK PROMPT COMPLETION TOTAL`, with `-` for what there is not. */
export function encodeNote(result: CheckResult, check: CascadeCheck | null, usage: AnswerUsage | null): string {
  const counts = [usage?.promptTokens, usage?.completionTokens, usage?.totalTokens].map((count) => count ?? '-');
  return [result, check ?? '-', ...counts].join(' ');
}

/** Null for an attempt that has no note. `notes`: the namespace's entries, by attempt. */
export function noteOf(notes: Readonly<Record<string, unknown>> | undefined, attempt: number): CheckNote | null {
  const text = notes?.[String(attempt)];
  if (typeof text !== 'string') return null;
  const [first, second, ...counts] = text.split(' ');
  const result = RESULTS.find((one) => one === first);
  if (result === undefined) return null;
  const check = CASCADE_CHECKS.find((one) => one === second) ?? null;
  const [promptTokens = null, completionTokens = null, totalTokens = null] = counts.map(numberIn);
  return { result, check, promptTokens, completionTokens, totalTokens };
}

/** An answer that did not pass, and that may be given after all. */
export interface KeptAnswer {
  /** Whose answer it is. */
  readonly attempt: number;
  readonly check: CascadeCheck;
  readonly body: string;
}

export const KEPT_ATTEMPT = 'attempt';
export const KEPT_CHECK = 'check';
export const KEPT_BODY = 'body';

/** The entries of a kept answer; null where its bytes can't travel as text (they are not UTF-8, so no JSON either). */
export function encodeKept(
  attempt: number,
  check: CascadeCheck,
  body: Uint8Array,
): Readonly<Record<string, string>> | null {
  if (!isUtf8(body)) return null;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return { [KEPT_ATTEMPT]: String(attempt), [KEPT_CHECK]: check, [KEPT_BODY]: text };
}

/** Null where none was kept. */
export function decodeKept(kept: Readonly<Record<string, unknown>> | undefined): KeptAnswer | null {
  const body = kept?.[KEPT_BODY];
  const attempt = Number(kept?.[KEPT_ATTEMPT]);
  const check = CASCADE_CHECKS.find((one) => one === kept?.[KEPT_CHECK]);
  if (typeof body !== 'string' || check === undefined || !Number.isSafeInteger(attempt)) return null;
  return { attempt, check, body };
}

const RESULTS: readonly CheckResult[] = ['passed', 'unchecked', 'escalated', 'kept'];

function numberIn(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

const FORMATS: ReadonlySet<unknown> = new Set<WantedFormat['kind']>(['text', 'json', 'json_object', 'json_schema']);

function isCascade(value: unknown): value is CarriedCascade {
  return (
    isRecord(value) &&
    typeof value['route'] === 'string' &&
    Array.isArray(value['checks']) &&
    value['checks'].every((check) => CASCADE_CHECKS.some((known) => known === check)) &&
    (value['minMeanLogprob'] === null || typeof value['minMeanLogprob'] === 'number') &&
    ['maxShare', 'minEscalations', 'windowMs', 'maxAnswerBytes'].every((key) => typeof value[key] === 'number') &&
    isRecord(value['format']) &&
    FORMATS.has(value['format']['kind'])
  );
}
