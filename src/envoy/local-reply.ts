/** Envoy's own error answers in the shape of OpenAI's, so that a client's library can read them. */
import { openAiErrorBody, type ApiError } from '../errors.ts';
import { extension, type JsonObject } from './xds.ts';

/** What the router's own replies carry as their detail (ImmediateResponse.details), by which they are told from Envoy's. */
const ROUTER_REPLY = 'switchyard_reply';
/** What answers of the fallback filter carry. */
const LUA_REPLY = 'lua_response';

/** Envoy's messages name flags and sockets: for clients there are these. */
const REPLIES: readonly Omit<ApiError, 'param'>[] = [
  { status: 408, type: 'invalid_request_error', code: 'request_timeout', message: 'The request came in too slowly.' },
  {
    status: 413,
    type: 'invalid_request_error',
    code: 'request_too_large',
    message: 'The request body is larger than this router accepts. Send a smaller body.',
  },
  { status: 500, type: 'server_error', code: 'internal_error', message: 'The request could not be processed.' },
  { status: 502, type: 'server_error', code: 'bad_gateway', message: 'The endpoint gave no valid HTTP answer.' },
  { status: 503, type: 'server_error', code: 'service_unavailable', message: 'No endpoint could take the request.' },
  { status: 504, type: 'server_error', code: 'timeout', message: 'The endpoint did not answer in time.' },
];

/** `local_reply_config` of the connection manager. Answers that the router or the fallback filter wrote stay as they are. */
export function localReplies(): JsonObject {
  return { mappers: REPLIES.map((reply) => mapper({ ...reply, param: null })) };
}

function mapper(reply: ApiError): JsonObject {
  return {
    filter: { and_filter: { filters: [hasStatus(reply.status), WRITTEN_BY_ENVOY] } },
    body_format_override: {
      text_format_source: { inline_string: openAiErrorBody(reply) },
      content_type: 'application/json',
    },
  };
}

function hasStatus(status: number): JsonObject {
  return {
    status_code_filter: {
      comparison: { op: 'EQ', value: { default_value: status, runtime_key: `switchyard.local_reply.${status}` } },
    },
  };
}

const WRITTEN_BY_ENVOY: JsonObject = {
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
    { expression: `!(response.code_details in ["${ROUTER_REPLY}", "${LUA_REPLY}"])` },
  ),
};
