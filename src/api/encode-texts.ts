import type { DegradedReason, Encoder, Encoding } from '../signals/signals.ts';
import type { Lane } from './lane.ts';

/** One text's encoding and the time it took, waiting included; or why there is none. */
export type EncodedText =
  | { readonly kind: 'encoded'; readonly encoding: Encoding; readonly ms: number }
  | { readonly kind: 'failed'; readonly reason: DegradedReason | 'overloaded'; readonly index: number };

export interface EncodeTexts {
  readonly encoder: Encoder;
  readonly lane: Lane;
  readonly clock: () => number;
  readonly signal: AbortSignal;
}

/** Texts of one request that ask for a turn at a time. */
export const BATCH_WIDTH = 2;
/** API callers wait longer than routed requests may, but not for ever. */
const DEADLINE_MS = 10_000;
/** A full queue empties in milliseconds; after this many tries the encoder is not keeping up at all. */
const MAX_TRIES = 5;
const RETRY_AFTER_MS = 25;
/** Answers from the memo come without a turn of the event loop: after this much work in one go, others get theirs. */
const MAX_BUSY_MS = 10;

/**
 * Encodes texts in order, BATCH_WIDTH at a time, and hands each result to `take` as it comes. The first failure that is not the text's own
 * (`unsupported_language`, `no_text`) stops the rest and is returned; null means that all texts were taken.
 */
export async function encodeTexts(
  texts: readonly string[],
  take: (index: number, result: EncodedText) => void,
  options: EncodeTexts,
): Promise<Extract<EncodedText, { kind: 'failed' }> | null> {
  let next = 0;
  let stopped: Extract<EncodedText, { kind: 'failed' }> | null = null;
  let busySince = options.clock();
  const worker = async () => {
    while (next < texts.length && stopped === null) {
      const index = next;
      next += 1;
      const result = await encodeOne(texts[index] ?? '', index, options);
      if (result.kind === 'failed' && !isOwnFault(result.reason)) stopped ??= result;
      else take(index, result);
      if (options.clock() - busySince > MAX_BUSY_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        busySince = options.clock();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(BATCH_WIDTH, texts.length) }, worker));
  return stopped;
}

async function encodeOne(text: string, index: number, options: EncodeTexts): Promise<EncodedText> {
  const { encoder, lane, clock, signal } = options;
  const start = clock();
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await lane.run(() => encoder.encode(text, { deadlineMs: DEADLINE_MS, signal }), signal);
    if (outcome === null) return { kind: 'failed', reason: 'overloaded', index };
    if (outcome.kind === 'encoded') return { kind: 'encoded', encoding: outcome.encoding, ms: clock() - start };
    if (outcome.reason !== 'queue_full' || attempt === MAX_TRIES)
      return { kind: 'failed', reason: outcome.reason, index };
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS * attempt));
  }
}

/** Failures that say something about one text and nothing about the next. */
function isOwnFault(reason: DegradedReason | 'overloaded'): boolean {
  return reason === 'no_text' || reason === 'unsupported_language';
}
