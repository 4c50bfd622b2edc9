/** A refused request as what the stream answers. */
import { randomUUID } from 'node:crypto';
import type { DecisionOutcome } from './decision/decision.ts';
import { openAiErrorBody, type ApiError } from './errors.ts';
import { OVERLOADED } from './execution/dispatch.ts';
import type { ReplyOutcome } from './extproc/machine-events.ts';
import { contentFiltered } from './openai/content-filter.ts';
import { METHOD_NOT_SUPPORTED, UNSUPPORTED_ENCODING } from './openai/reply.ts';
import { ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER } from './rewrite/headers.ts';
import type { HeaderEdit } from './rewrite/mutations.ts';
import type { Routed } from './route.ts';

/** The error, or where the config asks for it the form that a model's own content filter has. */
export function refusalOf(
  { request }: Routed,
  { error, block }: Extract<DecisionOutcome, { kind: 'refused' }>,
  nowMs: number,
): ReplyOutcome {
  const isGenerated = request !== null && (request.kind === 'chat' || request.kind === 'completions');
  if (block?.form !== 'content_filter' || !isGenerated) return reply(error);
  const { contentType, body } = contentFiltered(request, randomUUID(), Math.floor(nowMs / 1000));
  return { kind: 'reply', status: 200, headers: [{ name: CONTENT_TYPE, value: contentType }], body };
}

/** The error as an answer. */
export function reply(error: ApiError): ReplyOutcome {
  return {
    kind: 'reply',
    status: error.status,
    headers: [{ name: CONTENT_TYPE, value: 'application/json' }, ...(MORE_HEADERS.get(error.code) ?? [])],
    body: openAiErrorBody(error),
  };
}

/** What HTTP wants beside some errors. */
const MORE_HEADERS: ReadonlyMap<string, readonly HeaderEdit[]> = new Map([
  [OVERLOADED, [{ name: RETRY_AFTER, value: '1' }]],
  [METHOD_NOT_SUPPORTED, [{ name: ALLOW, value: 'POST' }]],
  [UNSUPPORTED_ENCODING, [{ name: ACCEPT_ENCODING, value: 'identity' }]],
]);
