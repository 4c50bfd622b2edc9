/** What is said about a decision on the way back: who really answered, and why. */
import { openAiErrorBody } from './errors.ts';
import type { LastError } from './execution/last-error.ts';
import type { ReplyOutcome } from './extproc/machine-events.ts';
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

/** The response headers of a 2xx answer that came from `address` at attempt `attempt`: who really answered, and why. */
export function answerHeaders({ routed, forward }: Answering, address: string, attempt: number): readonly HeaderEdit[] {
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
    attempts: attempt,
    latencyMs: routed.latencyMs,
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
