import type { ChatRequest } from '../openai/request.ts';
import { UNSEARCHED_TEXT } from './pii/finding.ts';
import {
  PII_SLICE_CHARACTERS,
  PII_TEXT_COST,
  planLookups,
  startPiiSearch,
  type PiiFinding,
  type PiiKind,
} from './pii.ts';

/** Findings of one request that are told one by one; past them only a kind that is new, or surer than before, changes anything. */
const MAX_FINDINGS = 1000;
/**
 * The longest that a request is held for the search, turns of others included. A body of 32 MiB of prose takes a tenth of it, one that is made
 * to take long several times as much. The handler's own time limit is later: past that one the failure mode would decide, and no guard.
 */
export const PII_SEARCH_MS = 1000;

export interface PiiSearchInput {
  /** Lets the event loop take a turn, between the slices of a large text. */
  readonly pause: () => Promise<unknown>;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Aborts when nobody waits for the findings any more. */
  readonly signal: AbortSignal;
}

/**
 * Personal data in all text of a request, whoever wrote it: every message goes to the endpoint. Offsets are those of each text part. All of
 * the text is searched, however much is found: a thousand allowed addresses hide nothing behind them. A text that can't be searched within
 * PII_SEARCH_MS is told as such: the last finding is then UNSEARCHED_TEXT, from the first character that was not reached to the end of its part.
 */
export async function piiOfRequest(
  request: Pick<ChatRequest, 'messages'>,
  { pause, clock, signal }: PiiSearchInput,
): Promise<readonly PiiFinding[]> {
  const findings: PiiFinding[] = [];
  const surest = new Map<PiiKind, number>();
  const plans = planLookups();
  const start = clock();
  let sinceTurn = 0;
  for (const message of request.messages) {
    for (const { text } of message.parts) {
      if (text === '') continue;
      sinceTurn += PII_TEXT_COST;
      const search = startPiiSearch(text, plans);
      for (let to = 0; to < text.length;) {
        const from = to;
        to = Math.min(text.length, from + PII_SLICE_CHARACTERS);
        sinceTurn += to - from;
        if (sinceTurn > PII_SLICE_CHARACTERS + PII_TEXT_COST) {
          await pause();
          sinceTurn = to - from;
          if (signal.aborted || clock() - start > PII_SEARCH_MS) return [...findings, unsearched(from, text.length)];
        }
        for (const finding of search.advance(to)) {
          const isNews = finding.confidence > (surest.get(finding.kind) ?? 0);
          if (isNews) surest.set(finding.kind, finding.confidence);
          if (isNews || findings.length < MAX_FINDINGS) findings.push(finding);
        }
      }
    }
  }
  return findings;
}

/** Sure, so that no `min_confidence` passes it over. */
function unsearched(start: number, end: number): PiiFinding {
  return { kind: UNSEARCHED_TEXT, start, end, confidence: 1 };
}
