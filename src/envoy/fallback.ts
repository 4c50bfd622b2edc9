/** Where requests go that the router did not decide on: one static cluster for each model (and key). */
import type { ModelEntry, Registry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import { discoveryType } from './address.ts';
import { configured, http1Options, lbEndpoint, transportSockets } from './upstream.ts';
import { CIRCUIT_BREAKERS, duration, type JsonObject } from './xds.ts';

/** Endpoints of one model that share a key, as one cluster. */
export interface FallbackTarget {
  readonly cluster: string;
  readonly model: ModelEntry;
  /** The variable that holds the endpoints' key; null: the client's own Authorization passes. */
  readonly apiKeyEnv: string | null;
  readonly endpoints: readonly EndpointConfig[];
  /** Sum of the endpoints' weights. */
  readonly weight: number;
}

/** The targets of every model that has an endpoint with a weight, in the file's order. Cluster names are unique and plain ASCII. */
export function fallbackTargets(registry: Registry): readonly FallbackTarget[] {
  const taken = new Set<string>();
  return [...registry.models.values()].flatMap((model) =>
    [...groupByKey(model.endpoints)].map(([apiKeyEnv, endpoints]) => ({
      cluster: uniqueName(model.name, taken),
      model,
      apiKeyEnv,
      endpoints,
      weight: endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0),
    })),
  );
}

/** The target as a static cluster; names are resolved by Envoy, since the router may be dead. */
export function fallbackCluster(target: FallbackTarget, connectMs: number, caFile: string): JsonObject {
  const { endpoints } = target;
  const path = endpoints.find((endpoint) => endpoint.health_check_path !== undefined)?.health_check_path;
  return {
    name: target.cluster,
    ...discoveryType(endpoints.map((endpoint) => configured(endpoint).host)),
    connect_timeout: duration(connectMs),
    // Not needed until the router fails: a slow name or a sick endpoint must not delay Envoy's start.
    wait_for_warm_on_init: false,
    circuit_breakers: CIRCUIT_BREAKERS,
    lb_policy: 'LEAST_REQUEST',
    ...(path === undefined ? {} : healthChecks(path)),
    load_assignment: {
      cluster_name: target.cluster,
      endpoints: [{ lb_endpoints: endpoints.map((endpoint) => fallbackEndpoint(endpoint, path)) }],
    },
    ...transportSockets(endpoints, caFile),
    ...http1Options(),
  };
}

/** A cluster has one health check: endpoints that want another path, or none, are not checked. */
function fallbackEndpoint(endpoint: EndpointConfig, path: string | undefined): JsonObject {
  const unchecked = path !== undefined && endpoint.health_check_path !== path;
  return lbEndpoint(
    endpoint,
    configured(endpoint),
    unchecked ? { health_check_config: { disable_active_health_check: true } } : {},
  );
}

function healthChecks(path: string): JsonObject {
  return {
    health_checks: [
      {
        timeout: '2s',
        interval: '5s',
        unhealthy_interval: '1s',
        unhealthy_threshold: 2,
        healthy_threshold: 1,
        http_health_check: { path },
      },
    ],
  };
}

function groupByKey(endpoints: readonly EndpointConfig[]): ReadonlyMap<string | null, readonly EndpointConfig[]> {
  const groups = new Map<string | null, EndpointConfig[]>();
  for (const endpoint of endpoints) {
    if (endpoint.weight === 0) continue;
    const key = endpoint.api_key_env ?? null;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [endpoint]);
    else group.push(endpoint);
  }
  return groups;
}

function uniqueName(model: string, taken: Set<string>): string {
  const base = `fallback_${model.replace(/[^A-Za-z0-9.-]+/g, '_')}`;
  let name = base;
  for (let n = 2; taken.has(name); n += 1) name = `${base}_${n}`;
  taken.add(name);
  return name;
}
