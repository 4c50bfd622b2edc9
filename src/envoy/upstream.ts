/** What every cluster of model endpoints has in common: the endpoints themselves, TLS and the HTTP options. */
import { isIP } from 'node:net';
import type { EndpointConfig } from '../config/schema.ts';
import { formatHostPort, socketAddress, type HostPort } from './address.ts';
import { extension, typed, type Json, type JsonObject } from './xds.ts';

/** Where Debian, Ubuntu, Alpine and Envoy's own images keep the system's roots. */
export const DEFAULT_CA_FILE = '/etc/ssl/certs/ca-certificates.crt';

/**
 * vLLM (uvicorn) and Node close a connection that was idle for 5 s. Closing ours first means that a request never meets a
 * connection that the other side is just closing.
 */
const IDLE_BEFORE_THE_SERVERS_MS = 4000;

const UPSTREAM_TLS = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** The Host header that an endpoint expects: its configured address, with the port unless it is the scheme's own. */
export function hostHeader(endpoint: EndpointConfig): string {
  const { host, port } = configured(endpoint);
  return port === (usesTls(endpoint) ? 443 : 80) ? bracketed(host) : formatHostPort({ host, port });
}

/** One `lb_endpoint`: `at` is where Envoy connects (a resolved address, or the configured name for DNS clusters). */
export function lbEndpoint(endpoint: EndpointConfig, at: HostPort, extra: JsonObject = {}): JsonObject {
  return {
    endpoint: { hostname: hostHeader(endpoint), address: socketAddress(at), ...extra },
    load_balancing_weight: Math.max(1, endpoint.weight),
    metadata: {
      filter_metadata: {
        switchyard: { endpoint: endpoint.name },
        ...(usesTls(endpoint) ? { 'envoy.transport_socket_match': { tls: tlsKey(endpoint) } } : {}),
      },
    },
  };
}

/** The transport sockets of a cluster whose endpoints may differ in TLS and SNI; nothing when none of them uses TLS. */
export function transportSockets(endpoints: readonly EndpointConfig[], caFile: string): JsonObject {
  const byKey = new Map<string, EndpointConfig>();
  for (const endpoint of endpoints) if (usesTls(endpoint)) byKey.set(tlsKey(endpoint), endpoint);
  if (byKey.size === 0) return {};
  return {
    transport_socket_matches: [...byKey].map(([key, endpoint]) => ({
      name: key,
      match: { tls: key },
      transport_socket: extension('envoy.transport_sockets.tls', UPSTREAM_TLS, tlsContext(endpoint, caFile)),
    })),
  };
}

/** HTTP/1.1 to the endpoints, with the given upstream filters before the codec. */
export function http1Options(filters: readonly Json[] = []): JsonObject {
  return {
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        common_http_protocol_options: { idle_timeout: `${IDLE_BEFORE_THE_SERVERS_MS / 1000}s` },
        explicit_http_config: { http_protocol_options: {} },
        ...(filters.length === 0 ? {} : { http_filters: [...filters, UPSTREAM_CODEC] }),
      }),
    },
  };
}

/** HTTP/2 for gRPC; `maxRequests` closes a connection after that many streams. */
export function http2Options(maxRequests: number): JsonObject {
  return {
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        common_http_protocol_options: { max_requests_per_connection: maxRequests },
        explicit_http_config: { http2_protocol_options: {} },
      }),
    },
  };
}

/** The configured address. */
export function configured(endpoint: EndpointConfig): HostPort {
  return { host: endpoint.address, port: endpoint.port };
}

const UPSTREAM_CODEC = extension(
  'envoy.filters.http.upstream_codec',
  'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec',
);

function usesTls(endpoint: EndpointConfig): boolean {
  return endpoint.tls?.enabled === true;
}

/** The name that the server's certificate must carry: the configured SNI, else the address. */
function serverName(endpoint: EndpointConfig): string {
  return endpoint.tls?.sni ?? configured(endpoint).host;
}

function tlsKey(endpoint: EndpointConfig): string {
  return `tls:${serverName(endpoint)}`;
}

function tlsContext(endpoint: EndpointConfig, caFile: string): JsonObject {
  const name = serverName(endpoint);
  const isAddress = isIP(name) !== 0;
  return {
    // An IP address is no SNI (RFC 6066, section 3).
    ...(isAddress ? {} : { sni: name }),
    common_tls_context: {
      alpn_protocols: ['http/1.1'],
      validation_context: {
        trusted_ca: { filename: caFile },
        match_typed_subject_alt_names: [{ san_type: isAddress ? 'IP_ADDRESS' : 'DNS', matcher: { exact: name } }],
      },
    },
  };
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
