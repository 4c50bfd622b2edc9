/**
 * What travels beside a request through Envoy, as dynamic metadata of the namespace `switchyard`: enough for a retry and for the usage
 * reader, so that neither needs a memory of the request and any router of a group can serve them.
 */
import type { ReasoningEdit, Target } from '../decision/decision.ts';
import { isRecord } from '../record.ts';
import { ATTEMPTS_NAMESPACE, LARGER_KEY } from './headers.ts';

export const CARRIED_NAMESPACE = 'switchyard';
export const CARRIED_KEY = 'plan';

/** One target of the plan, and what its later attempts need to know of it. */
export type CarriedTarget = Target & {
  /** What its endpoint is told about reasoning, the caller's own fields included. */
  readonly reasoningTold: boolean;
  /** A prompt that is too long for the first target goes to this one. */
  readonly largerWindow: boolean;
};

export interface Carried {
  readonly targets: readonly CarriedTarget[];
  /** True: the body goes to every target as it came. */
  readonly untouched: boolean;
  /** The note of the first rewrite (rewrite/note.ts); '' when it wrote no reasoning field. */
  readonly note: string;
  readonly callerReasoningWins: boolean;
  /** True: one of the targets had a key of its own when the plan was made, so an attempt may have put it into the request. */
  readonly keyed: boolean;
  /** The category that the log and the headers show; '' below the threshold. */
  readonly category: string;
  /** `x-request-id`; '' when there was none. */
  readonly requestId: string;
  /** When the whole request had come, Unix milliseconds with fractions. */
  readonly startedMs: number;
}

/** The plan that travels with a request, as Envoy went through it so far; null when none does (the router was not asked). */
export function carriedIn(metadata: ReadonlyMap<string, Readonly<Record<string, unknown>>>): Carried | null {
  const carried = decodeCarried(metadata.get(CARRIED_NAMESPACE)?.[CARRIED_KEY]);
  return carried === null ? null : asTried(carried, metadata.get(ATTEMPTS_NAMESPACE));
}

/** The value as one metadata string. */
export function encodeCarried(carried: Carried): string {
  return JSON.stringify(carried);
}

/**
 * The value of a metadata string, null when it isn't one of ours: clients can't write metadata, but another version of the router or
 * another filter may have.
 */
export function decodeCarried(text: unknown): Carried | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    return isCarried(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * The plan as Envoy went through it: where the prompt was too long for the first target, only those with a larger window came after that one.
 * `notes` are what Envoy noted of the attempts (envoy/attempts.ts); without them the plan is as it was.
 */
export function asTried(carried: Carried, notes: Readonly<Record<string, unknown>> | undefined): Carried {
  if (notes?.[LARGER_KEY] !== '1') return carried;
  const larger = carried.targets.filter(({ largerWindow }) => largerWindow);
  return larger.length === 0 ? carried : { ...carried, targets: [...carried.targets.slice(0, 1), ...larger] };
}

/** The target that serves this attempt (from 1) at this `ip:port`; the address decides, since Envoy skips entries that it doesn't know. */
export function targetOf(carried: Carried, address: string, attempt: number): CarriedTarget | null {
  const planned = carried.targets[attempt - 1];
  if (planned !== undefined && (address === '' || planned.address === address)) return planned;
  return carried.targets.find((target) => target.address === address) ?? null;
}

function isCarried(value: unknown): value is Carried {
  if (!isRecord(value) || typeof value['note'] !== 'string' || typeof value['category'] !== 'string') return false;
  if (typeof value['untouched'] !== 'boolean' || typeof value['callerReasoningWins'] !== 'boolean') return false;
  if (typeof value['keyed'] !== 'boolean') return false;
  if (typeof value['requestId'] !== 'string' || typeof value['startedMs'] !== 'number') return false;
  const targets = value['targets'];
  return Array.isArray(targets) && targets.every(isTarget);
}

function isTarget(value: unknown): boolean {
  return (
    isRecord(value) &&
    ['model', 'servedModel', 'endpoint', 'address'].every((key) => typeof value[key] === 'string') &&
    typeof value['reasoningTold'] === 'boolean' &&
    typeof value['largerWindow'] === 'boolean' &&
    isReasoningEdit(value['reasoning'])
  );
}

function isReasoningEdit(value: unknown): value is ReasoningEdit {
  if (!isRecord(value)) return false;
  if (value['kind'] === 'none') return true;
  if (typeof value['enabled'] !== 'boolean') return false;
  if (value['kind'] === 'chat_template_kwargs') return typeof value['parameter'] === 'string';
  return value['kind'] === 'reasoning_effort' && typeof value['effort'] === 'string';
}
