/** The errors that we answer ourselves, in OpenAI's words where it has some, so that client libraries map them to their usual exceptions. */
import type { ApiError } from '../errors.ts';

const INVALID_REQUEST = 'invalid_request_error';
/** What a client wrote is echoed up to this many characters. */
const MAX_ECHO = 200;

function badRequest(code: string, message: string, param: string | null): ApiError {
  return { status: 400, type: INVALID_REQUEST, code, message, param };
}

/** The body isn't JSON. `detail` says what is wrong and at which byte, never what the body holds. */
export function invalidJson(detail: string): ApiError {
  return badRequest('invalid_json', `We could not parse the JSON body of your request: ${detail}.`, null);
}

export function invalidUtf8(): ApiError {
  return badRequest('invalid_utf8', 'The body of your request is not valid UTF-8.', null);
}

/** 415 for a compressed body: neither its model nor its prompt can be read. The codings that are taken go into `Accept-Encoding` (RFC 9110, 15.5.16). */
export function unsupportedEncoding(): ApiError {
  return {
    status: 415,
    type: INVALID_REQUEST,
    code: UNSUPPORTED_ENCODING,
    message:
      'The body of your request is compressed (Content-Encoding), which is not supported here. Allowed: identity. Send the body as it is.',
    param: null,
  };
}

export const UNSUPPORTED_ENCODING = 'unsupported_content_encoding';

export function invalidMultipart(): ApiError {
  return badRequest('invalid_multipart', 'We could not parse the multipart body of your request.', null);
}

export function missingField(param: string): ApiError {
  return badRequest('missing_required_parameter', `Missing required parameter: '${param}'.`, param);
}

export function missingModel(): ApiError {
  return badRequest('missing_required_parameter', 'You must provide a model parameter.', 'model');
}

/** `expected` and `got` carry their article: "an array of objects", "a string". */
export function wrongType(param: string, expected: string, got: string): ApiError {
  return badRequest(
    'invalid_type',
    `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`,
    param,
  );
}

export function emptyArray(param: string): ApiError {
  return badRequest(
    'empty_array',
    `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param,
  );
}

export function invalidValue(param: string, detail: string): ApiError {
  return badRequest('invalid_value', `Invalid value for '${param}': ${detail}.`, param);
}

export function tooLong(param: string, maximumBytes: number): ApiError {
  return badRequest(
    'string_above_max_length',
    `Invalid '${param}': too long. Expected at most ${maximumBytes} bytes.`,
    param,
  );
}

/** `limit` says how many there may be, and of what: "at most 256 members". */
export function tooManyItems(param: string, limit: string): ApiError {
  return badRequest('array_above_max_length', `Invalid '${param}': too many elements. Allowed: ${limit}.`, param);
}

/** 404 for a model that isn't configured; not retryable. */
export function modelNotFound(model: string): ApiError {
  const shown = model.length > MAX_ECHO ? `${model.slice(0, MAX_ECHO)}…` : model;
  return {
    status: 404,
    type: INVALID_REQUEST,
    code: 'model_not_found',
    message: `The model \`${shown}\` does not exist or you do not have access to it.`,
    param: 'model',
  };
}

/** An alias where only a concrete model makes sense; `path` is the request's path without its query. */
export function aliasNotAllowed(alias: string, path: string): ApiError {
  return badRequest(
    'model_alias_not_allowed',
    `The model alias \`${alias}\` can't be used with ${path}: name a concrete model. GET /v1/models lists what there is.`,
    'model',
  );
}

/** No endpoint of the model can be reached; the client may try again. */
export function upstreamUnavailable(model: string): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'upstream_unavailable',
    message: `No endpoint of the model \`${model}\` is available now. Please try again later.`,
    param: null,
  };
}

/** An endpoint of the model answered with an error whose own words are lost. */
export function upstreamFailed(model: string, status: number): ApiError {
  return {
    status,
    type: status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : INVALID_REQUEST,
    code: 'upstream_error',
    message: `All endpoints that were tried failed. The last answer came from the model \`${model}\`, with status ${status}.`,
    param: null,
  };
}

export function unknownUrl(method: string, path: string): ApiError {
  return {
    status: 404,
    type: INVALID_REQUEST,
    code: 'unknown_url',
    message: `Unknown request URL: ${method} ${path.slice(0, MAX_ECHO)}. Please check the URL for typos.`,
    param: null,
  };
}

export const METHOD_NOT_SUPPORTED = 'method_not_supported';

/** 405 for another method than POST on a path that takes nothing else. */
export function methodNotSupported(method: string, path: string): ApiError {
  return {
    status: 405,
    type: INVALID_REQUEST,
    code: METHOD_NOT_SUPPORTED,
    message: `Not allowed to ${method.slice(0, MAX_ECHO)} on ${path.slice(0, MAX_ECHO)}. Use POST.`,
    param: null,
  };
}
