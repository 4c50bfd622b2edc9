/**
 * Our answers as Envoy wants them. Everything that depends on how Envoy reads an answer is here:
 *
 * - header values travel as `raw_value` only: Envoy takes a value in `value` as an empty header;
 * - a body mutation always comes with the content-length of the new body: a wrong one is a 500 from Envoy;
 * - `clear_route_cache` needs a header mutation beside it, or Envoy ignores it, so it is sent with one or not at all.
 */
import type { HeaderEdit, Mutations } from '../rewrite/mutations.ts';
import type { CheckOutcome } from './handlers.ts';
import type { Change, Phase, ReplyOutcome, SkipRequest } from './machine-events.ts';
import type { WireCommon, WireHeaderMutation, WireResponse, WireStruct } from './wire-types.ts';

/** The answer to one message. */
export function writeAnswer(phase: Phase, change: Change, skip: SkipRequest): WireResponse {
  const override = skip === 'nothing' ? {} : { mode_override: MODE_OVERRIDES[skip] };
  if (change.kind === 'mutate' && phase !== 'request_trailers' && phase !== 'response_trailers') {
    const metadata = writeMetadata(change.mutations.metadata);
    const common = writeMutations(change.mutations);
    // In an answer to headers Envoy takes a body only with this status; it then sends no body message.
    const replaces = phase === 'request_headers' && common.body_mutation !== undefined;
    return {
      ...writePhase(phase, replaces ? { status: 'CONTINUE_AND_REPLACE', ...common } : common),
      ...override,
      ...(metadata === null ? {} : { dynamic_metadata: metadata }),
    };
  }
  return {
    ...writePhase(phase, change.kind === 'clear_body' ? { body_mutation: { clear_body: true } } : {}),
    ...override,
  };
}

/** The answer to response headers: these headers set, nothing else touched; `wantsBody` asks Envoy to hold the body and show it. */
export function writeResponseHeaders(edits: readonly HeaderEdit[], wantsBody = false): WireResponse {
  return {
    ...writePhase('response_headers', edits.length === 0 ? {} : { header_mutation: writeHeaders(edits, []) }),
    ...(wantsBody ? { mode_override: { response_header_mode: 'SEND', response_body_mode: 'BUFFERED' } } : {}),
  };
}

/** The answer to a checked body: headers and metadata, the body as it is; null or undefined: nothing is said of it. */
export function writeChecked(outcome: CheckOutcome | null | undefined): WireResponse {
  if (outcome == null) return writePhase('response_body', {});
  const { setHeaders, removeHeaders, metadata } = outcome;
  const hasEdits = setHeaders.length + removeHeaders.length > 0;
  const noted = writeMetadata(metadata);
  return {
    ...writePhase('response_body', hasEdits ? { header_mutation: writeHeaders(setHeaders, removeHeaders) } : {}),
    ...(noted === null ? {} : { dynamic_metadata: noted }),
  };
}

/** The answer that Envoy sends to the client in place of the endpoint's. `details` is for Envoy's access log. */
export function writeReply(reply: ReplyOutcome): WireResponse {
  return {
    immediate_response: {
      status: { code: reply.status },
      headers: writeHeaders(reply.headers, []),
      body: Buffer.from(reply.body, 'utf8'),
      details: 'switchyard_reply',
    },
  };
}

const MODE_OVERRIDES = {
  bodies: { response_header_mode: 'SEND', request_body_mode: 'NONE', response_body_mode: 'NONE' },
  bodies_and_response: { response_header_mode: 'SKIP', request_body_mode: 'NONE', response_body_mode: 'NONE' },
  want_whole_body: { response_header_mode: 'SEND', request_body_mode: 'BUFFERED', response_body_mode: 'NONE' },
  want_chunks: { response_header_mode: 'SEND', request_body_mode: 'STREAMED', response_body_mode: 'NONE' },
} as const;

function writePhase(phase: Phase, common: WireCommon): WireResponse {
  switch (phase) {
    case 'request_headers':
      return { request_headers: { response: common } };
    case 'request_body':
      return { request_body: { response: common } };
    case 'response_headers':
      return { response_headers: { response: common } };
    case 'response_body':
      return { response_body: { response: common } };
    case 'request_trailers':
      return { request_trailers: {} };
    case 'response_trailers':
      return { response_trailers: {} };
  }
}

function writeMutations({ body, setHeaders, removeHeaders }: Mutations): WireCommon {
  const isLength = (name: string): boolean => name.toLowerCase() === 'content-length';
  const set =
    body === null
      ? setHeaders
      : [
          ...setHeaders.filter(({ name }) => !isLength(name)),
          { name: 'content-length', value: String(body.byteLength) },
        ];
  const remove = body === null ? removeHeaders : removeHeaders.filter((name) => !isLength(name));
  return {
    ...(set.length + remove.length === 0
      ? {}
      : { header_mutation: writeHeaders(set, remove), clear_route_cache: true }),
    ...(body === null ? {} : { body_mutation: body.byteLength === 0 ? { clear_body: true } : { body } }),
  };
}

function writeHeaders(edits: readonly HeaderEdit[], remove: readonly string[]): WireHeaderMutation {
  return {
    set_headers: edits.map(({ name, value }) => ({
      header: { key: name.toLowerCase(), raw_value: Buffer.from(headerSafe(value), 'utf8') },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
    remove_headers: remove.map((name) => name.toLowerCase()),
  };
}

/** Envoy rejects a whole answer for one control character; a space is the worst that a name from a config file may become. */
function headerSafe(value: string): string {
  return value.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, ' ');
}

function writeMetadata(metadata: Mutations['metadata']): WireStruct | null {
  const namespaces = Object.entries(metadata);
  if (namespaces.length === 0) return null;
  return {
    fields: Object.fromEntries(
      namespaces.map(([namespace, values]) => [
        namespace,
        {
          structValue: {
            fields: Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { stringValue: text }])),
          },
        },
      ]),
    ),
  };
}
