import type { ModelEntry } from '../config/registry.ts';
import type { CategoryConfig } from '../config/schema.ts';
import type { EstimatesConfig } from '../config/schema-policy.ts';
import { expectedLength, type ModelObservation } from './observations.ts';
import type { Scored, ScoreTable } from './score-table.ts';

/** A number and where it comes from; null when nothing is known. */
export interface Estimate {
  readonly value: number | null;
  readonly source: string;
}

/** What one model is expected to do with one request. */
export interface Estimates {
  /** Expected quality of the answer, 0..1. */
  readonly quality: { readonly value: number; readonly source: string };
  readonly outputTokens: { readonly value: number; readonly source: string };
  /** Expected cost of the request, US dollars. */
  readonly costUsd: Estimate;
  /** Expected time to the first token, milliseconds. */
  readonly ttftMs: Estimate;
  /** Expected time to the last token, milliseconds. */
  readonly latencyMs: Estimate;
}

/** What is known of the request when models are compared for it. */
export interface EstimateContext {
  readonly settings: EstimatesConfig;
  readonly scores: ScoreTable;
  /** The category found, above the threshold. */
  readonly category: CategoryConfig | null;
  /** Its name, also where the config has no such category; '' below the threshold. */
  readonly categoryName: string;
  /** Every configured category that the prompt may belong to with its probability; used when no category is certain enough. */
  readonly mixture: readonly (readonly [CategoryConfig, number])[];
  /** 0..1; null when not predicted. */
  readonly difficulty: number | null;
  readonly inputTokens: number;
  readonly maxOutputTokens: number | null;
  /** Answers asked for (`n`). */
  readonly choices: number;
}

/** Probability mass that scored categories must have before their mixture says anything of a model. */
const LEAST_MASS = 0.5;

export function estimate(
  model: ModelEntry,
  context: EstimateContext,
  observation: ModelObservation | undefined,
): Estimates {
  const outputTokens = estimateLength(model, context, observation);
  const ttftMs = estimateTtft(model, context.settings, observation);
  return {
    quality: estimateQuality(model, context),
    outputTokens,
    costUsd: estimateCost(model, context, outputTokens.value),
    ttftMs,
    latencyMs: estimateLatency(model, context.settings, observation, ttftMs, outputTokens.value),
  };
}

/**
 * The model's score in the category, else its mean score over the categories that the prompt may belong to (when they have half the mass),
 * else `quality`, else its mean score over all categories, else the configured stand-in. A prompt of difficulty d turns a quality q into
 * q^(2^(2·strength·(d − reference))): the order of the models stays, a score of 1 stays, and weak models lose most on hard prompts.
 */
function estimateQuality(model: ModelEntry, context: EstimateContext): Estimates['quality'] {
  const base = baseQuality(model, context);
  const { difficulty_strength: strength, difficulty_reference: reference } = context.settings;
  if (context.difficulty === null || strength === 0) return base;
  const exponent = 2 ** (2 * strength * (context.difficulty - reference));
  return { value: base.value ** exponent, source: `${base.source}, for its difficulty` };
}

type QualityContext = Pick<EstimateContext, 'scores' | 'category' | 'categoryName' | 'mixture' | 'settings'>;

/** The expected quality of a model in a category before the difficulty of a prompt counts; grades count where the scores follow them. */
export function baseQuality(model: ModelEntry, context: QualityContext): Scored {
  const { scores, category } = context;
  const listed = category === null ? null : scores.entry(category, model.name);
  if (listed !== null) return { value: listed.score, source: listed.source };
  return scores.learnt(model.name, context.categoryName, generalQuality(model, context));
}

/** Where the category has no score for the model. */
function generalQuality(model: ModelEntry, context: QualityContext): Scored {
  const { scores, category, mixture } = context;
  if (category === null) {
    let sum = 0;
    let mass = 0;
    for (const [possible, probability] of mixture) {
      const entry = scores.entry(possible, model.name);
      if (entry === null) continue;
      sum += probability * entry.score;
      mass += probability;
    }
    if (mass >= LEAST_MASS) return { value: sum / mass, source: 'mean score of the probable categories' };
  }
  const general = model.config.quality;
  if (general !== undefined) return { value: general, source: `model_config.${model.name}.quality` };
  const mean = scores.mean(model.name);
  if (mean !== null) return { value: mean, source: 'mean score of all categories' };
  return { value: context.settings.quality, source: 'estimates.quality' };
}

function estimateLength(
  model: ModelEntry,
  context: EstimateContext,
  observation: ModelObservation | undefined,
): Estimates['outputTokens'] {
  const learnt = expectedLength(observation, context.category?.name ?? '', context.settings.output_tokens);
  const limit = Math.min(context.maxOutputTokens ?? Infinity, model.config.max_output_tokens ?? Infinity);
  const source = learnt.samples === 0 ? 'estimates.output_tokens' : `${learnt.samples} answers seen`;
  return learnt.tokens <= limit
    ? { value: learnt.tokens, source }
    : { value: limit, source: 'the maximum for the answer' };
}

function estimateCost(model: ModelEntry, context: EstimateContext, outputTokens: number): Estimate {
  const { pricing } = model.config;
  const prompt = pricing?.prompt_per_1m;
  const completion = pricing?.completion_per_1m;
  if (pricing === undefined || prompt === undefined || completion === undefined) {
    return { value: null, source: 'price unknown' };
  }
  const rate = usdPerUnit(pricing.currency, context.settings);
  if (rate === null) return { value: null, source: `no exchange rate for ${pricing.currency}` };
  const perMillion = context.inputTokens * prompt + outputTokens * context.choices * completion;
  return { value: (perMillion * rate) / 1e6, source: `model_config.${model.name}.pricing` };
}

/** US dollars for one unit of a currency; null without a configured rate. */
export function usdPerUnit(currency: string, settings: EstimatesConfig): number | null {
  if (currency.toUpperCase() === 'USD') return 1;
  return Object.hasOwn(settings.exchange_rates, currency) ? (settings.exchange_rates[currency] ?? null) : null;
}

function estimateTtft(
  model: ModelEntry,
  settings: EstimatesConfig,
  observation: ModelObservation | undefined,
): Estimate {
  if (observation !== undefined && isSeenEnough(observation, settings) && observation.ttftMs !== null) {
    return { value: observation.ttftMs, source: `${observation.latencySamples} answers seen` };
  }
  const configured = model.config.latency?.ttft_ms;
  return configured === undefined
    ? { value: null, source: 'latency unknown' }
    : { value: configured, source: `model_config.${model.name}.latency` };
}

function estimateLatency(
  model: ModelEntry,
  settings: EstimatesConfig,
  observation: ModelObservation | undefined,
  ttft: Estimate,
  outputTokens: number,
): Estimate {
  const isSeen = observation !== undefined && isSeenEnough(observation, settings);
  const rate = (isSeen ? observation.tokensPerS : null) ?? model.config.latency?.tokens_per_s;
  if (ttft.value === null || rate === undefined) return { value: null, source: 'latency unknown' };
  return { value: ttft.value + (outputTokens / rate) * 1000, source: ttft.source };
}

function isSeenEnough(observation: ModelObservation, settings: EstimatesConfig): boolean {
  return observation.latencySamples >= settings.min_samples;
}
