/** Checks the answers of cascades as Envoy shows them, and says which are to be asked for again. */
import type { CascadeCheck } from '../config/schema-cascade.ts';
import type { CheckOutcome } from '../extproc/handlers.ts';
import type { ResponseStart } from '../extproc/machine-events.ts';
import { answerFormat } from '../openai/response.ts';
import { carriedIn, targetOf } from '../rewrite/carried.ts';
import {
  CASCADE_NAMESPACE,
  CASCADE_WANTED,
  CHECKED_NAMESPACE,
  CONTENT_ENCODING,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  KEPT_NAMESPACE,
  SWITCHYARD_ESCALATE,
} from '../rewrite/headers.ts';
import { decodeCascade, encodeKept, encodeNote, noteOf, type CarriedCascade, type CheckResult } from './carried.ts';
import { checkAnswer } from './check.ts';
import type { Shares } from './share.ts';

/** One answer that was looked at. */
export interface CheckEvent {
  readonly route: string;
  /** The configured name of the model that gave it. */
  readonly model: string;
  readonly result: CheckResult;
  /** Null unless it failed. */
  readonly check: CascadeCheck | null;
}

export interface CheckerOptions {
  readonly shares: Shares;
  readonly onChecked: (event: CheckEvent) => void;
  /** The first answer of a route that is kept for want of room, once a window. */
  readonly onCapped: (route: string, maxShare: number) => void;
}

export interface Checker {
  /** Whether this answer's body is to be held back and checked. */
  readonly wantsCheck: (response: ResponseStart) => boolean;
  /** What becomes of an answer; null: it goes on as it came. */
  readonly check: (response: ResponseStart, body: Uint8Array) => CheckOutcome | null;
}

const ATTEMPT_ATTRIBUTE = 'upstream.request_attempt_count';
const ADDRESS_ATTRIBUTE = 'upstream.address';

export function createChecker({ shares, onChecked, onCapped }: CheckerOptions): Checker {
  return {
    wantsCheck: (response) => {
      const attempt = readAttempt(response);
      if (attempt === null || !isFine(response)) return false;
      if (isReadable(response, attempt.cascade.maxAnswerBytes)) return true;
      onChecked({ ...who(attempt), result: 'unchecked', check: null });
      return false;
    },
    check: (response, body) => {
      const attempt = readAttempt(response);
      if (attempt === null) return null;
      const { cascade } = attempt;
      const { verdict, usage } = checkAnswer(body, cascade);
      const check = verdict.kind === 'failed' ? verdict.check : null;
      // The share is one of requests: a second answer is no second request, and it may be escalated as the first one was.
      const isFirst = !wasEscalated(response, attempt.number);
      if (isFirst && verdict.kind !== 'unreadable') shares.count(cascade.route, cascade);
      const result = resultOf(verdict.kind, cascade, isFirst);
      onChecked({ ...who(attempt), result, check });
      const checked = { [String(attempt.number)]: encodeNote(result, check, usage) };
      if (result !== 'escalated' || check === null) {
        return { setHeaders: [], removeHeaders: [SWITCHYARD_ESCALATE], metadata: { [CHECKED_NAMESPACE]: checked } };
      }
      const kept = isWorthKeeping(check, response, attempt.number) ? encodeKept(attempt.number, check, body) : null;
      return {
        setHeaders: [{ name: SWITCHYARD_ESCALATE, value: check }],
        removeHeaders: [],
        metadata: { [CHECKED_NAMESPACE]: checked, ...(kept === null ? {} : { [KEPT_NAMESPACE]: kept }) },
      };
    },
  };

  function resultOf(
    verdict: 'passed' | 'failed' | 'unreadable',
    cascade: CarriedCascade,
    isFirst: boolean,
  ): CheckResult {
    if (verdict === 'unreadable') return 'unchecked';
    if (verdict === 'passed') return 'passed';
    if (!isFirst) return 'escalated';
    const room = shares.escalate(cascade.route, cascade);
    if (room === 'refused_first') onCapped(cascade.route, cascade.maxShare);
    return room === 'granted' ? 'escalated' : 'kept';
  }
}

interface AttemptSeen {
  readonly cascade: CarriedCascade;
  /** From 1. */
  readonly number: number;
  readonly model: string;
}

/** Null where nothing is to be checked: no cascade, or no other model behind this attempt. */
function readAttempt({ attributes, metadata }: ResponseStart): AttemptSeen | null {
  const cascade = decodeCascade(metadata.get(CASCADE_NAMESPACE)?.[CASCADE_WANTED]);
  const plan = carriedIn(metadata);
  if (cascade === null || plan === null) return null;
  const number = Number(attributes.get(ATTEMPT_ATTRIBUTE) ?? 1);
  const target = targetOf(plan, attributes.get(ADDRESS_ATTRIBUTE) ?? '', number);
  const next = plan.targets[number];
  if (target === null || next === undefined || next.model === target.model) return null;
  return { cascade, number, model: target.model };
}

function who({ cascade, model }: AttemptSeen): Pick<CheckEvent, 'route' | 'model'> {
  return { route: cascade.route, model };
}

function isFine({ headers }: ResponseStart): boolean {
  const status = Number(headers.get(':status'));
  return status >= 200 && status < 300;
}

/** JSON of a known, small length. A stream is none, and one that is compressed could only be read by its client. */
function isReadable({ headers }: ResponseStart, maxBytes: number): boolean {
  const bytes = Number(headers.get(CONTENT_LENGTH) ?? Number.NaN);
  const format = answerFormat(headers.get(CONTENT_TYPE) ?? '', headers.get(CONTENT_ENCODING));
  return format === 'json' && bytes > 0 && bytes <= maxBytes;
}

function wasEscalated({ metadata }: ResponseStart, attempt: number): boolean {
  const notes = metadata.get(CHECKED_NAMESPACE);
  for (let earlier = 1; earlier < attempt; earlier += 1) {
    if (noteOf(notes, earlier)?.result === 'escalated') return true;
  }
  return false;
}

/** Of several that did not pass, the one that a client can do most with is kept; the later of two alike, since it comes from the better model. */
const WORTH: readonly CascadeCheck[] = ['empty', 'refusal', 'invalid_json', 'truncated', 'low_confidence'];

function isWorthKeeping(check: CascadeCheck, { metadata }: ResponseStart, attempt: number): boolean {
  const notes = metadata.get(CHECKED_NAMESPACE);
  for (let earlier = 1; earlier < attempt; earlier += 1) {
    const kept = noteOf(notes, earlier)?.check ?? null;
    if (kept !== null && WORTH.indexOf(kept) > WORTH.indexOf(check)) return false;
  }
  return true;
}
