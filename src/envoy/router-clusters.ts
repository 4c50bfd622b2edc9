/** The clusters that reach the router itself. */
import { discoveryType, reachable, socketAddress, type HostPort } from './address.ts';
import { OBSERVER_CLUSTER, ROUTER_CLUSTER } from './filters.ts';
import { http1Options, http2Options } from './upstream.ts';
import { CIRCUIT_BREAKERS, type JsonObject } from './xds.ts';

/** The router's HTTP API: clusters (CDS) and GET /v1/models. */
export const API_CLUSTER = 'router_api';

/**
 * Node ends a connection on which more than 1,000 streams were reset in a burst (its guard against CVE-2023-44487), and with it the streams
 * that are under way. Envoy resets every observing stream at its end, and a routing stream whose client hangs up. A connection that is
 * replaced before its thousandth stream never meets the guard.
 */
const STREAMS_PER_CONNECTION = 900;

/** The router's two gRPC clusters and its HTTP one. Observing has its own connections, so that its resets can't touch routing. */
export function routerClusters(grpc: HostPort, http: HostPort): JsonObject[] {
  return [
    { ...routerCluster(ROUTER_CLUSTER, grpc), ...http2Options(STREAMS_PER_CONNECTION), ...HEALTH_CHECKED },
    { ...routerCluster(OBSERVER_CLUSTER, grpc), ...http2Options(STREAMS_PER_CONNECTION), ...HEALTH_CHECKED },
    { ...routerCluster(API_CLUSTER, http), ...http1Options() },
  ];
}

/**
 * A hung router is out after two checks of 0.75 s that are 0.25 s apart: at most 2 s. An event loop that is only busy has to be
 * blocked for 1.75 s to be taken for hung. One good check brings it back.
 */
const HEALTH_CHECKED: JsonObject = {
  health_checks: [
    {
      timeout: '0.75s',
      interval: '0.25s',
      no_traffic_interval: '0.25s',
      unhealthy_threshold: 2,
      healthy_threshold: 1,
      grpc_health_check: {},
    },
  ],
  // Threshold 0: with no healthy router, fail at once instead of trying the sick one.
  common_lb_config: { healthy_panic_threshold: { value: 0 } },
  // What waits for a hung router is let go the moment it is known to hang.
  close_connections_on_host_health_failure: true,
};

function routerCluster(name: string, at: HostPort): JsonObject {
  const address = reachable(at);
  return {
    name,
    ...discoveryType([address.host]),
    connect_timeout: '1s',
    circuit_breakers: CIRCUIT_BREAKERS,
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address) } }] }],
    },
  };
}
