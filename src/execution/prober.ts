/** Asks endpoints how they are: `health_check_path` at an interval, and each address whose time out has passed. */
import type { Registry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import type { HealthEvent } from './health.ts';
import type { Got } from './http-get.ts';

export interface ProberOptions {
  readonly clock: () => number;
  readonly registry: () => Registry;
  readonly addresses: () => ReadonlyMap<string, readonly string[]>;
  /** Addresses that wait to be tried again. */
  readonly due: () => readonly string[];
  readonly tell: (address: string, event: HealthEvent) => void;
  readonly get: (endpoint: EndpointConfig, address: string, path: string, timeoutMs: number) => Promise<Got | null>;
}

export interface Prober {
  /** One look at who is to be asked; the answers come in later. Called every TICK_MS. */
  tick(): void;
  close(): void;
}

export const TICK_MS = 250;
/** vLLM's own. An endpoint that has no such page says 404, and is at home. */
const DEFAULT_PATH = '/health';
/** Checks in a row that must be bad before an endpoint is out: one may be lost. */
const BAD_CHECKS = 2;

export function createProber(options: ProberOptions): Prober {
  const { clock, registry, addresses, due, tell, get } = options;
  const asking = new Set<string>();
  const lastCheckMs = new Map<string, number>();
  const bad = new Map<string, number>();

  async function probe(endpoint: EndpointConfig, address: string): Promise<void> {
    const got = await get(endpoint, address, endpoint.health_check_path ?? DEFAULT_PATH, timeoutMs());
    tell(address, { kind: 'probed', isWell: got !== null && got.status < 500 });
  }

  async function check(endpoint: EndpointConfig, path: string, address: string): Promise<void> {
    const got = await get(endpoint, address, path, timeoutMs());
    // The check carries no key: an endpoint that asks for one is up.
    const isWell = got !== null && (got.status < 400 || got.status === 401 || got.status === 403);
    const times = isWell ? 0 : (bad.get(address) ?? 0) + 1;
    bad.set(address, times);
    if (isWell || times >= BAD_CHECKS) tell(address, { kind: 'checked', isWell });
  }

  function timeoutMs(): number {
    return registry().config.health.check_timeout;
  }

  function ask(address: string, run: () => Promise<void>): void {
    if (asking.has(address)) return;
    asking.add(address);
    void run().finally(() => asking.delete(address));
  }

  function tick(): void {
    const now = clock();
    const isDue = new Set(due());
    const present = new Set<string>();
    for (const [name, list] of addresses()) {
      const endpoint = registry().endpoints.get(name);
      if (endpoint === undefined) continue;
      const path = endpoint.health_check_path;
      for (const address of list) {
        present.add(address);
        if (isDue.has(address)) ask(address, () => probe(endpoint, address));
        const isTime = now - (lastCheckMs.get(address) ?? -Infinity) >= registry().config.health.check_interval;
        if (path === undefined || !isTime) continue;
        lastCheckMs.set(address, now);
        ask(address, () => check(endpoint, path, address));
      }
    }
    for (const known of [...lastCheckMs.keys(), ...bad.keys()]) {
      if (present.has(known)) continue;
      lastCheckMs.delete(known);
      bad.delete(known);
    }
  }

  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  return { tick, close: () => clearInterval(timer) };
}
