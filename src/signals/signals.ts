import type { PiiFinding } from './pii.ts';
import type { Shape } from './shape.ts';

/** What the encoder said about one prompt. Probabilities are calibrated (temperature folded into the model). */
export interface Encoding {
  /** Category probabilities, in the order of `Encoder.labels`; they sum to 1. */
  readonly categoryProbabilities: readonly number[];
  /** Probability that a model of each difficulty tier answers right, as the manifest's `difficulty` labels order them; null without that head. */
  readonly difficulty: readonly number[] | null;
  /** Probability of a jailbreak attempt, 0..1; null when the model has no such head. */
  readonly jailbreak: number | null;
  /** Mean-pooled, L2-normalised sentence embedding [384]; null when the model has no such output. */
  readonly embedding: Float32Array | null;
  /** Tokens that went through the encoder, special tokens included. */
  readonly tokens: number;
  /** True when the text was longer than the window and its middle was left out. */
  readonly truncated: boolean;
  /** True when the answer came from the memo and no forward pass was made. */
  readonly memoised: boolean;
}

/** Why there is no encoding. Each is a label of the degraded counter. */
export type DegradedReason =
  'no_text' | 'deadline' | 'queue_full' | 'encoder_error' | 'encoder_unavailable' | 'unsupported_language';

/** Everything that is known about one request before a model is chosen. */
export interface Signals {
  readonly encoding: Encoding | null;
  /** Set when there is no encoding: the decision then rests on heuristics and the default. */
  readonly degraded: DegradedReason | null;
  /** Category labels, in the order of `encoding.categoryProbabilities`. */
  readonly labels: readonly string[];
  /** The encoder's `labelThresholds`. */
  readonly labelThresholds?: readonly number[] | undefined;
  readonly pii: readonly PiiFinding[];
  readonly shape: Shape;
}

/** The encoder as the core sees it. `encode` never rejects: a failure is an answer. */
export interface Encoder {
  readonly labels: readonly string[];
  /** By label: the probability below which the model itself does not trust the label, 0..1; absent without such limits. */
  readonly labelThresholds?: readonly number[] | undefined;
  readonly difficultyLabels: readonly string[];
  encode(text: string, options: { readonly deadlineMs: number; readonly signal?: AbortSignal }): Promise<EncodeOutcome>;
}

export type EncodeOutcome =
  | { readonly kind: 'encoded'; readonly encoding: Encoding }
  | { readonly kind: 'failed'; readonly reason: DegradedReason };
