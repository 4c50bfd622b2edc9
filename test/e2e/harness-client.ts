/** An HTTP client for tests that hides nothing: exact bytes, exact headers, when each chunk came. */
import { Agent, request as httpRequest } from 'node:http';

export interface ExchangeOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: object | string | Uint8Array;
  /** Send the body in pieces of so many bytes, without a content-length. */
  readonly chunkBytes?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onChunk?: (text: string, atMs: number) => void;
}

export interface Exchange {
  /** 0 when the exchange failed before the response headers. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- tests look into whatever came
  /** What went wrong on the connection; null when the answer is complete. */
  readonly failure: string | null;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** Sends one request and waits for the whole answer. Never rejects. */
export function exchange(base: string, options: ExchangeOptions = {}): Promise<Exchange> {
  const { path = '/v1/chat/completions', chunkBytes, timeoutMs = 60_000 } = options;
  const bytes = bytesOf(options.body);
  const method = options.method ?? (bytes === null ? 'GET' : 'POST');
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let status = 0;
    let headers: Record<string, string> = {};
    const chunks: Buffer[] = [];
    const done = (failure: string | null): void => {
      const body = Buffer.concat(chunks).toString('utf8');
      resolve({ status, headers, body, json: parse(body), failure, ms: performance.now() - startedAt });
    };
    const request = httpRequest(
      new URL(path, base),
      {
        method,
        agent,
        signal: options.signal,
        headers: {
          ...(bytes === null ? {} : { 'content-type': 'application/json' }),
          ...(bytes === null || chunkBytes !== undefined ? {} : { 'content-length': String(bytes.byteLength) }),
          ...options.headers,
        },
      },
      (response) => {
        status = response.statusCode ?? 0;
        headers = Object.fromEntries(Object.entries(response.headers).map(([key, value]) => [key, String(value)]));
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          options.onChunk?.(chunk.toString('utf8'), performance.timeOrigin + performance.now());
        });
        response.on('end', () => done(response.complete ? null : 'cut'));
        response.on('error', (error) => done(error.message));
      },
    );
    request.setTimeout(timeoutMs, () => request.destroy(new Error('client timeout')));
    // A server may answer 413 and close while the body is still being sent.
    request.on('error', (error) => done(error.message));
    if (bytes !== null && chunkBytes !== undefined)
      for (let at = 0; at < bytes.byteLength; at += chunkBytes) request.write(bytes.subarray(at, at + chunkBytes));
    request.end(bytes !== null && chunkBytes === undefined ? bytes : undefined);
  });
}

function bytesOf(body: ExchangeOptions['body']): Uint8Array | null {
  if (body === undefined) return null;
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
