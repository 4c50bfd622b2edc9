/** Steady load for tests: a fixed rate (open loop) or a fixed number of requests in flight (closed loop). */
import type { Exchange } from './harness-client.ts';
import { sleep } from './harness-wait.ts';

export interface LoadResult {
  /** One for each request, in the order of sending. */
  readonly results: readonly (Exchange & { readonly sentAtMs: number })[];
  readonly seconds: number;
}

/** Sends `make(n)` at `perSecond` until `stop` is set or `count` are sent; waits for all answers. */
export async function steadyLoad(
  make: (n: number) => Promise<Exchange>,
  perSecond: number,
  until: { count?: number; stop?: () => boolean },
): Promise<LoadResult> {
  const startedAt = performance.now();
  const pending: Promise<Exchange & { sentAtMs: number }>[] = [];
  for (let n = 0; n < (until.count ?? Infinity) && until.stop?.() !== true; n += 1) {
    const dueMs = (n * 1000) / perSecond;
    const sentAtMs = performance.now();
    if (sentAtMs - startedAt < dueMs) await sleep(dueMs - (sentAtMs - startedAt));
    const atMs = performance.now();
    pending.push(make(n).then((result) => ({ ...result, sentAtMs: atMs })));
  }
  const results = await Promise.all(pending);
  return { results, seconds: (performance.now() - startedAt) / 1000 };
}

/** Keeps `concurrency` requests in flight until `stop` is set or `count` are sent. */
export async function closedLoad(
  make: (n: number) => Promise<Exchange>,
  concurrency: number,
  until: { count?: number; stop?: () => boolean },
): Promise<LoadResult> {
  const startedAt = performance.now();
  const results: (Exchange & { sentAtMs: number })[] = [];
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < (until.count ?? Infinity) && until.stop?.() !== true) {
      const sentAtMs = performance.now();
      results.push({ ...(await make(n++)), sentAtMs });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { results, seconds: (performance.now() - startedAt) / 1000 };
}

/** How often each value of `of` occurs, for messages of failed expectations. */
export function tally(values: Iterable<string | number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
