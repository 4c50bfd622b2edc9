import type { Decision, DecisionOutcome, GuardFlag, Plan } from '../decision/decision.ts';
import type { Signals } from '../signals/signals.ts';
import type { Log } from './log.ts';

/** What is known of one request when its routing ends. */
export interface RecordInput {
  /** The `x-request-id`; null when there was none. */
  readonly requestId: string | null;
  /** W3C trace id; null when the request is not part of a trace. */
  readonly traceId?: string | null;
  /** The model that the client asked for; null when the request could not be read that far. */
  readonly originalModel: string | null;
  /** False for a name that is neither an alias nor configured: then it is the client's free text and is not repeated. */
  readonly modelIsKnown: boolean;
  readonly signals: Signals | null;
  readonly outcome: DecisionOutcome;
  readonly policyVersion: string;
  readonly routingLatencyMs: number;
  /** The text that was judged. Given only when the config says `log.prompts: true`. */
  readonly prompt?: string;
}

/**
 * What we say about one request: the fields of docs/logs.md, in that order. Redacted by construction: it is built from names in the config,
 * closed codes and numbers, and no field can hold text of the prompt (but `prompt`, which exists only where the config asks for it).
 */
export interface RoutingRecord {
  readonly msg: 'routing_decision';
  readonly event: 'routing_decision';
  readonly reason_code: string;
  readonly request_id: string | null;
  readonly original_model: string | null;
  readonly selected_model: string | null;
  /** '' below the threshold; null when nothing was classified. */
  readonly category: string | null;
  readonly reasoning_enabled: boolean | null;
  readonly reasoning_effort: string | null;
  /** `ip:port` of the first target. */
  readonly selected_endpoint: string | null;
  readonly routing_latency_ms: number;
  /** p of the most probable category, 0..1. */
  readonly confidence: number | null;
  /** Bits. */
  readonly entropy: number | null;
  readonly entropy_level: string | null;
  readonly reasoning_confidence: number | null;
  readonly reasoning_reason: string | null;
  readonly strategy: string | null;
  readonly top_categories: readonly { readonly category: string; readonly probability: number }[] | null;
  readonly policy_version: string;
  /** Why the encoder was not heard; absent when it was. */
  readonly degraded?: string;
  // From here on the fields are ours.
  /** A rule's name, `auto` or `model_specified`; null for a refusal. */
  readonly decision: string | null;
  /** What the choice aimed at: category, quality, cost, latency or balanced; null for a concrete model. */
  readonly objective: string | null;
  /** One sentence: why this model and not the next. Made from names in the config and numbers. */
  readonly because: string | null;
  /** The configured tenant; null when none was told. */
  readonly tenant: string | null;
  /** What guards found and did not stop: kinds and scores; absent when they found nothing. */
  readonly guards?: readonly GuardFlag[];
  /** The configured name of the first target's endpoint. */
  readonly endpoint_name: string | null;
  /** How many targets the plan lists. */
  readonly targets: number;
  readonly system_prompt: boolean;
  readonly stream: boolean | null;
  /** `encoder`, or `static` when the table of tokens stood in for it; null when nothing was classified. */
  readonly classifier_tier: string | null;
  /** Tokens that the encoder read; null without an encoding. */
  readonly encoder_tokens: number | null;
  /** True when the encoder read only the beginning and the end of the text. */
  readonly truncated: boolean | null;
  readonly memoised: boolean | null;
  /** HTTP status of a refusal; absent when the request was routed. */
  readonly status?: number;
  readonly trace_id?: string;
  readonly prompt?: string;
}

/** Client-chosen strings are cut to this many characters. */
const MAX_CLIENT_TEXT = 128;
/** What request ids look like (UUIDs, ULIDs, trace ids, anything URL-safe). Others are the client's free text. */
const REQUEST_ID = /^[\w.:@/+=-]{1,128}$/;
const EFFORT = /^[\w.-]{1,32}$/;

/** Builds the record of one routed or refused request. Numbers keep their precision but the latency, which is in steps of 1 µs. */
export function buildRecord(input: RecordInput): RoutingRecord {
  const { outcome, signals } = input;
  const decision = outcome.kind === 'decided' ? outcome.decision : null;
  const plan = outcome.kind === 'decided' ? outcome.plan : null;
  return {
    msg: 'routing_decision',
    event: 'routing_decision',
    reason_code: outcome.kind === 'decided' ? outcome.decision.reasonCode : outcome.reasonCode,
    request_id: safeRequestId(input.requestId),
    original_model: originalModel(input),
    ...decidedFields(decision, plan),
    routing_latency_ms: Math.round(input.routingLatencyMs * 1000) / 1000,
    ...classifiedFields(decision),
    policy_version: input.policyVersion,
    ...(decision?.degraded == null ? {} : { degraded: decision.degraded }),
    decision: decision?.decision ?? null,
    objective: decision?.objective?.kind ?? null,
    because: decision?.because ?? null,
    tenant: decision?.tenant ?? null,
    ...(decision === null || decision.flags.length === 0 ? {} : { guards: decision.flags }),
    endpoint_name: plan?.targets[0].endpoint ?? null,
    targets: plan?.targets.length ?? 0,
    system_prompt: decision?.systemPrompt != null,
    stream: signals?.shape.stream ?? null,
    classifier_tier: decision?.classifierTier ?? null,
    ...encodingFields(signals),
    ...(outcome.kind === 'refused' ? { status: outcome.error.status } : {}),
    ...(input.traceId == null ? {} : { trace_id: input.traceId }),
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
  };
}

function encodingFields(signals: Signals | null) {
  const encoding = signals?.encoding?.tier === 'encoder' ? signals.encoding : null;
  return {
    encoder_tokens: encoding?.tokens ?? null,
    truncated: encoding?.truncated ?? null,
    memoised: encoding?.memoised ?? null,
  };
}

function decidedFields(decision: Decision | null, plan: Plan | null) {
  const category = decision?.category;
  return {
    selected_model: decision?.selectedModel ?? null,
    category: category === undefined || category.top === null ? null : category.name,
    reasoning_enabled: decision?.reasoning?.enabled ?? null,
    reasoning_effort: effortText(decision?.reasoningEffort ?? null),
    selected_endpoint: plan?.targets[0].address ?? null,
  };
}

function classifiedFields(decision: Decision | null) {
  const category = decision?.category;
  const isClassified = category !== undefined && category.top !== null;
  return {
    confidence: category?.confidence ?? null,
    entropy: category?.entropyBits ?? null,
    entropy_level: category?.entropyLevel ?? null,
    reasoning_confidence: decision?.reasoning?.confidence ?? null,
    reasoning_reason: decision?.reasoning?.reason ?? null,
    strategy: decision?.reasoning?.strategy ?? null,
    top_categories: isClassified ? category.topCategories : null,
  };
}

function originalModel(input: RecordInput): string | null {
  if (input.originalModel === null) return null;
  return input.modelIsKnown ? input.originalModel.slice(0, MAX_CLIENT_TEXT) : 'unknown';
}

/** The id when it looks like one, else null: a client may put any text there. */
export function safeRequestId(requestId: string | null): string | null {
  return requestId !== null && REQUEST_ID.test(requestId) ? requestId : null;
}

/** An effort may be the caller's own word. */
function effortText(effort: string | null): string | null {
  return effort === null || EFFORT.test(effort) ? effort : 'other';
}

/** Writes the one line of a request. Refusals that are our fault (5xx) are warnings, all else is info. */
export function logRecord(log: Log, record: RoutingRecord): void {
  if ((record.status ?? 0) >= 500) log.warn(record);
  else log.info(record);
}
