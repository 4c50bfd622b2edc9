import { maskPii, PII_SLICE_CHARACTERS, type PiiFinding, type PiiSearch } from '../signals/pii.ts';
import { elapsedMs, failure, json, type Answer } from './answer.ts';
import type { PiiBody } from './bodies.ts';
import type { ApiDependencies } from './dependencies.ts';

/** Findings of one text that are listed; the kinds and the mask are of all of them. */
const MAX_LISTED = 1000;
type StartSearch = (text: string) => PiiSearch;

/** POST /api/v1/classify/pii: what personal data is in a text, where, and the text without it. Offsets are UTF-16 code units. */
export async function classifyPii(body: PiiBody, signal: AbortSignal, dependencies: ApiDependencies): Promise<Answer> {
  const { clock, startPiiSearch } = dependencies;
  if (startPiiSearch === null) return noDetector();
  const start = clock();
  const isMasked = body.options?.mask !== false;
  const kinds = new Set<string>();
  const listed: PiiFinding[] = [];
  let count = 0;
  let masked = '';
  let maskedTo = 0;
  await searchInTurns(body.text, signal, startPiiSearch, (findings) => {
    for (const { kind } of findings) kinds.add(kind);
    listed.push(...findings.slice(0, MAX_LISTED - listed.length));
    count += findings.length;
    if (!isMasked) return;
    const end = findings.at(-1)?.end ?? maskedTo;
    const shifted = findings.map((one) => ({ ...one, start: one.start - maskedTo, end: one.end - maskedTo }));
    masked += maskPii(body.text.slice(maskedTo, end), shifted);
    maskedTo = end;
  });
  return json({
    kinds: [...kinds],
    findings: listed.map(({ kind, start: from, end, confidence }) => ({ kind, start: from, end, confidence })),
    finding_count: count,
    ...(isMasked ? { masked_text: masked + body.text.slice(maskedTo) } : {}),
    processing_time_ms: elapsedMs(clock, start),
  });
}

/** One entry of a batch: the kind of the surest finding, or no_pii. */
export interface PiiBatchEntry {
  readonly category: string;
  readonly confidence: number;
  readonly processing_time_ms: number;
}

/** Searches the texts of a batch in order. */
export async function findInBatch(
  texts: readonly string[],
  signal: AbortSignal,
  { clock, startPiiSearch }: { readonly clock: () => number; readonly startPiiSearch: StartSearch },
): Promise<PiiBatchEntry[]> {
  const results: PiiBatchEntry[] = [];
  for (const text of texts) {
    const start = clock();
    let best: PiiFinding | null = null;
    await searchInTurns(text, signal, startPiiSearch, (findings) => {
      best = findings.reduce((top, one) => (one.confidence > (top?.confidence ?? 0) ? one : top), best);
    });
    const found = best as PiiFinding | null;
    results.push({
      category: found?.kind ?? 'no_pii',
      confidence: found?.confidence ?? 1,
      processing_time_ms: elapsedMs(clock, start),
    });
  }
  return results;
}

/** Hands on what is found slice by slice; ends early when nobody waits any more. */
async function searchInTurns(
  text: string,
  signal: AbortSignal,
  startSearch: StartSearch,
  take: (findings: readonly PiiFinding[]) => void,
): Promise<void> {
  const search = startSearch(text);
  for (let to = 0; to < text.length && !signal.aborted;) {
    to = Math.min(text.length, to + PII_SLICE_CHARACTERS);
    take(search.advance(to));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The answer where personal data can't be looked for. */
export function noDetector(): Answer {
  return failure(501, 'NOT_SUPPORTED_BY_MODEL', 'No detector of personal data is loaded.');
}
