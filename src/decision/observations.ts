/** What was seen of the models' answers. A plain value: whoever hears of an answer folds it in, the decision only reads. */
export type Observations = ReadonlyMap<string, ModelObservation>;

export interface ModelObservation {
  /** Smoothed time to the first token, milliseconds; null until one was seen. */
  readonly ttftMs: number | null;
  /** Smoothed tokens a second after the first; null until seen. */
  readonly tokensPerS: number | null;
  readonly latencySamples: number;
  /** Mean completion tokens by category name ('' for none). */
  readonly outputTokens: ReadonlyMap<string, { readonly mean: number; readonly samples: number }>;
}

/** One answer as `llm_usage` tells of it. Null where it is not known. */
export interface Usage {
  readonly model: string;
  /** '' when the request had no category. */
  readonly category: string;
  readonly completionTokens: number | null;
  readonly ttftMs: number | null;
  readonly completionLatencyMs: number | null;
}

export const NOTHING_OBSERVED: Observations = new Map();

/** Weight of the newest answer in the smoothed latency: about the last twenty answers count. */
const SMOOTHING = 0.1;
/** Answers after which the mean length follows new answers no slower. */
const MAX_SAMPLES = 500;
/** Answers that the prior length weighs as much as. */
const PRIOR_SAMPLES = 20;
/** Below this a rate is mostly noise: the answer came in one piece. */
const MIN_RATE_TOKENS = 8;

/** The observations with one more answer in them. Models and categories are the config's, so the value stays small. */
export function observe(before: Observations, usage: Usage): Observations {
  const old = before.get(usage.model) ?? { ttftMs: null, tokensPerS: null, latencySamples: 0, outputTokens: new Map() };
  const rate = tokensPerSecond(usage);
  const hasLatency = usage.ttftMs !== null && rate !== null;
  return new Map(before).set(usage.model, {
    ttftMs: smoothed(old.ttftMs, usage.ttftMs),
    tokensPerS: smoothed(old.tokensPerS, rate),
    latencySamples: Math.min(MAX_SAMPLES, old.latencySamples + (hasLatency ? 1 : 0)),
    outputTokens: withLength(old.outputTokens, usage),
  });
}

/** Expected completion tokens: the observed mean of the model in this category, drawn towards the prior while few answers were seen. */
export function expectedLength(
  observation: ModelObservation | undefined,
  category: string,
  prior: number,
): { readonly tokens: number; readonly samples: number } {
  const seen = observation?.outputTokens.get(category);
  if (seen === undefined) return { tokens: prior, samples: 0 };
  const tokens = (prior * PRIOR_SAMPLES + seen.mean * seen.samples) / (PRIOR_SAMPLES + seen.samples);
  return { tokens, samples: seen.samples };
}

function tokensPerSecond({ completionTokens, completionLatencyMs, ttftMs }: Usage): number | null {
  if (completionTokens === null || completionLatencyMs === null || ttftMs === null) return null;
  const seconds = (completionLatencyMs - ttftMs) / 1000;
  return completionTokens >= MIN_RATE_TOKENS && seconds > 0 ? (completionTokens - 1) / seconds : null;
}

function smoothed(before: number | null, seen: number | null): number | null {
  if (seen === null || !Number.isFinite(seen)) return before;
  return before === null ? seen : before + SMOOTHING * (seen - before);
}

function withLength(before: ModelObservation['outputTokens'], usage: Usage): ModelObservation['outputTokens'] {
  const { completionTokens, category } = usage;
  if (completionTokens === null || !Number.isFinite(completionTokens) || completionTokens < 0) return before;
  const old = before.get(category) ?? { mean: 0, samples: 0 };
  const samples = Math.min(MAX_SAMPLES, old.samples + 1);
  return new Map(before).set(category, { mean: old.mean + (completionTokens - old.mean) / samples, samples });
}
