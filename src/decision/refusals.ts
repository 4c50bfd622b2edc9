/** Every answer with which a decision turns a request away, in OpenAI's error shape. */
import { UNSEARCHED_TEXT } from '../config/pii-kinds.ts';
import type { ApiError } from '../errors.ts';

export function invalidKnob(param: string, allowed: string): ApiError {
  return invalid(400, 'invalid_routing_field', `"${param}" is not valid; allowed: ${allowed}.`, param);
}

/** No endpoint can take the request now; another attempt may succeed. */
export function noEndpoint(): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'no_endpoint_available',
    message: 'No endpoint can take this request now.',
    param: null,
  };
}

export function tenantDenied(): ApiError {
  return forbidden('tenant_not_known', 'The request names no tenant that is known here.', null);
}

export function modelNotAllowed(model: string, reason: string): ApiError {
  return forbidden('model_not_allowed', `The model \`${model}\` may not serve this request: ${reason}.`, 'model');
}

export function noModelAllowed(): ApiError {
  return forbidden('no_model_allowed', 'No model may serve this request: policy rules out all of them.', null);
}

/** @param kinds what was found, UNSEARCHED_TEXT included; empty when the request was not read at all. */
export function piiNotAllowed(kinds: readonly string[]): ApiError {
  const found = kinds.filter((kind) => kind !== UNSEARCHED_TEXT);
  const data = `The request holds personal data (${found.join(', ')}) that no model here may receive`;
  const text = 'text that could not be searched for';
  const isWhole = found.length > 0 && found.length === kinds.length;
  const message = isWhole
    ? `${data}. Remove it and send the request again.`
    : found.length > 0
      ? `${data}, and ${text} more. Remove it, and send less text.`
      : `The request holds ${text} personal data, which no model here may receive. Send less text.`;
  return forbidden('pii_not_allowed', message, 'messages');
}

export function jailbreakBlocked(): ApiError {
  return forbidden(
    'jailbreak_blocked',
    'The request looks like an attempt to get around the instructions of the model and was not sent.',
    'messages',
  );
}

/** A guard that the request must pass could not look at it; another attempt may succeed. */
export function guardUnavailable(): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'guard_unavailable',
    message: 'The request could not be checked and was not sent. Please try again later.',
    param: null,
  };
}

/** @param window the largest context window that is left, tokens; null when none is known. */
export function contextTooLong(tokens: number, window: number | null): ApiError {
  const limit = window === null ? '' : ` The largest context window here is ${window} tokens.`;
  return invalid(
    400,
    'context_length_exceeded',
    `The request needs about ${tokens} tokens, answer included; no model here takes that many.${limit}`,
    'messages',
  );
}

/** @param missing needs that no model meets; empty when each is met by some model but never all by one. */
export function noCapableModel(missing: readonly string[], needs: readonly string[], param: string): ApiError {
  const message =
    missing.length > 0
      ? `No model here can do what the request needs: ${missing.join(', ')}.`
      : `No single model here can do all that the request needs: ${needs.join(', ')}.`;
  return invalid(422, 'no_capable_model', message, param);
}

export function nothingLeftByCaller(): ApiError {
  return invalid(
    422,
    'no_model_within_limits',
    'No model here keeps all the limits that the request sets in `routing`, `provider` or `models`. Loosen one of them.',
    'routing',
  );
}

/** The operator's limits, which the caller can do nothing about but ask for less. */
export function limitsUnmet(limits: readonly string[]): ApiError {
  const message = `No model here keeps the limits that are set for this request: ${limits.join(', ')}.`;
  return invalid(422, 'no_model_within_limits', message, null);
}

/** @param isTransient some model would do, were its endpoints up. */
export function nothingLeftByRule(isTransient: boolean): ApiError {
  const code = 'no_model_by_rule';
  if (!isTransient) return invalid(422, code, 'None of the models that are meant for this request can serve it.', null);
  const message = 'None of the models that are meant for this request can serve it now.';
  return { status: 503, type: 'server_error', code, message, param: null };
}

export function deniedByRule(status: number, message: string): ApiError {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  return { status, type, code: 'denied_by_rule', message, param: null };
}

function invalid(status: number, code: string, message: string, param: string | null): ApiError {
  return { status, type: 'invalid_request_error', code, message, param };
}

function forbidden(code: string, message: string, param: string | null): ApiError {
  return { status: 403, type: 'permission_error', code, message, param };
}
