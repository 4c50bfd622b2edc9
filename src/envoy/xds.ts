/** Small words for writing Envoy's configuration as plain objects; JSON is what Envoy reads, in a file as in an xDS answer. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A google.protobuf.Any: `value` with the type that says how Envoy reads it. */
export function typed(type: string, value: JsonObject = {}): JsonObject {
  return { '@type': `type.googleapis.com/${type}`, ...value };
}

/** An extension: its registered name and its typed config. */
export function extension(name: string, type: string, value: JsonObject = {}): JsonObject {
  return { name, typed_config: typed(type, value) };
}

/** A protobuf duration of `ms` milliseconds: 250 → "0.25s". */
export function duration(ms: number): string {
  return `${ms / 1000}s`;
}

/**
 * Envoy opens a circuit breaker at 1,024 requests (3 retries) by default. A router's requests and model answers last long, so that
 * is reached by ordinary traffic; it then refuses requests, or leaves them unrouted. Load is limited where it can be answered
 * properly, in the router and at the endpoints.
 */
const NO_BREAKER = 1_000_000;
export const CIRCUIT_BREAKERS = {
  thresholds: [
    {
      max_connections: NO_BREAKER,
      max_pending_requests: NO_BREAKER,
      max_requests: NO_BREAKER,
      max_retries: NO_BREAKER,
    },
  ],
} as const satisfies JsonObject;
