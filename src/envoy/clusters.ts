/** The `pool` cluster: every endpoint that may take traffic, chosen by the list that the router gives with each request. */
import type { Registry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import { DESTINATION_ENDPOINT, LOAD_BALANCER_NAMESPACE } from '../rewrite/headers.ts';
import { parseHostPort } from './address.ts';
import { attemptsFilter } from './attempts.ts';
import { cascadeFilter, retryFilter } from './filters.ts';
import { http1Options, lbEndpoint, transportSockets } from './upstream.ts';
import { CIRCUIT_BREAKERS, duration, extension, typed, type JsonObject } from './xds.ts';

export const POOL_CLUSTER = 'pool';
export const CLUSTER_TYPE = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

/** `ip:port` (IPv6 in brackets) of every endpoint by its name; absent or empty: not resolved. */
export type Addresses = ReadonlyMap<string, readonly string[]>;

/** An endpoint as Envoy gets it: one address of it. */
export interface PoolMember {
  readonly endpoint: EndpointConfig;
  /** `ip:port`, IPv6 in brackets. */
  readonly address: string;
}

/** Every address of every endpoint that is not drained, in the file's order; an address that two endpoints share comes once. */
export function poolMembers(registry: Registry, addresses: Addresses): readonly PoolMember[] {
  const members = new Map<string, PoolMember>();
  for (const endpoint of registry.endpoints.values()) {
    if (endpoint.weight === 0) continue;
    for (const address of addresses.get(endpoint.name) ?? [])
      if (!members.has(address)) members.set(address, { endpoint, address });
  }
  return [...members.values()];
}

/**
 * The pool as a CDS resource. The request's metadata `envoy.lb / x-gateway-destination-endpoint` lists `ip:port`s: entry n serves
 * attempt n. A request whose list is unknown or used up finds no host (503): a random one would serve another model.
 */
export function poolCluster(
  members: readonly PoolMember[],
  connectMs: number,
  caFile: string,
  { budget = DEFAULT_BUDGET, hasCascade = false }: PoolOptions = {},
): JsonObject {
  const endpoints = members.map((member) => member.endpoint);
  return {
    ...typed('envoy.config.cluster.v3.Cluster'),
    name: POOL_CLUSTER,
    type: 'STATIC',
    connect_timeout: duration(connectMs),
    circuit_breakers: withRetryBudget(budget),
    load_assignment: {
      cluster_name: POOL_CLUSTER,
      endpoints: [{ lb_endpoints: members.flatMap(poolEndpoint) }],
    },
    load_balancing_policy: { policies: [{ typed_extension_config: OVERRIDE_HOST }] },
    ...transportSockets(endpoints, caFile),
    // On the way back the last comes first: an answer is checked before its attempt is noted as over.
    ...http1Options([attemptsFilter(), ...(hasCascade ? [cascadeFilter()] : []), retryFilter()]),
  };
}

/** How many of the requests under way may be repeats: a share of them, and so many in any case. */
export interface RetryBudget {
  readonly share: number;
  readonly least: number;
}

export interface PoolOptions {
  readonly budget?: RetryBudget | undefined;
  /** Answers of some requests are checked; without it there is no filter that could. */
  readonly hasCascade?: boolean;
}

const DEFAULT_BUDGET: RetryBudget = { share: 0.2, least: 20 };

/** A repeat over the budget is not made: the client gets the answer that there is. */
function withRetryBudget({ share, least }: RetryBudget): JsonObject {
  const [threshold] = CIRCUIT_BREAKERS.thresholds;
  const retry_budget = { budget_percent: { value: share * 100 }, min_retry_concurrency: least };
  return { thresholds: [{ ...threshold, retry_budget }] };
}

function poolEndpoint({ endpoint, address }: PoolMember): JsonObject[] {
  const at = parseHostPort(address);
  return at === null ? [] : [lbEndpoint(endpoint, at)];
}

const ROUND_ROBIN = extension(
  'envoy.load_balancing_policies.round_robin',
  'envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin',
);

/** A subset policy without subsets and without a fallback picks no host, ever. */
const NO_HOST = extension(
  'envoy.load_balancing_policies.subset',
  'envoy.extensions.load_balancing_policies.subset.v3.Subset',
  {
    fallback_policy: 'NO_FALLBACK',
    subset_lb_policy: { policies: [{ typed_extension_config: ROUND_ROBIN }] },
  },
);

const OVERRIDE_HOST = extension(
  'envoy.load_balancing_policies.override_host',
  'envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost',
  {
    override_host_sources: [{ metadata: { key: LOAD_BALANCER_NAMESPACE, path: [{ key: DESTINATION_ENDPOINT }] } }],
    fallback_policy: { policies: [{ typed_extension_config: NO_HOST }] },
  },
);
