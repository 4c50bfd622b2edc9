import http from 'node:http';
import { performance } from 'node:perf_hooks';

/** One finished request as the load generator saw it. */
export interface Sample {
  readonly latencyMs: number;
  readonly status: number;
  readonly bytes: number;
}

export interface LoadResult {
  readonly samples: readonly Sample[];
  readonly errors: number;
  readonly elapsedMs: number;
}

export interface LoadOptions {
  readonly url: string;
  readonly concurrency: number;
  /** Stop after this many requests … */
  readonly requests?: number;
  /** … or after this many milliseconds, whichever comes first. */
  readonly durationMs?: number;
  /** Start requests at this rate (1/s) instead of as fast as `concurrency` allows. */
  readonly rate?: number;
  readonly body: (index: number) => string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onAnswer?: (status: number, headers: http.IncomingHttpHeaders, index: number) => void;
}

/** Sends POSTs over kept-alive connections and times each from the write to the last byte of the answer. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: options.concurrency, scheduling: 'fifo' });
  const samples: Sample[] = [];
  const start = performance.now();
  let next = 0;
  let errors = 0;
  const over = (): boolean =>
    (options.requests !== undefined && next >= options.requests) ||
    (options.durationMs !== undefined && performance.now() - start >= options.durationMs);
  const worker = async (): Promise<void> => {
    while (!over()) {
      const index = next++;
      if (options.rate !== undefined) {
        const due = start + (index * 1000) / options.rate;
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      }
      const sample = await send(options, agent, index);
      if (sample === null) errors += 1;
      else samples.push(sample);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  agent.destroy();
  return { samples, errors, elapsedMs: performance.now() - start };
}

function send(options: LoadOptions, agent: http.Agent, index: number): Promise<Sample | null> {
  const body = options.body(index);
  return new Promise((resolve) => {
    const started = performance.now();
    const request = http.request(
      options.url,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...options.headers },
      },
      (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('end', () => {
          options.onAnswer?.(response.statusCode ?? 0, response.headers, index);
          resolve({ latencyMs: performance.now() - started, status: response.statusCode ?? 0, bytes });
        });
        response.on('error', () => resolve(null));
      },
    );
    request.on('error', () => resolve(null));
    request.setTimeout(60_000, () => request.destroy(new Error('no answer in 60 s')));
    request.end(body);
  });
}

/** The q-quantile (0..1) of the values, by the nearest rank; NaN without values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
