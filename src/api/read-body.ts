import { failure, type ErrorAnswer } from './answer.ts';

/** Bytes of request bodies that are held at one time over all requests, so that many large ones can't fill the memory. */
export interface BodyBudget {
  /** Takes `bytes` from the budget; false when they are not left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** A budget of `total` bytes. */
export function createBodyBudget(total: number): BodyBudget {
  let left = total;
  return {
    take: (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give: (bytes) => {
      left += bytes;
    },
  };
}

export type BodyOutcome =
  | { readonly kind: 'body'; readonly value: unknown; readonly bytes: number }
  | { readonly kind: 'refused'; readonly answer: ErrorAnswer };

/**
 * Reads a JSON body of at most `limit` bytes: 415 for another content type or a compressed body, 413 past the limit (at once when the client announces it), 400
 * for what is not JSON in UTF-8. The bytes are taken from the budget; the caller gives `bytes` back when the request is over.
 */
export async function readJsonBody(request: Request, limit: number, budget: BodyBudget): Promise<BodyOutcome> {
  if (!isJson(request.headers.get('content-type'))) {
    return refused(
      failure(415, 'UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON: send content-type: application/json.'),
    );
  }
  if (!isIdentity(request.headers.get('content-encoding'))) {
    return refused(
      failure(415, 'UNSUPPORTED_MEDIA_TYPE', 'The body is compressed, which is not supported. Allowed: identity.', {
        headers: { 'accept-encoding': 'identity' },
      }),
    );
  }
  if (Number(request.headers.get('content-length') ?? 0) > limit) return refused(tooLarge(limit));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const fail = (answer: ErrorAnswer): BodyOutcome => {
    budget.give(bytes);
    return refused(answer);
  };
  try {
    for await (const chunk of chunksOf(request)) {
      if (bytes + chunk.byteLength > limit) return fail(tooLarge(limit));
      if (!budget.take(chunk.byteLength)) return fail(tooBusy());
      bytes += chunk.byteLength;
      chunks.push(chunk);
    }
  } catch {
    return fail(failure(400, 'INVALID_INPUT', 'body: it ended before it was complete.'));
  }
  const value = parseJson(Buffer.concat(chunks, bytes));
  if (value === undefined) return fail(failure(400, 'INVALID_INPUT', 'body: it is not JSON in UTF-8.'));
  return { kind: 'body', value, bytes };
}

function chunksOf(request: Request): AsyncIterable<Uint8Array> | readonly Uint8Array[] {
  return (request.body as AsyncIterable<Uint8Array> | null) ?? [];
}

/** application/json and its relatives (+json); a charset must be UTF-8. */
function isJson(contentType: string | null): boolean {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const isUtf8 = charset === undefined || /^"?utf-?8"?$/.test(charset);
  return isUtf8 && (type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type));
}

/** No coding but identity: nothing is decompressed here. */
function isIdentity(contentEncoding: string | null): boolean {
  return /^\s*(?:identity)?\s*$/i.test(contentEncoding ?? '');
}

/** Undefined for what is not JSON; JSON itself has no undefined. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

function refused(answer: ErrorAnswer): BodyOutcome {
  return { kind: 'refused', answer };
}

function tooLarge(limit: number): ErrorAnswer {
  return failure(413, 'PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes.`);
}

function tooBusy(): ErrorAnswer {
  return failure(503, 'OVERLOADED', 'Too many large requests at a time; try again.', {
    headers: { 'retry-after': '1' },
  });
}
