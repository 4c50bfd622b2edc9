import type { PiiFinding } from './pii.ts';
import type { Shape } from './shape.ts';

/** Who read the prompt: the encoder, or the table of tokens that stands in for it. */
export type ClassifierTier = 'encoder' | 'static';

/** What was read out of one prompt. Probabilities are calibrated (temperature folded into the model). */
export interface Encoding {
  /** `static`: category probabilities alone, of lower quality. */
  readonly tier: ClassifierTier;
  /** Category probabilities, in the order of `Encoder.labels`; they sum to 1. */
  readonly categoryProbabilities: readonly number[];
  /** Probability that a model of each difficulty tier answers right, as the manifest's `difficulty` labels order them; null without that head. */
  readonly difficulty: readonly number[] | null;
  /** Probability of a jailbreak attempt, 0..1; null when the model has no such head. */
  readonly jailbreak: number | null;
  /** Mean-pooled, L2-normalised sentence embedding [384]; null when the model has no such output. */
  readonly embedding: Float32Array | null;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  /** True when the text was longer than the window and its middle was left out. */
  readonly truncated: boolean;
  /** True when the answer came from the memo and no forward pass was made. */
  readonly memoised: boolean;
}

/** Why the encoder gave no encoding. Each is a label of the degraded counter. */
export type DegradedReason =
  'no_text' | 'deadline' | 'queue_full' | 'encoder_error' | 'encoder_unavailable' | 'unsupported_language';

/** The encoder was asked and failed. Nothing to read, or a language that it does not know, is no failure: there is no data. */
export function isEncoderFailure(degraded: DegradedReason | null): boolean {
  switch (degraded) {
    case 'deadline':
    case 'queue_full':
    case 'encoder_error':
    case 'encoder_unavailable':
      return true;
    case 'no_text':
    case 'unsupported_language':
    case null:
      return false;
  }
}

/** Everything that is known about one request before a model is chosen. */
export interface Signals {
  readonly encoding: Encoding | null;
  /** Set when the encoder gave none: the decision then rests on the table of tokens, where there is one, on heuristics and the default. */
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
  /** What the model's table of tokens says, at once and on this thread; null for a text without tokens. Absent: the model has no table. */
  readonly glance?: (text: string) => Encoding | null;
}

export type EncodeOutcome =
  | { readonly kind: 'encoded'; readonly encoding: Encoding }
  | {
      readonly kind: 'failed';
      readonly reason: DegradedReason;
      /** What `glance` would say, where the text was tokenised already. */
      readonly standIn?: () => Encoding | null;
    };
