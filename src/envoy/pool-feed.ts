/**
 * What Envoy knows of the pool. Envoy polls for clusters and names, in each poll, the version that it holds. From that follows which
 * endpoints a request may be sent to: a new one only when Envoy has it, while an old one stays in the pool until the
 * requests that were sent to it have surely found it.
 *
 * Several Envoys may poll, each with its own version: an endpoint is known when every version that was polled with lately holds it.
 * Before the first poll everything counts as known, since an Envoy that was here before us still has the last pool.
 */
import { createHash } from 'node:crypto';
import type { Registry } from '../config/registry.ts';
import { usesCascade } from '../config/schema-cascade.ts';
import {
  CLUSTER_TYPE,
  poolCluster,
  poolMembers,
  type Addresses,
  type PoolMember,
  type PoolOptions,
} from './clusters.ts';
import { DEFAULT_CA_FILE } from './upstream.ts';
import type { JsonObject } from './xds.ts';

/** Milliseconds that an endpoint stays in the pool after it left the config, or DNS. */
const LINGER_MS = 10_000;
/**
 * A version that was not polled with for so long is held by nobody. Envoy polls every 0.25 to 0.5 s; a change of the config is in force
 * this time and one poll later, which has to stay under two seconds.
 */
const POLL_MEMORY_MS = 1200;
/** Versions that are remembered: more than change within POLL_MEMORY_MS. */
const MAX_VERSIONS = 64;

export type FeedAnswer = { readonly kind: 'unchanged' } | { readonly kind: 'clusters'; readonly response: JsonObject };

export interface PoolFeed {
  /** Takes over a new config or new addresses. */
  update(registry: Registry, addresses: Addresses): void;
  /** The answer to a poll of an Envoy that holds `knownVersion` (null or '': none yet). */
  answer(knownVersion: string | null): FeedAnswer;
  /** Does Envoy have this `ip:port`? */
  isKnown(address: string): boolean;
  /** The addresses that every polling Envoy has. */
  known(addresses: Addresses): Addresses;
}

interface Version {
  readonly name: string;
  readonly response: JsonObject;
  readonly addresses: ReadonlySet<string>;
}

export interface PoolFeedOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly caFile?: string;
}

/** A feed without endpoints: give it some with `update`. */
export function createPoolFeed({ clock, caFile = DEFAULT_CA_FILE }: PoolFeedOptions): PoolFeed {
  const lingering = new Map<string, { member: PoolMember; untilMs: number }>();
  const versions = new Map<string, Version>();
  /** When each version was last polled with; '' stands for none and for every version that is not (or no longer) ours. */
  const polls = new Map<string, number>();
  let members: readonly PoolMember[] = [];
  let connectMs = 1000;
  let pool: PoolOptions = {};
  let current = makeVersion([], connectMs, caFile, pool);
  versions.set(current.name, current);

  function refresh(): void {
    const now = clock();
    for (const [address, { untilMs }] of lingering) if (untilMs <= now) lingering.delete(address);
    const present = new Set(members.map(({ address }) => address));
    const left = [...lingering].filter(([address]) => !present.has(address)).map(([, { member }]) => member);
    const next = makeVersion([...members, ...left], connectMs, caFile, pool);
    if (next.name === current.name) return;
    current = next;
    versions.delete(next.name);
    versions.set(next.name, next);
    const oldest = versions.keys().next();
    if (versions.size > MAX_VERSIONS && oldest.done !== true) versions.delete(oldest.value);
  }

  /** The versions of the Envoys that are there; null when none polled yet. */
  function held(): readonly (Version | null)[] | null {
    if (polls.size === 0) return null;
    const since = clock() - POLL_MEMORY_MS;
    const recent = [...polls].filter(([, atMs]) => atMs >= since).map(([name]) => name);
    return recent.length === 0 ? null : recent.map((name) => versions.get(name) ?? null);
  }

  function isKnown(address: string): boolean {
    // An Envoy without one of our versions was given the current one in that very poll.
    return held()?.every((version) => version === null || version.addresses.has(address)) ?? true;
  }

  return {
    update: (registry, addresses) => {
      const untilMs = clock() + LINGER_MS;
      for (const member of members) lingering.set(member.address, { member, untilMs });
      members = poolMembers(registry, addresses);
      connectMs = registry.config.timeouts.connect;
      const { retry_budget, min_retries } = registry.config.fallback;
      pool = { budget: { share: retry_budget, least: min_retries }, hasCascade: usesCascade(registry.config) };
      refresh();
    },
    answer: (knownVersion) => {
      refresh();
      const version = knownVersion !== null && versions.has(knownVersion) ? knownVersion : '';
      const now = clock();
      polls.set(version, now);
      for (const [name, atMs] of polls) if (atMs < now - POLL_MEMORY_MS) polls.delete(name);
      return version === current.name ? { kind: 'unchanged' } : { kind: 'clusters', response: current.response };
    },
    isKnown,
    known: (addresses) => new Map([...addresses].map(([name, list]) => [name, list.filter(isKnown)])),
  };
}

function makeVersion(members: readonly PoolMember[], connectMs: number, caFile: string, pool: PoolOptions): Version {
  const cluster = poolCluster(members, connectMs, caFile, pool);
  const name = createHash('sha256').update(JSON.stringify(cluster)).digest('hex').slice(0, 16);
  return {
    name,
    addresses: new Set(members.map(({ address }) => address)),
    response: { version_info: name, type_url: CLUSTER_TYPE, nonce: name, resources: [cluster] },
  };
}
