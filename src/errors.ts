/**
 * The one error type. `code` is from a closed list (docs/errors.md is made from it), `source` says whose fault it was, and `retryable`
 * whether another attempt could succeed. The message says what is wrong; `where` and `hint` say where and what to do about it.
 */
export type ErrorSource = 'downstream' | 'upstream' | 'internal';

/** An error in the form that OpenAI's API answers with, plus the HTTP status it travels under. */
export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** The request field at fault, like `messages[0].content`; null when no single field is. */
  readonly param: string | null;
}

export interface RouterErrorDetails {
  readonly code: string;
  readonly source: ErrorSource;
  readonly message: string;
  readonly retryable?: boolean;
  readonly where?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Thrown only at the shell (servers, sessions, files); the core returns unions instead. */
export class RouterError extends Error {
  readonly code: string;
  readonly source: ErrorSource;
  readonly retryable: boolean;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(details: RouterErrorDetails) {
    super(
      `${details.code}${details.where === undefined ? '' : ` ${details.where}`}: ${details.message}${
        details.hint === undefined ? '' : `. ${details.hint}`
      }`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'RouterError';
    this.code = details.code;
    this.source = details.source;
    this.retryable = details.retryable ?? false;
    this.where = details.where;
    this.hint = details.hint;
  }
}

/** The text of anything that was thrown, without a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The JSON body that OpenAI's clients expect of an error. */
export function openAiErrorBody(error: ApiError): string {
  return JSON.stringify({ error: { message: error.message, type: error.type, param: error.param, code: error.code } });
}
