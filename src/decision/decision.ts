import type { DegradedReason } from '../signals/signals.ts';
import type { ReasoningDecision } from './entropy.ts';
import type { ApiError } from '../errors.ts';

/** Why a candidate is out. `stage` says which step dropped it; `reason` is a closed code, `detail` a sentence for people. */
export interface Rejection {
  readonly stage: 'policy' | 'capability' | 'health' | 'rule' | 'caller' | 'objective';
  readonly reason: string;
  readonly detail: string;
}

/** One part of a candidate's score and where its number comes from. */
export interface ScorePart {
  readonly name: string;
  readonly value: number | null;
  readonly source: string;
}

/** One configured model as the decision saw it. */
export interface Candidate {
  readonly model: string;
  readonly admissible: boolean;
  readonly rejections: readonly Rejection[];
  /** Higher is better; null when the candidate was not scored. */
  readonly score: number | null;
  readonly parts: readonly ScorePart[];
  readonly notes: readonly string[];
}

/** What the request is about, as the log and the headers show it. */
export interface CategoryView {
  /** '' below the threshold. */
  readonly name: string;
  /** The most probable label, even below the threshold; null without an encoding. */
  readonly top: string | null;
  /** p of the most probable label, 0..1; null without an encoding. */
  readonly confidence: number | null;
  readonly entropyBits: number | null;
  readonly entropyNormalized: number | null;
  readonly entropyLevel: string | null;
  readonly topCategories: readonly { readonly category: string; readonly probability: number }[];
}

/** The system prompt to inject; null when none. */
export interface SystemPromptChoice {
  readonly text: string;
  readonly mode: 'replace' | 'insert';
  readonly source: string;
}

/** What was decided about one request and why. Prints as JSON: the same object for the log, `explain` and the API. */
export interface Decision {
  readonly schemaVersion: 1;
  readonly policyVersion: string;
  /** A rule's name, `auto` or `model_specified`. */
  readonly decision: string;
  readonly reasonCode: string;
  readonly originalModel: string;
  readonly selectedModel: string;
  readonly category: CategoryView;
  /** Null when a concrete model was named: nothing was decided about reasoning. */
  readonly reasoning: ReasoningDecision | null;
  /** What the reasoning field will say: effort for effort families when on; null otherwise. */
  readonly reasoningEffort: string | null;
  readonly systemPrompt: SystemPromptChoice | null;
  readonly candidates: readonly Candidate[];
  readonly degraded: DegradedReason | null;
  readonly objective: string;
  readonly notes: readonly string[];
}

/** A decision, or the refusal that the client gets instead. */
export type DecisionOutcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly plan: Plan }
  | {
      readonly kind: 'refused';
      readonly error: ApiError;
      readonly reasonCode: string;
      readonly candidates: readonly Candidate[];
    };

/** One attempt: this model at this endpoint, with these edits. */
export interface Target {
  readonly model: string;
  /** The name that the endpoint knows the model by (`served_model_name`, else the model's own). */
  readonly servedModel: string;
  /** The endpoint's configured name. */
  readonly endpoint: string;
  /** `ip:port`, resolved; IPv6 in brackets. */
  readonly address: string;
  readonly reasoning: ReasoningEdit;
}

/** What to write for the model's reasoning family. `none`: the model has no family, write nothing. */
export type ReasoningEdit =
  | { readonly kind: 'none' }
  | { readonly kind: 'chat_template_kwargs'; readonly parameter: string; readonly enabled: boolean }
  | { readonly kind: 'reasoning_effort'; readonly enabled: boolean; readonly effort: string };

/** Ordered targets: entry n serves attempt n. Never empty. */
export interface Plan {
  readonly targets: readonly [Target, ...Target[]];
  /** True: the body goes out byte for byte (a concrete model was named). */
  readonly untouched: boolean;
}
