/** How a simulated endpoint answers one request: what its owner set, then what the request's own `x-sim-*` headers say. */
import type { IncomingHttpHeaders } from 'node:http';

/** Where the connection is cut: before the response headers, or after so many chunks of the answer. */
export type Cut = 'headers' | number | null;

/** An answer given byte for byte, in place of the simulated one; not for streams. */
export interface GivenAnswer {
  readonly body: string;
  /** Default application/json. */
  readonly contentType?: string;
  /** Without a content-length. */
  readonly chunked?: boolean;
}

export interface Behaviour {
  /** Status of the answer; anything but 200 gives an error body. */
  readonly status: number;
  /** Milliseconds before the response headers. */
  readonly delayMs: number;
  readonly cut: Cut;
  /** Chunks of a streamed answer's text; null: one a word. */
  readonly chunks: number | null;
  /** Milliseconds between the chunks. */
  readonly chunkDelayMs: number;
  /** Answer with what was received: as a JSON summary, or the body itself. */
  readonly echo: 'summary' | 'body' | null;
  /** Seconds for a Retry-After header; null: none. */
  readonly retryAfterS: number | null;
  /** Prompt tokens from which it refuses as vLLM does when a prompt is too long; null: none is. */
  readonly contextWindow: number | null;
  /** Say in each chunk when it was written (`sim_written_at`, epoch milliseconds with decimals). */
  readonly timestamps: boolean;
  /** What every request for a whole answer gets; null: an answer made from the request. */
  readonly given: GivenAnswer | null;
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  status: 200,
  delayMs: 0,
  cut: null,
  chunks: null,
  chunkDelayMs: 0,
  echo: null,
  retryAfterS: null,
  contextWindow: null,
  timestamps: false,
  given: null,
};

/** Ten minutes, a thousand chunks: enough for any test, and no way to hold an endpoint for ever. */
const MAX_DELAY_MS = 600_000;
const MAX_CHUNKS = 100_000;

/**
 * `base` changed by the request's headers. A value counts for every endpoint (`503`) or only for named ones (`a=503, b=429`), so that one
 * request can be told to fail at its first endpoint and to succeed at its second. What can't be read is ignored.
 */
export function behaviourOf(headers: IncomingHttpHeaders, endpoint: string, base: Behaviour): Behaviour {
  const read = (name: string): string | null => valueFor(headers[`x-sim-${name}`], endpoint);
  const cut = read('cut');
  const echo = read('echo');
  return {
    status: numberIn(read('status'), 200, 599) ?? base.status,
    delayMs: numberIn(read('delay-ms'), 0, MAX_DELAY_MS) ?? base.delayMs,
    cut: cut === 'headers' ? 'headers' : (numberIn(cut, 0, MAX_CHUNKS) ?? base.cut),
    chunks: numberIn(read('chunks'), 1, MAX_CHUNKS) ?? base.chunks,
    chunkDelayMs: numberIn(read('chunk-delay-ms'), 0, MAX_DELAY_MS) ?? base.chunkDelayMs,
    echo: echo === null ? base.echo : echo === 'body' ? 'body' : 'summary',
    retryAfterS: numberIn(read('retry-after'), 0, 86_400) ?? base.retryAfterS,
    contextWindow: numberIn(read('context-window'), 0, Number.MAX_SAFE_INTEGER) ?? base.contextWindow,
    timestamps: read('timestamps') !== null || base.timestamps,
    given: base.given,
  };
}

function valueFor(header: string | string[] | undefined, endpoint: string): string | null {
  if (header === undefined) return null;
  const parts = (Array.isArray(header) ? header.join(',') : header).split(',').map((part) => part.trim());
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals === -1) return part;
    if (part.slice(0, equals).trim() === endpoint) return part.slice(equals + 1).trim();
  }
  return null;
}

function numberIn(text: string | null, least: number, most: number): number | null {
  if (text === null || !/^\d+(\.\d+)?$/.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
}
