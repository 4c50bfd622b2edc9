/** What a handler answers; server.ts turns it into HTTP. */
export type Answer =
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown }
  | { readonly kind: 'text'; readonly status: number; readonly contentType: string; readonly text: string }
  | { readonly kind: 'empty'; readonly status: 304 }
  | ErrorAnswer;

/** {"error": {code, message, timestamp}}, plus the fields that OpenAI's clients look for on /v1 routes. */
export interface ErrorAnswer {
  readonly kind: 'error';
  readonly status: number;
  readonly code: ErrorCode;
  /** What is wrong and what would be right. Never repeats the caller's text. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the `error` object. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The closed list of codes; docs/api.md explains each. Spelling as in the classic router, but for OpenAI's own. */
export const ERROR_CODES = [
  'INVALID_INPUT',
  'INVALID_TASK_TYPE',
  'INVALID_DIMENSION',
  'TOO_MANY_TEXTS',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'METHOD_NOT_ALLOWED',
  'NOT_FOUND',
  'MANAGEMENT_CLOSED',
  'UNAUTHORIZED',
  'CATEGORY_NOT_FOUND',
  'CONFIG_REFUSED',
  'CLASSIFIER_UNAVAILABLE',
  'UNSUPPORTED_LANGUAGE',
  'NOT_SUPPORTED_BY_MODEL',
  'NOT_READY',
  'OVERLOADED',
  'INTERNAL_ERROR',
  'model_not_found',
  'unknown_url',
  'method_not_supported',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export function json(value: unknown, status = 200): Answer {
  return { kind: 'json', status, value };
}

export function failure(
  status: number,
  code: ErrorCode,
  message: string,
  more: Pick<ErrorAnswer, 'headers' | 'details'> = {},
): ErrorAnswer {
  return { kind: 'error', status, code, message, ...more };
}

/** Milliseconds since `start`, in steps of 1 µs. */
export function elapsedMs(clock: () => number, start: number): number {
  return Math.round((clock() - start) * 1000) / 1000;
}
