import type { EndpointConfig } from '../config/schema.ts';

/** What is known of the endpoints when a request arrives. */
export interface EndpointState {
  /** `ip:port` (IPv6 in brackets) of every endpoint by name; an endpoint that is absent or empty could not be resolved. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Names of endpoints that take nothing now: failing, or as busy as they may be. Absent: all are healthy. */
  readonly unhealthy?: ReadonlySet<string>;
  /** Names of models that have as many requests under way as they may. Absent: none has. */
  readonly fullModels?: ReadonlySet<string>;
}

/** Why a model has no usable endpoint, or null when it has one. */
export type NotServed = 'no_endpoint' | 'drained' | 'unresolved' | 'unhealthy';

/** Those of a model's endpoints that may take a request now, in their order. */
export function usableEndpoints(endpoints: readonly EndpointConfig[], state: EndpointState): readonly EndpointConfig[] {
  return endpoints.filter(
    (endpoint) => endpoint.weight > 0 && isResolved(endpoint, state) && state.unhealthy?.has(endpoint.name) !== true,
  );
}

/** The first cause, in the order of the type, that leaves none of a model's endpoints usable. */
export function whyNotServed(endpoints: readonly EndpointConfig[], state: EndpointState): NotServed | null {
  if (endpoints.length === 0) return 'no_endpoint';
  const active = endpoints.filter((endpoint) => endpoint.weight > 0);
  if (active.length === 0) return 'drained';
  const resolved = active.filter((endpoint) => isResolved(endpoint, state));
  if (resolved.length === 0) return 'unresolved';
  return resolved.every((endpoint) => state.unhealthy?.has(endpoint.name) === true) ? 'unhealthy' : null;
}

function isResolved(endpoint: EndpointConfig, state: EndpointState): boolean {
  return (state.addresses.get(endpoint.name)?.length ?? 0) > 0;
}
