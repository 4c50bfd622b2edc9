import type { ModelEntry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';

/** What is known of the endpoints when a request arrives. */
export interface EndpointState {
  /** `ip:port` (IPv6 in brackets) of every endpoint by name; an endpoint that is absent or empty could not be resolved. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** Names of endpoints that health checks took out. Absent: all are healthy. */
  readonly unhealthy?: ReadonlySet<string>;
}

/** Why a model has no usable endpoint, or null when it has one. */
export type NotServed = 'no_endpoint' | 'drained' | 'unresolved' | 'unhealthy';

/** The model's endpoints that may take a request now, in configured order. */
export function usableEndpoints(model: ModelEntry, state: EndpointState): readonly EndpointConfig[] {
  return model.endpoints.filter(
    (endpoint) => endpoint.weight > 0 && isResolved(endpoint, state) && state.unhealthy?.has(endpoint.name) !== true,
  );
}

/** The first cause, in the order of the type, that leaves the model without an endpoint. */
export function whyNotServed(model: ModelEntry, state: EndpointState): NotServed | null {
  if (model.endpoints.length === 0) return 'no_endpoint';
  const active = model.endpoints.filter((endpoint) => endpoint.weight > 0);
  if (active.length === 0) return 'drained';
  const resolved = active.filter((endpoint) => isResolved(endpoint, state));
  if (resolved.length === 0) return 'unresolved';
  return resolved.every((endpoint) => state.unhealthy?.has(endpoint.name) === true) ? 'unhealthy' : null;
}

function isResolved(endpoint: EndpointConfig, state: EndpointState): boolean {
  return (state.addresses.get(endpoint.name)?.length ?? 0) > 0;
}
