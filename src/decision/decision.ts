import type { ClassifierTier, DegradedReason } from '../signals/signals.ts';
import type { ReasoningDecision } from './entropy.ts';
import type { ApiError } from '../errors.ts';
import type { CascadeCheck } from '../config/schema-cascade.ts';

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
  /** May serve this request on any hop: policy, capabilities, the caller's limits, strict rules and health let it. */
  readonly admissible: boolean;
  /** What speaks against it, in the order of the stages. Those of stage `rule` and `objective` can also stand at an admissible candidate: it was passed over. */
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

/** A guard's finding that did not stop the request: kinds and scores, never text. */
export interface GuardFlag {
  readonly guard: 'jailbreak' | 'pii';
  readonly action: 'flag' | 'route' | 'block';
  /** 0..1; null for guards that find kinds. */
  readonly score: number | null;
  readonly threshold: number | null;
  readonly kinds: readonly string[];
}

/** Bounds that the choice had to keep; null where there is none. */
export interface Limits {
  /** Least expected quality, 0..1. */
  readonly qualityFloor: number | null;
  /** Highest expected cost of the request, USD. */
  readonly maxCostUsd: number | null;
  /** Highest expected time to the last token, milliseconds. */
  readonly maxLatencyMs: number | null;
  /** Highest expected time to the first token, milliseconds. */
  readonly maxTtftMs: number | null;
}

/** What the choice aimed at and where that came from. */
export interface ObjectiveView {
  readonly kind: ObjectiveKind;
  /** Where the kind was set: `default`, `objective`, `tenants.NAME`, `rules.NAME`, `alias`, `header` or `routing.objective`. */
  readonly source: string;
  /** The operator's limits. */
  readonly limits: Limits;
  /** The caller's limits, which narrow further. */
  readonly callerLimits: Limits;
  /** Operator's limits that no candidate kept and that were therefore given up, in that order. */
  readonly relaxed: readonly (keyof Limits)[];
}

export type ObjectiveKind = 'category' | 'quality' | 'cost' | 'latency' | 'balanced';

/** The request as the filters and rules saw it: numbers and closed words, never text. */
export interface SignalsView {
  readonly inputTokens: number;
  readonly inputTokensExact: boolean;
  /** Tokens of answer that were planned with, and where that number comes from. */
  readonly outputTokens: number;
  readonly outputTokensSource: string;
  /** What the request needs of a model: tools, vision, audio, files, json, logprobs, n. */
  readonly needs: readonly string[];
  /** 1 minus the mean probability that a model answers right, 0..1; null without that head. */
  readonly difficulty: number | null;
  readonly jailbreak: number | null;
  readonly piiKinds: readonly string[];
  readonly language: string | null;
  readonly turns: number;
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
  /** Who read the prompt for its category; null when nobody did. */
  readonly classifierTier: ClassifierTier | null;
  /** Null when a concrete model was named. */
  readonly objective: ObjectiveView | null;
  /** The rule that matched; null when none did. */
  readonly rule: string | null;
  /** The configured tenant; null when none was told. */
  readonly tenant: string | null;
  readonly flags: readonly GuardFlag[];
  /** Null when nobody read the prompt (a concrete model that no guard concerns). */
  readonly signals: SignalsView | null;
  /** Admissible models that may stand in, best first; the chosen one is not among them. */
  readonly fallbacks: readonly string[];
  /** One sentence: why this model and not the next. */
  readonly because: string;
  /** The caller asked for this object (`routing.trace`) and may have it. */
  readonly trace: boolean;
  /** Top-level members of the body that steer the router and are taken out before the endpoint sees it. */
  readonly stripFields: readonly string[];
  readonly notes: readonly string[];
}

/** A request that a policy stopped: what the log says beside the error. */
export interface Block {
  readonly event: 'security_block' | 'routing_block';
  /** `content_filter`: answer 200 with finish_reason content_filter in place of the error. */
  readonly form: 'error' | 'content_filter';
  readonly flags: readonly GuardFlag[];
  readonly rule: string | null;
  readonly tenant: string | null;
}

/** A decision, or the refusal that the client gets instead. */
export type DecisionOutcome =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly plan: Plan }
  | {
      readonly kind: 'refused';
      readonly error: ApiError;
      readonly reasonCode: string;
      readonly candidates: readonly Candidate[];
      /** Set when a policy, a guard or a rule stopped the request; null when it could not be routed for any other reason. */
      readonly block: Block | null;
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
  /** The answer is checked, and asked for again from the next model when it fails; absent: it is the answer whatever it says. */
  readonly cascade?: Cascade;
}

/** What an answer must pass, and how often failing it may cost a second answer. */
export interface Cascade {
  /** The traffic that the share is of: a rule's name, or `auto`. */
  readonly route: string;
  /** In the order in which they are asked. */
  readonly checks: readonly CascadeCheck[];
  /** Least mean log-probability of the tokens; null: none. */
  readonly minMeanLogprob: number | null;
  /** Share of the route's checked requests that may be escalated within the window, 0..1. */
  readonly maxShare: number;
  /** Requests within the window that may be escalated whatever the share is. */
  readonly minEscalations: number;
  readonly windowMs: number;
  /** Larger answers pass unchecked. */
  readonly maxAnswerBytes: number;
}
