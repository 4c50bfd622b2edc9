/** What is said about a decision on the way back: who really answered, and why. */
import { answerAfterAll, cascadeState } from './cascade/given.ts';
import { openAiErrorBody } from './errors.ts';
import type { LastError } from './execution/last-error.ts';
import type { ReplyOutcome, ResponseStart } from './extproc/machine-events.ts';
import type { Forward } from './forward.ts';
import { upstreamFailed } from './openai/reply.ts';
import { targetOf } from './rewrite/carried.ts';
import { CONTENT_TYPE, RETRY_AFTER, SWITCHYARD_TRACE } from './rewrite/headers.ts';
import type { HeaderEdit } from './rewrite/mutations.ts';
import { responseHeaderEdits } from './rewrite/response-edits.ts';
import { compactTrace, routingMetadata, withMember } from './rewrite/trace.ts';
import type { Routed } from './route.ts';

/** What the response's headers are made from, kept from the request to the answer. */
export interface Answering {
  readonly routed: Routed;
  readonly forward: Forward;
  /** The client's or Envoy's id of the request, where it looks like one. */
  readonly requestId: string | null;
}

/** Where an answer came from. */
export interface AnswerSource {
  /** `ip:port`; '' when Envoy did not say. */
  readonly address: string;
  /** Whose answer it is, from 1. */
  readonly attempt: number;
  /** How many attempts there were: more than `attempt` where an earlier answer is given after all. */
  readonly attempts: number;
}

/** The response headers of a 2xx answer: who really answered, and why. */
export function answerHeaders(
  answering: Answering,
  { address, attempt, attempts }: AnswerSource,
  response: ResponseStart,
): readonly HeaderEdit[] {
  const { routed, forward } = answering;
  if (routed.outcome.kind === 'refused') return [];
  const { decision } = routed.outcome;
  const target = targetOf(forward.carried, address, attempt);
  const headers = responseHeaderEdits({
    model: target?.model ?? decision.selectedModel,
    category: decision.category.name,
    reasoning: target?.reasoningTold ?? false,
    injectedSystemPrompt: forward.injectedSystemPrompt,
    decision: decision.decision,
    confidence: decision.category.confidence,
    attempts,
    latencyMs: routed.latencyMs,
    cascade: isCascade(answering) ? cascadeState(response, attempt) : null,
  });
  return decision.trace ? [...headers, { name: SWITCHYARD_TRACE, value: compactTrace(decision) }] : headers;
}

/** Whether the caller asked for the explanation in the answer, and may have it. */
export function wantsTrace({ routed }: Answering): boolean {
  return routed.outcome.kind === 'decided' && routed.outcome.decision.trace;
}

/** The error of an endpoint that was tried before the last one, as it gave it; one in OpenAI's shape where its body was not kept. */
export function lastErrorReply({ model, status, retryAfter, contentType, body }: LastError): ReplyOutcome {
  return {
    kind: 'reply',
    status,
    headers: [
      { name: CONTENT_TYPE, value: body === '' || contentType === '' ? 'application/json' : contentType },
      ...(retryAfter === '' ? [] : [{ name: RETRY_AFTER, value: retryAfter }]),
    ],
    body: body === '' ? openAiErrorBody(upstreamFailed(model, status)) : body,
  };
}

/** An answer that did not pass a cascade's checks, in place of an error: the better models have failed altogether. Null where there is none. */
export function keptReply(answering: Answering, source: AnswerSource, response: ResponseStart): ReplyOutcome | null {
  const kept = isCascade(answering) ? answerAfterAll(response) : null;
  if (kept === null) return null;
  const traced = wantsTrace(answering)
    ? tracedAnswer(answering, Buffer.from(kept.body), source.address, source.attempt)
    : null;
  return {
    kind: 'reply',
    status: 200,
    headers: [{ name: CONTENT_TYPE, value: 'application/json' }, ...answerHeaders(answering, source, response)],
    body: traced === null ? kept.body : Buffer.from(traced).toString('utf8'),
  };
}

function isCascade({ routed: { outcome } }: Answering): boolean {
  return outcome.kind === 'decided' && outcome.plan.cascade !== undefined;
}

/** A JSON answer with the explanation as its member `routing_metadata`; null where it can't be put in. */
export function tracedAnswer(
  { routed, forward }: Answering,
  body: Uint8Array,
  address: string,
  attempt: number,
): Uint8Array | null {
  if (routed.outcome.kind === 'refused') return null;
  const { decision, plan } = routed.outcome;
  const answeredBy = targetOf(forward.carried, address, attempt)?.model ?? null;
  return withMember(body, 'routing_metadata', routingMetadata(decision, plan, answeredBy, attempt));
}
