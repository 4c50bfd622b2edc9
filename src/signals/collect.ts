import { inTurns } from '../openai/pace.ts';
import type { ChatRequest } from '../openai/request.ts';
import { judgedText, type JudgedText } from './judged-text.ts';
import { detectLanguage } from './language.ts';
import { piiOfRequest } from './pii-of-request.ts';
import { shapeSteps } from './shape.ts';
import { isEncoderFailure, type EncodeOutcome, type Encoder, type Encoding, type Signals } from './signals.ts';

export interface CollectSignals {
  readonly request: ChatRequest;
  /** Null when no encoder is running. */
  readonly encoder: Encoder | null;
  /** Time for all of it, in milliseconds; what the reading takes is taken off the encoder's share. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** What the decision will read; nothing else is collected. */
  readonly needs: { readonly encoder: boolean; readonly pii: boolean };
  /** Lets the event loop take a turn, between the slices of a large text. */
  readonly pause: () => Promise<unknown>;
}

/**
 * Everything that is known about a request before a model is chosen. Never rejects: where the encoder gave no encoding `degraded` says why, and
 * the model's table of tokens, if it has one, stands in when the encoder failed. One encoder call a request; none for a text that the encoder
 * can't judge, and no guess at it either.
 */
export async function collectSignals(input: CollectSignals): Promise<Signals> {
  const start = input.clock();
  const judged = judgedText(input.request);
  const newest = judged?.newest ?? '';
  const language = detectLanguage(newest);
  const shape = await inTurns(shapeSteps(input.request, newest, language.code), input.pause);
  // What the encoder would read decides, so that a short "sí" after an English question is still judged by the question.
  const read = judged === null || judged.text === newest ? language : detectLanguage(judged.text);
  const deadlineMs = input.deadlineMs - (input.clock() - start);
  // The search runs on this thread while the encoder works on its own.
  const [outcome, pii] = await Promise.all([
    input.needs.encoder ? encode(judged, read.unsupported, { ...input, deadlineMs }) : NOT_ASKED,
    input.needs.pii ? piiOfRequest(input.request, input) : [],
  ]);
  return {
    encoding: outcome.kind === 'encoded' ? outcome.encoding : standIn(outcome, judged, input),
    degraded: outcome.kind === 'failed' ? outcome.reason : null,
    labels: input.encoder?.labels ?? [],
    labelThresholds: input.encoder?.labelThresholds,
    pii,
    shape,
  };
}

/** The table's glance at the text. When nobody waits for the answer any more, nobody reads it either. */
function standIn(
  outcome: Exclude<Read, { kind: 'encoded' }>,
  judged: JudgedText | null,
  { encoder, signal }: CollectSignals,
): Encoding | null {
  if (outcome.kind !== 'failed' || !isEncoderFailure(outcome.reason) || judged === null || signal.aborted) return null;
  return outcome.standIn === undefined ? (encoder?.glance?.(judged.text) ?? null) : outcome.standIn();
}

type Read = EncodeOutcome | typeof NOT_ASKED;

/** The decision doesn't read the encoding: that is no failure. */
const NOT_ASKED = { kind: 'not_asked' } as const;

async function encode(judged: JudgedText | null, unsupported: boolean, input: CollectSignals): Promise<EncodeOutcome> {
  if (unsupported) return { kind: 'failed', reason: 'unsupported_language' };
  return encodeJudged(judged, input);
}

async function encodeJudged(judged: JudgedText | null, input: CollectSignals): Promise<EncodeOutcome> {
  const { encoder, deadlineMs, signal } = input;
  if (judged === null) return { kind: 'failed', reason: 'no_text' };
  if (encoder === null) return { kind: 'failed', reason: 'encoder_unavailable' };
  return encoder.encode(judged.text, { deadlineMs, signal });
}
