import type { Registry } from '../config/registry.ts';
import type { Decision, DecisionOutcome, Target } from '../decision/decision.ts';
import type { Signals } from '../signals/signals.ts';
import type { Metrics } from './metrics.ts';

/** One routing, for the counters. */
export interface RoutingMeasurement {
  readonly registry: Registry;
  readonly signals: Signals | null;
  readonly outcome: DecisionOutcome;
  readonly routingLatencyMs: number;
  /** From handing the text to the encoder to its answer; null when it was not asked. */
  readonly classificationMs: number | null;
  readonly bodyBytes: number;
}

/** Moves every counter that one routed or refused request touches. About 15 updates, a few microseconds. */
export function measureRouting(metrics: Metrics, routing: RoutingMeasurement): void {
  metrics.observe('llm_model_routing_latency_seconds', routing.routingLatencyMs / 1000);
  metrics.observe('switchyard_request_body_bytes', routing.bodyBytes);
  if (routing.classificationMs !== null) {
    metrics.observe('llm_classifier_latency_seconds', routing.classificationMs / 1000, { classifier: 'category' });
    metrics.observe('llm_entropy_classification_latency_seconds', routing.classificationMs / 1000);
  }
  const encoding = routing.signals?.encoding ?? null;
  if (encoding?.tier === 'encoder') {
    metrics.inc('switchyard_encoder_memo_lookups_total', { result: encoding.memoised ? 'hit' : 'miss' });
    metrics.observe('switchyard_encoder_tokens', encoding.tokens);
  }
  measurePii(metrics, routing);
  if (routing.outcome.kind === 'refused') {
    measureError(metrics, routing.registry, null, routing.outcome.reasonCode);
    return;
  }
  const { decision, plan } = routing.outcome;
  measureDecision(metrics, routing.registry, decision, plan.targets[0]);
}

/** Each model that personal data ruled out, by the kinds that it may not see. */
function measurePii(metrics: Metrics, { registry, signals, outcome }: RoutingMeasurement): void {
  const kinds = new Set(signals?.pii.map(({ kind }) => kind));
  if (kinds.size === 0) return;
  const { candidates } = outcome.kind === 'refused' ? outcome : outcome.decision;
  for (const { model, rejections } of candidates) {
    if (!rejections.some(({ reason }) => reason === 'pii_not_allowed')) continue;
    const { pii_types_allowed = [] } = registry.models.get(model)?.config.pii_policy ?? {};
    const allowed = new Set(pii_types_allowed.map((kind) => kind.toUpperCase()));
    for (const kind of kinds) {
      if (!allowed.has(kind)) {
        metrics.inc('llm_pii_violations_total', { model: modelLabel(registry, model), pii_type: kind });
      }
    }
  }
}

function measureDecision(metrics: Metrics, registry: Registry, decision: Decision, target: Target): void {
  const model = modelLabel(registry, decision.selectedModel);
  metrics.inc('llm_model_requests_total', { model });
  metrics.inc('llm_routing_reason_codes_total', { reason_code: decision.reasonCode, model });
  if (decision.originalModel !== decision.selectedModel) {
    const source = modelLabel(registry, decision.originalModel);
    metrics.inc('llm_model_routing_modifications_total', { source_model: source, target_model: model });
  }
  if (decision.degraded !== null) {
    metrics.inc('switchyard_degraded_total', { reason: decision.degraded });
    const strategy = decision.reasoning?.strategy ?? 'unspecified';
    metrics.inc('llm_entropy_fallback_usage_total', {
      fallback_reason: decision.degraded,
      fallback_strategy: strategy,
    });
  }
  if (decision.reasoning !== null) {
    metrics.inc('switchyard_classifications_total', { tier: decision.classifierTier ?? 'none' });
  }
  measureClassification(metrics, decision);
  measureReasoning(metrics, registry, decision, target);
}

function measureClassification(metrics: Metrics, { category, reasoning, classifierTier }: Decision): void {
  if (category.top === null) return;
  const method = classifierTier === 'static' ? 'static_table' : 'entropy_based';
  if (category.name !== '') metrics.inc('llm_category_classifications_count', { category: category.name });
  if (category.confidence !== null) {
    const labels = { category: category.top, classification_method: method };
    metrics.observe('llm_classification_confidence', category.confidence, labels);
  }
  if (category.entropyBits !== null) {
    const labels = { category: category.top, classification_type: method };
    metrics.observe('llm_entropy_values', category.entropyBits, labels);
  }
  if (reasoning !== null) {
    metrics.inc('llm_entropy_classification_decisions_total', {
      uncertainty_level: category.entropyLevel ?? 'unknown',
      reasoning_enabled: String(reasoning.enabled),
      decision_reason: reasoning.reason,
      top_category: category.top,
    });
  }
}

function measureReasoning(metrics: Metrics, registry: Registry, decision: Decision, target: Target): void {
  if (decision.reasoning === null) return;
  const model = registry.models.get(decision.selectedModel);
  const effort = effortLabel(decision.reasoningEffort);
  metrics.inc('llm_reasoning_decisions_total', {
    category: decision.category.name === '' ? 'unknown' : decision.category.name,
    model: modelLabel(registry, decision.selectedModel),
    enabled: String(decision.reasoning.enabled),
    effort,
  });
  if (target.reasoning.kind === 'none') return;
  const family = model?.config.reasoning_family ?? 'unknown';
  const param = target.reasoning.kind === 'chat_template_kwargs' ? target.reasoning.parameter : 'reasoning_effort';
  metrics.inc('llm_reasoning_template_usage_total', { family, param });
  if (decision.reasoningEffort !== null) metrics.inc('llm_reasoning_effort_usage_total', { family, effort });
}

/** Counts a request that ended in an error; `model` null when none was chosen. */
export function measureError(metrics: Metrics, registry: Registry, model: string | null, reason: string): void {
  metrics.inc('llm_request_errors_total', { model: modelLabel(registry, model ?? ''), reason });
}

/** The model's name if the config or an alias knows it, else "unknown": clients can't make new series. */
export function modelLabel(registry: Registry, model: string): string {
  return registry.models.has(model) || registry.aliases.has(model) ? model : 'unknown';
}

/** Efforts of OpenAI's API and of the reasoning families that are built in; any other word may be the caller's. */
const EFFORTS = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

function effortLabel(effort: string | null): string {
  if (effort === null) return 'unspecified';
  return EFFORTS.has(effort) ? effort : 'other';
}
