import { BUILT_IN_LABELS } from '../../src/config/classifier.ts';
import type { DegradedReason, EncodeOutcome, Encoder, Encoding } from '../../src/signals/signals.ts';

/** The contract's labels, in their order. */
export const LABELS = BUILT_IN_LABELS;

export interface FakeEncoderOptions {
  /** Distributions by exact text; other texts are read by `probabilitiesOf`. */
  readonly answers?: Readonly<Record<string, readonly number[]>>;
  /** Fails every text with this reason. */
  readonly fail?: DegradedReason;
  /** How long one text takes; default: answers in the same turn of the event loop. */
  readonly delayMs?: number;
  readonly jailbreak?: number;
  readonly withoutEmbedding?: boolean;
}

/** An encoder, and what it was asked. */
export interface FakeEncoder extends Encoder {
  readonly seen: string[];
  /** Most texts that were being encoded at one time. */
  peak(): number;
}

/** An encoder without a model: the same text always gets the same vectors, a text that names a category gets that category. */
export function createFakeEncoder(options: FakeEncoderOptions = {}): FakeEncoder {
  const seen: string[] = [];
  let running = 0;
  let peak = 0;
  const encode = async (text: string): Promise<EncodeOutcome> => {
    seen.push(text);
    running += 1;
    peak = Math.max(peak, running);
    if (options.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.delayMs));
    running -= 1;
    if (options.fail !== undefined) return { kind: 'failed', reason: options.fail };
    return { kind: 'encoded', encoding: encodingOf(text, options) };
  };
  return { labels: LABELS, difficultyLabels: [], seen, peak: () => peak, encode };
}

/** What the fake says of a text. */
export function encodingOf(text: string, options: FakeEncoderOptions): Encoding {
  return {
    tier: 'encoder',
    categoryProbabilities: options.answers?.[text] ?? probabilitiesOf(text),
    difficulty: null,
    jailbreak: options.jailbreak ?? null,
    embedding: options.withoutEmbedding === true ? null : embeddingOf(text),
    tokens: text.split(/\s+/).length + 2,
    truncated: false,
    memoised: false,
  };
}

/** 0.87 for the first label that the text names and 0.01 for each other; an even distribution when it names none. */
export function probabilitiesOf(text: string): readonly number[] {
  const named = LABELS.findIndex((label) => text.toLowerCase().includes(label));
  if (named < 0) return LABELS.map(() => 1 / LABELS.length);
  return LABELS.map((_, index) => (index === named ? 0.87 : 0.01));
}

/** A unit vector of 384 numbers drawn from the text's characters. */
export function embeddingOf(text: string): Float32Array {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0;
  const vector = new Float32Array(384);
  for (let index = 0; index < vector.length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vector[index] = state / 2 ** 32 - 0.5;
  }
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
