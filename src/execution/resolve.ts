/**
 * Addresses of the endpoints. Envoy's pool wants `ip:port`, so the router looks names up itself: at the start, on a new config and every few
 * seconds. A name that fails to resolve keeps its last good addresses; an IP address is its own answer.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { EndpointConfig } from '../config/schema.ts';
import { messageOf } from '../errors.ts';

/** `ip:port` (IPv6 in brackets) of every endpoint by name, sorted; an endpoint that never resolved has none. */
export type ResolvedAddresses = ReadonlyMap<string, readonly string[]>;

/** All addresses of a host name; rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export interface ResolverOptions {
  /** Called when an address came or went. */
  readonly onChange: (addresses: ResolvedAddresses) => void;
  /** Called when a name starts to fail, once until it works again. */
  readonly onFailure?: (host: string, reason: string) => void;
  readonly lookup?: Lookup;
  /** Milliseconds between two rounds; default 5000. */
  readonly refreshMs?: number;
  /** Milliseconds until a lookup counts as failed; default 2000. */
  readonly timeoutMs?: number;
}

export interface Resolver {
  /** Replaces the endpoints and resolves them; settles when every one has an answer or failed. Never rejects. */
  watch(endpoints: Iterable<EndpointConfig>): Promise<void>;
  readonly addresses: ResolvedAddresses;
  close(): void;
}

/** Addresses that one name may have: above that it is no list of replicas any more. */
const MAX_ADDRESSES = 16;
/** Lookups at a time; each occupies a thread of libuv's pool of four. */
const MAX_LOOKUPS = 3;

/** A resolver that does nothing until `watch`. */
export function createResolver(options: ResolverOptions): Resolver {
  const { onChange, onFailure, refreshMs = 5000, timeoutMs = 2000 } = options;
  const find = options.lookup ?? systemLookup;
  const lastGood = new Map<string, readonly string[]>();
  const failing = new Set<string>();
  let endpoints: readonly EndpointConfig[] = [];
  let addresses: ResolvedAddresses = new Map();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  async function resolveHost(host: string): Promise<void> {
    try {
      const found = await withTimeout(find(host), timeoutMs);
      lastGood.set(host, [...new Set(found)].sort().slice(0, MAX_ADDRESSES));
      failing.delete(host);
    } catch (error) {
      if (!failing.has(host)) onFailure?.(host, messageOf(error));
      failing.add(host);
    }
  }

  async function round(): Promise<void> {
    const hosts = [...new Set(endpoints.map((endpoint) => endpoint.address))].filter((host) => isIP(host) === 0);
    for (const known of [...lastGood.keys(), ...failing])
      if (!hosts.includes(known)) {
        lastGood.delete(known);
        failing.delete(known);
      }
    const queue = [...hosts];
    const worker = async (): Promise<void> => {
      for (let host = queue.shift(); host !== undefined; host = queue.shift()) await resolveHost(host);
    };
    await Promise.all(Array.from({ length: MAX_LOOKUPS }, worker));
    publish();
  }

  function publish(): void {
    const next = new Map(endpoints.map((endpoint) => [endpoint.name, addressesOf(endpoint)]));
    if (closed || sameAddresses(addresses, next)) return;
    addresses = next;
    onChange(next);
  }

  function addressesOf(endpoint: EndpointConfig): readonly string[] {
    const host = endpoint.address;
    const ips = isIP(host) === 0 ? (lastGood.get(host) ?? []) : [host];
    return ips.map((ip) => (isIP(ip) === 6 ? `[${ip}]:${endpoint.port}` : `${ip}:${endpoint.port}`));
  }

  function schedule(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (closed || endpoints.every((endpoint) => isIP(endpoint.address) !== 0)) return;
    timer = setTimeout(() => void round().then(schedule), refreshMs);
    timer.unref();
  }

  return {
    watch: async (wanted) => {
      endpoints = [...wanted];
      publish(); // What needs no lookup is not kept waiting for a slow name.
      await round();
      schedule();
    },
    get addresses() {
      return addresses;
    },
    close: () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** The system's resolver (hosts file, search domains, containers' names); IPv4 first, and IPv6 only where there is no IPv4. */
async function systemLookup(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  const v4 = found.filter(({ family }) => family === 4);
  return (v4.length > 0 ? v4 : found).map(({ address }) => address);
}

function sameAddresses(one: ResolvedAddresses, two: ResolvedAddresses): boolean {
  if (one.size !== two.size) return false;
  return [...one].every(([name, list]) => two.get(name)?.join() === list.join());
}

function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
