import type { Registry } from '../config/registry.ts';
import type { ModelConfig } from '../config/schema.ts';
import type { Usage } from '../decision/observations.ts';
import type { Observation, ResponseStart } from '../extproc/machine-events.ts';
import { AnswerReader, answerFormat, type AnswerFacts } from '../openai/response.ts';
import type { Answered } from '../outcomes/recent.ts';
import { carriedIn, targetOf } from '../rewrite/carried.ts';
import { CONTENT_ENCODING, CONTENT_TYPE } from '../rewrite/headers.ts';
import { logUsage, type UsageEvent } from './events.ts';
import type { Log } from './log.ts';
import { measureError, modelLabel } from './metrics-decision.ts';
import type { Metrics } from './metrics.ts';
import { safeRequestId } from './record.ts';

export interface UsageOptions {
  /** Unix milliseconds with fractions, of a clock that never goes back. */
  readonly unixMs: () => number;
  readonly registry: () => Registry;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Hears of each whole answer: what the decision learns lengths and latencies from. */
  readonly onUsage?: (usage: Usage) => void;
  /** Hears of each whole answer to a request that was routed by its content: what can be graded later. */
  readonly onAnswer?: (answer: Answered) => void;
}

/** An answer that is being watched. */
interface Watched {
  /** '' when the request had none. */
  readonly requestId: string;
  readonly startedMs: number;
  readonly model: string;
  readonly category: string;
  /** The model was chosen by content, not named by the client. */
  readonly routed: boolean;
  readonly status: number;
  readonly stream: boolean;
  readonly reader: AnswerReader;
}

/**
 * Makes the listener of one observed stream: what it sees of a routed request's answer ends in one `llm_usage` line and the token, cost and
 * latency metrics. Answers that no plan stands behind (local replies, the model list) are passed over; an error answer counts as an
 * error and has no usage.
 */
export function createUsageListener(options: UsageOptions): (observation: Observation) => void {
  const { unixMs } = options;
  let watched: Watched | null = null;
  let firstDataMs: number | null = null;
  // Another router's clock may have stamped the request.
  const since = ({ startedMs }: Watched): number => Math.max(0, unixMs() - startedMs);
  return (observation) => {
    switch (observation.kind) {
      case 'response':
        watched = watch(observation, options);
        break;
      case 'chunk':
        if (watched === null) break;
        watched.reader.push(observation.body);
        if (watched.reader.hasData) firstDataMs ??= since(watched);
        break;
      case 'end':
        if (watched !== null) {
          report(options, watched, { latencyMs: since(watched), firstDataMs, isCut: observation.how === 'cut' });
        }
        watched = null;
        break;
      case 'request':
      case 'first_byte':
        break;
    }
  };
}

function watch(response: ResponseStart, options: UsageOptions): Watched | null {
  const plan = carriedIn(response.metadata);
  if (plan === null) return null;
  const attempt = Number(response.attributes.get('upstream.request_attempt_count') ?? 1);
  const target = targetOf(plan, response.attributes.get('upstream.address') ?? '', attempt);
  // No endpoint answered: Envoy did.
  if (target === null) return null;
  const status = Number(response.headers.get(':status') ?? 0);
  if (status < 200 || status > 299) {
    measureError(options.metrics, options.registry(), target.model, `upstream_${status >= 500 ? '5xx' : '4xx'}`);
    return null;
  }
  const format = answerFormat(response.headers.get(CONTENT_TYPE) ?? '', response.headers.get(CONTENT_ENCODING));
  const { model } = target;
  return {
    requestId: plan.requestId,
    startedMs: plan.startedMs,
    model,
    category: plan.category,
    routed: !plan.untouched,
    status,
    stream: format === 'sse',
    reader: new AnswerReader(format),
  };
}

interface Timing {
  readonly latencyMs: number;
  readonly firstDataMs: number | null;
  readonly isCut: boolean;
}

function report(options: UsageOptions, watched: Watched, timing: Timing): void {
  const { model, category, status, stream, reader } = watched;
  const requestId = safeRequestId(watched.requestId);
  const facts = reader.facts();
  const registry = options.registry();
  const cost = costOf(facts, registry.models.get(model)?.config.pricing);
  // A stream that ended without its [DONE] was cut by the endpoint, even when the connection closed in order.
  const isCut = timing.isCut || (stream && !facts.complete);
  const event: UsageEvent = {
    request_id: requestId,
    model,
    prompt_tokens: facts.promptTokens,
    completion_tokens: facts.completionTokens,
    total_tokens: facts.totalTokens,
    completion_latency_ms: steps(timing.latencyMs),
    ttft_ms: timing.firstDataMs === null ? null : steps(timing.firstDataMs),
    ...(cost ?? {}),
    status,
    stream,
    cut_short: isCut,
  };
  logUsage(options.log, event);
  measureUsage(options.metrics, modelLabel(registry, model), event);
  if (!isCut && !facts.failed) {
    const { completion_tokens: completionTokens, ttft_ms: ttftMs, completion_latency_ms: completionLatencyMs } = event;
    options.onUsage?.({ model, category, completionTokens, ttftMs, completionLatencyMs });
    if (watched.routed && requestId !== null) options.onAnswer?.({ requestId, model, category });
  }
  if (isCut) measureError(options.metrics, registry, model, 'answer_cut');
  else if (facts.failed) measureError(options.metrics, registry, model, 'answer_failed');
}

/** Prices are per million tokens. Null unless every token that was used has a price: unknown is not free. */
export function costOf(
  facts: Pick<AnswerFacts, 'promptTokens' | 'completionTokens' | 'totalTokens'>,
  pricing: ModelConfig['pricing'],
): { readonly cost: number; readonly currency: string } | null {
  if (pricing === undefined || facts.promptTokens === null) return null;
  // Embeddings report no completion tokens, and a total that is the prompt's.
  const completionTokens = facts.completionTokens ?? (facts.totalTokens === facts.promptTokens ? 0 : null);
  if (completionTokens === null) return null;
  const prompt = price(facts.promptTokens, pricing.prompt_per_1m);
  const completion = price(completionTokens, pricing.completion_per_1m);
  return prompt === null || completion === null ? null : { cost: prompt + completion, currency: pricing.currency };
}

function price(tokens: number, perMillion: number | undefined): number | null {
  if (tokens === 0) return 0;
  return perMillion === undefined ? null : (tokens * perMillion) / 1e6;
}

/** The token, cost and latency counters of one answer; `model` is its label. */
export function measureUsage(metrics: Metrics, model: string, event: UsageEvent): void {
  const { prompt_tokens: prompt, completion_tokens: completion } = event;
  metrics.observe('llm_model_completion_latency_seconds', event.completion_latency_ms / 1000, { model });
  if (event.ttft_ms !== null) metrics.observe('llm_model_ttft_seconds', event.ttft_ms / 1000, { model });
  metrics.add('llm_model_tokens_total', event.total_tokens ?? 0, { model });
  if (prompt !== null) {
    metrics.add('llm_model_prompt_tokens_total', prompt, { model });
    metrics.observe('llm_prompt_tokens_per_request', prompt, { model });
  }
  if (completion !== null) {
    metrics.add('llm_model_completion_tokens_total', completion, { model });
    metrics.observe('llm_completion_tokens_per_request', completion, { model });
    if (completion > 0) {
      metrics.observe('llm_model_tpot_seconds', event.completion_latency_ms / 1000 / completion, { model });
    }
  }
  if (event.cost !== undefined && event.currency !== undefined) {
    metrics.add('llm_model_cost_total', event.cost, { model, currency: event.currency });
  }
}

/** In steps of 1 µs. */
function steps(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
