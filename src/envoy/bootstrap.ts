/** Envoy's bootstrap: everything but the pool, which comes from the router while it runs. */
import { dump } from 'js-yaml';
import type { Registry } from '../config/registry.ts';
import { socketAddress, type HostPort } from './address.ts';
import { fallbackCluster, fallbackTargets } from './fallback.ts';
import { fallbackScript } from './fallback-script.ts';
import { ingressListener } from './listener.ts';
import { API_CLUSTER, routerClusters } from './router-clusters.ts';
import { DEFAULT_CA_FILE } from './upstream.ts';
import { extension, type JsonObject } from './xds.ts';

/** What a bootstrap is made from. `grpc` and `http` are where Envoy reaches the router. */
export interface BootstrapOptions {
  readonly registry: Registry;
  readonly listen: HostPort;
  readonly admin: HostPort;
  readonly grpc: HostPort;
  readonly http: HostPort;
  /** Certificates that endpoints with TLS are checked against, on Envoy's machine; default: Debian's and Envoy's images'. */
  readonly caFile?: string;
}

/** How often Envoy asks for the endpoints: what a new one waits before it can be used, at most twice this. */
const REFRESH = '0.25s';

/** More are refused, so that clients can't use up the proxy's file handles and memory. */
const MAX_CLIENT_CONNECTIONS = 20_000;

/** The bootstrap as a plain object. */
export function envoyBootstrap(options: BootstrapOptions): JsonObject {
  const { registry, listen, admin, grpc, http, caFile = DEFAULT_CA_FILE } = options;
  const targets = fallbackTargets(registry);
  const connectMs = registry.config.timeouts.connect;
  return {
    admin: { address: socketAddress(admin) },
    node: { id: 'switchyard', cluster: 'switchyard' },
    layered_runtime: {
      layers: [
        {
          name: 'static',
          // Without it every stream to the router ends in a reset, and Node drops a connection that sees too many of them.
          static_layer: { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': true },
        },
      ],
    },
    overload_manager: {
      resource_monitors: [
        extension(
          'envoy.resource_monitors.global_downstream_max_connections',
          'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
          { max_active_downstream_connections: MAX_CLIENT_CONNECTIONS },
        ),
      ],
    },
    dynamic_resources: {
      cds_config: {
        resource_api_version: 'V3',
        initial_fetch_timeout: '2s',
        api_config_source: {
          api_type: 'REST',
          transport_api_version: 'V3',
          cluster_names: [API_CLUSTER],
          refresh_delay: REFRESH,
          request_timeout: '1s',
        },
      },
    },
    static_resources: {
      listeners: [ingressListener(listen, registry.config, fallbackScript(registry, targets))],
      clusters: [...routerClusters(grpc, http), ...targets.map((target) => fallbackCluster(target, connectMs, caFile))],
    },
  };
}

/** The bootstrap as YAML, with a word on where it comes from. */
export function envoyYaml(options: BootstrapOptions): string {
  const yaml = dump(envoyBootstrap(options), { noRefs: true, lineWidth: -1 });
  return `# Printed by \`switchyard envoy\`. Change the router's config and print it again instead of editing this.\n${yaml}`;
}
