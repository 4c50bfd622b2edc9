/** Reads the load of vLLM endpoints from their /metrics: what other routers and clients gave them is seen only there. */
import type { Registry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import type { Got } from './http-get.ts';

/** What one endpoint says of its load. */
export interface Reported {
  readonly running: number;
  readonly waiting: number;
  /** Share of the KV cache in use, 0..1; null when it does not say. */
  readonly cacheUsage: number | null;
}

/**
 * vLLM's gauges in Prometheus' text form, summed over engines (the cache: the fullest of them). Null when the text has none of them.
 */
export function readVllmMetrics(text: string): Reported | null {
  const values = (name: RegExp): number[] =>
    [...text.matchAll(new RegExp(`^vllm:(?:${name.source})(?:\\{[^}\\n]*\\})?[ \\t]+([0-9.eE+-]+)`, 'gm'))]
      .map((match) => Number(match[1]))
      .filter((value) => Number.isFinite(value) && value >= 0);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
  const running = values(/num_requests_running/);
  const waiting = values(/num_requests_waiting/);
  const cache = values(/kv_cache_usage_perc|gpu_cache_usage_perc/);
  if (running.length === 0 && waiting.length === 0) return null;
  return { running: sum(running), waiting: sum(waiting), cacheUsage: cache.length === 0 ? null : Math.max(...cache) };
}

/** A cache that is nearly full makes the next request wait for room, or push another one out. */
const FULL_CACHE = 0.95;

/** The reported load in requests: those that wait count double, and a full cache as one more. */
export function loadOf({ running, waiting, cacheUsage }: Reported): number {
  return running + 2 * waiting + (cacheUsage !== null && cacheUsage >= FULL_CACHE ? 1 : 0);
}

export interface ScraperOptions {
  readonly clock: () => number;
  readonly registry: () => Registry;
  readonly addresses: () => ReadonlyMap<string, readonly string[]>;
  readonly get: (endpoint: EndpointConfig, address: string, path: string, timeoutMs: number) => Promise<Got | null>;
  /** An endpoint that told of its load tells no more: its figures are no longer used. */
  readonly onStale?: (endpoint: string, address: string, ageMs: number) => void;
}

export interface Scraper {
  /** Load in requests; null when nothing is known, or what is known is too old. */
  reported(address: string): number | null;
  tick(): void;
  close(): void;
}

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 800;
/** Older figures describe another moment. */
const MAX_AGE_MS = 3000;
/** An address that has no such page is asked again after this time. */
const RETRY_MS = 60_000;
const MISSES_BEFORE_REST = 3;

interface Entry {
  readonly load: number | null;
  readonly atMs: number;
  readonly misses: number;
  readonly restUntilMs: number;
  readonly isAsking: boolean;
  readonly saidStale: boolean;
}
const UNKNOWN: Entry = { load: null, atMs: 0, misses: 0, restUntilMs: 0, isAsking: false, saidStale: false };

export function createScraper({ clock, registry, addresses, get, onStale }: ScraperOptions): Scraper {
  const entries = new Map<string, Entry>();
  const entryOf = (address: string): Entry => entries.get(address) ?? UNKNOWN;

  async function ask(endpoint: EndpointConfig, address: string): Promise<void> {
    entries.set(address, { ...entryOf(address), isAsking: true });
    const got = await get(endpoint, address, '/metrics', TIMEOUT_MS);
    const found = got?.status === 200 ? readVllmMetrics(got.body) : null;
    const before = entryOf(address);
    if (found !== null) {
      entries.set(address, { ...UNKNOWN, load: loadOf(found), atMs: clock() });
      return;
    }
    const misses = before.misses + 1;
    // One that told its load before is asked on: it is in trouble, and will be back.
    const rests = misses >= MISSES_BEFORE_REST && before.load === null;
    entries.set(address, { ...before, isAsking: false, misses, restUntilMs: rests ? clock() + RETRY_MS : 0 });
  }

  function tick(): void {
    if (!registry().config.balance.scrape_metrics) {
      entries.clear();
      return;
    }
    const now = clock();
    const present = new Set<string>();
    for (const [name, list] of addresses()) {
      const endpoint = registry().endpoints.get(name);
      if (endpoint === undefined || endpoint.weight === 0) continue;
      for (const address of list) {
        present.add(address);
        const entry = entryOf(address);
        if (entry.load !== null && !entry.saidStale && now - entry.atMs > MAX_AGE_MS) {
          entries.set(address, { ...entry, saidStale: true });
          onStale?.(name, address, now - entry.atMs);
        }
        if (!entry.isAsking && now >= entry.restUntilMs) void ask(endpoint, address);
      }
    }
    for (const known of entries.keys()) if (!present.has(known)) entries.delete(known);
  }

  const timer = setInterval(tick, INTERVAL_MS);
  timer.unref();
  return {
    reported: (address) => {
      const { load, atMs } = entryOf(address);
      return load === null || clock() - atMs > MAX_AGE_MS ? null : load;
    },
    tick,
    close: () => clearInterval(timer),
  };
}
