import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GivenAnswer } from './behaviour.ts';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Waits, but not longer than the client stays. */
export function pause(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    response.once('close', done);
  });
}

/** Until the client has read on, or left. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

/** The body; null when it is larger than any test needs. */
export async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Status 200 and these bytes. */
export function sendGiven(response: ServerResponse, { body, contentType, chunked }: GivenAnswer): void {
  response.writeHead(200, {
    'content-type': contentType ?? 'application/json',
    ...(chunked === true ? {} : { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}

/** Header values as single strings. */
export function plainHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
