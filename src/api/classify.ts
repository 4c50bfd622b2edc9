import type { Registry } from '../config/registry.ts';
import { viewCategory } from '../decision/category.ts';
import type { DecisionOutcome } from '../decision/decision.ts';
import { isRecord } from '../record.ts';
import type { DegradedReason, Encoding } from '../signals/signals.ts';
import { elapsedMs, failure, json, type Answer } from './answer.ts';
import type { BatchBody, IntentBody } from './bodies.ts';
import type { ApiDependencies, TextDecision } from './dependencies.ts';
import { encodeTexts, type EncodedText } from './encode-texts.ts';
import type { Lanes } from './lane.ts';
import { findInBatch, noDetector } from './pii.ts';

/**
 * POST /api/v1/classify/intent. `category` is the most probable one even below the threshold; `recommended_model` comes from the decision
 * that the request path would make, so it is the default model below the threshold and null when no endpoint could take the request.
 */
export async function classifyIntent(
  body: IntentBody,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<Answer> {
  const { clock } = dependencies;
  const start = clock();
  const judged = await judgeText(body.text, signal, { dependencies, lanes });
  if (judged.kind === 'refused') return judged.answer;
  const { signals, encoding, outcome } = judged;
  const registry = dependencies.registry();
  const view = viewCategory(signals, registry);
  if (view.top === null || view.confidence === null) return notClassified('encoder_error');
  const threshold = body.options?.confidence_threshold ?? registry.config.classifier.category_model.threshold;
  const decision = outcome.kind === 'decided' ? outcome.decision : null;
  const { labels } = signals;
  return json({
    classification: {
      category: view.top,
      confidence: view.confidence,
      processing_time_ms: elapsedMs(clock, start),
    },
    // Listed unless the caller declines: the classic router leaves them out by default, and readers of it ignore what they did not ask for.
    ...(body.options?.return_probabilities === false
      ? {}
      : { probabilities: byLabel(labels, encoding.categoryProbabilities) }),
    recommended_model: decision?.selectedModel ?? null,
    routing_decision: routingDecision(view.confidence, threshold),
    entropy: { value: view.entropyBits, normalized: view.entropyNormalized, level: view.entropyLevel },
    reasoning: decision?.reasoning ?? null,
    ...(body.options?.include_explanation === true ? { explanation: explain(outcome, registry) } : {}),
  });
}

/**
 * One text as the request path sees it, with what the encoder says of it; or the answer when the encoder was not heard: a routed request must
 * go somewhere at once, who asks here can ask again.
 */
export async function judgeText(
  text: string,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<
  | (TextDecision & { readonly kind: 'judged'; readonly encoding: Encoding })
  | { readonly kind: 'refused'; readonly answer: Answer }
> {
  const decided = await lanes.interactive.run(() => dependencies.decideText(text, signal), signal);
  if (decided === null) return { kind: 'refused', answer: overloaded() };
  const { encoding, degraded } = decided.signals;
  if (encoding?.tier === 'encoder') return { kind: 'judged', encoding, ...decided };
  return { kind: 'refused', answer: notClassified(degraded ?? 'encoder_unavailable') };
}

/** The classic router's two words. */
function routingDecision(confidence: number, threshold: number): string {
  return confidence >= threshold ? 'high_confidence_specialized' : 'low_confidence_general';
}

function explain(outcome: DecisionOutcome, registry: Registry): unknown {
  if (outcome.kind === 'refused') {
    return { policy_version: registry.version, refused: outcome.reasonCode, candidates: outcome.candidates };
  }
  const { decision, plan } = outcome;
  return {
    policy_version: decision.policyVersion,
    decision: decision.decision,
    reason_code: decision.reasonCode,
    category: decision.category.name,
    top_categories: decision.category.topCategories,
    reasoning_effort: decision.reasoningEffort,
    candidates: decision.candidates,
    endpoints: plan.targets.map((target) => target.endpoint),
    notes: decision.notes,
  };
}

/** One entry of a batch's results, before its time is added. */
interface BatchResult {
  readonly category: string;
  readonly confidence: number;
  readonly probabilities?: Readonly<Record<string, number>>;
}

/** POST /api/v1/classify/batch: the texts' categories in order, a few at a time so that routing and /health do not wait for them. */
export async function classifyBatch(
  body: BatchBody,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<Answer> {
  const { clock, startPiiSearch } = dependencies;
  const start = clock();
  const registry = dependencies.registry();
  if (body.task_type === 'pii') {
    if (startPiiSearch === null) return noDetector();
    const found = await findInBatch(body.texts, signal, { clock, startPiiSearch });
    return batchAnswer(found, body, registry, elapsedMs(clock, start));
  }
  const encoder = dependencies.encoder();
  if (encoder === null) return notClassified('encoder_unavailable');
  const judge =
    body.task_type === 'security'
      ? judgeSecurity(registry.config.guards.jailbreak.threshold)
      : judgeIntent(encoder.labels, body);
  // Null where the model has no output for this task.
  const results: (BatchEntry | null)[] = [];
  const failed = await encodeTexts(
    body.texts,
    (index, encoded) => {
      const result = encoded.kind === 'encoded' ? judge(encoded.encoding) : UNCLASSIFIED;
      const ms = encoded.kind === 'encoded' ? roundMs(encoded.ms) : 0;
      results[index] = result === null ? null : { ...result, processing_time_ms: ms };
    },
    { encoder, lane: lanes.background, clock, signal },
  );
  if (failed !== null) return encodingFailed(failed);
  const classified = results.filter((result) => result !== null);
  if (classified.length < results.length) {
    return failure(501, 'NOT_SUPPORTED_BY_MODEL', `The loaded model has no output for task_type "${body.task_type}".`);
  }
  return batchAnswer(classified, body, registry, elapsedMs(clock, start));
}

interface BatchEntry extends BatchResult {
  readonly processing_time_ms: number;
}

/** A text that the model has no answer for, such as one in a language that it does not know. */
const UNCLASSIFIED: BatchResult = { category: '', confidence: 0 };

type Judge = (encoding: Extract<EncodedText, { kind: 'encoded' }>['encoding']) => BatchResult | null;

function judgeIntent(labels: readonly string[], body: BatchBody): Judge {
  return ({ categoryProbabilities }) => {
    const confidence = Math.max(...categoryProbabilities);
    const category = labels[categoryProbabilities.indexOf(confidence)] ?? '';
    return body.options?.return_probabilities === true
      ? { category, confidence, probabilities: byLabel(labels, categoryProbabilities) }
      : { category, confidence };
  };
}

/** The guard's own threshold draws the line; `confidence` is the probability of the category that is named. */
function judgeSecurity(threshold: number): Judge {
  return ({ jailbreak }) => {
    if (jailbreak === null) return null;
    return jailbreak >= threshold
      ? { category: 'jailbreak', confidence: jailbreak }
      : { category: 'safe', confidence: 1 - jailbreak };
  };
}

function batchAnswer(
  results: readonly BatchEntry[],
  body: BatchBody,
  registry: Registry,
  processingMs: number,
): Answer {
  const threshold = body.options?.confidence_threshold ?? registry.config.classifier.category_model.threshold;
  const distribution = new Map<string, number>();
  let sum = 0;
  for (const { category, confidence } of results) {
    distribution.set(category, (distribution.get(category) ?? 0) + 1);
    sum += confidence;
  }
  return json({
    results,
    total_count: results.length,
    processing_time_ms: processingMs,
    statistics: {
      category_distribution: Object.fromEntries(distribution),
      avg_confidence: sum / results.length,
      low_confidence_count: results.filter((result) => result.confidence < threshold).length,
    },
  });
}

function byLabel(labels: readonly string[], probabilities: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(labels.map((label, index) => [label, probabilities[index] ?? 0]));
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The answer when the texts of one request could not be encoded. */
export function encodingFailed(failed: Extract<EncodedText, { kind: 'failed' }>): Answer {
  return failed.reason === 'overloaded' ? overloaded() : notClassified(failed.reason);
}

export function overloaded(): Answer {
  return failure(503, 'OVERLOADED', 'Too many texts are waiting for the encoder; try again.', {
    headers: { 'retry-after': '1' },
  });
}

/**
 * The answer to a body of more texts than one request may have, else null. Asked before anything looks at the single texts: a body has room
 * for millions of them, and a list of what is wrong with each would hold the event loop for minutes.
 */
export function refuseTooManyTexts(body: unknown, limit: number): Answer | null {
  const texts: unknown = isRecord(body) ? body['texts'] : undefined;
  if (!Array.isArray(texts) || texts.length <= limit) return null;
  const count = texts.length;
  return failure(
    413,
    'TOO_MANY_TEXTS',
    `texts: ${count} texts; at most ${limit} in one request (limits.batch_texts in the config).`,
  );
}

/** The answer when the encoder gave none. */
export function notClassified(reason: DegradedReason): Answer {
  switch (reason) {
    case 'no_text':
      return failure(400, 'INVALID_INPUT', 'text: there is nothing in it to classify.');
    case 'unsupported_language':
      return failure(422, 'UNSUPPORTED_LANGUAGE', 'The loaded model does not know the language of this text.');
    case 'deadline':
    case 'queue_full':
    case 'encoder_error':
    case 'encoder_unavailable':
      return failure(503, 'CLASSIFIER_UNAVAILABLE', `The classifier gave no answer: ${reason}.`, {
        headers: { 'retry-after': '1' },
        details: { reason },
      });
  }
}
