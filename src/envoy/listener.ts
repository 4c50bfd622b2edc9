/** The listener that clients talk to: what is stripped, which filters run, and where a request then goes. */
import type { RouterConfig } from '../config/schema.ts';
import { longestWaitMs } from '../config/waiting.ts';
import {
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
  SWITCHYARD_CONTEXT_LENGTH,
  SWITCHYARD_DECISION,
  SWITCHYARD_ESCALATE,
  VSR_SELECTED_MODEL,
} from '../rewrite/headers.ts';
import { socketAddress, type HostPort } from './address.ts';
import { POOL_CLUSTER } from './clusters.ts';
import { FALLBACK_HEADER, FALLBACK_NAMESPACE } from './fallback-script.ts';
import { observeFilter, routeFilter, withoutRouter } from './filters.ts';
import { localReplies } from './local-reply.ts';
import { API_CLUSTER } from './router-clusters.ts';
import { duration, extension, typed, type JsonObject } from './xds.ts';

const LUA = 'envoy.filters.http.lua';
/** A model may think for minutes between two tokens. */
const IDLE_MS = 600_000;
/** For the router's own API: lists, not models. */
const API_TIMEOUT_MS = 2000;

/** The ingress listener. `script` is the fallback filter's Lua. */
export function ingressListener(listen: HostPort, config: RouterConfig, script: string): JsonObject {
  return {
    name: 'ingress',
    address: socketAddress(listen),
    filter_chains: [
      {
        filters: [
          extension(
            'envoy.filters.network.http_connection_manager',
            'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            connectionManager(config, script),
          ),
        ],
      },
    ],
  };
}

function connectionManager(config: RouterConfig, script: string): JsonObject {
  return {
    stat_prefix: 'ingress',
    // A base URL that ends in a slash gives `//v1/…`, which no endpoint knows.
    merge_slashes: true,
    stream_idle_timeout: duration(IDLE_MS),
    // A client's x-request-id stays as it is; without one, one is made. Both go to the endpoint and back to the client.
    preserve_external_request_id: true,
    always_set_request_id_in_response: true,
    request_id_extension: {
      typed_config: typed('envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', { pack_trace_reason: false }),
    },
    early_header_mutation_extensions: [stripRoutingHeaders()],
    local_reply_config: localReplies(),
    http_filters: [
      routeFilter(longestWaitMs(config)),
      observeFilter(),
      extension(LUA, 'envoy.extensions.filters.http.lua.v3.Lua', { default_source_code: { inline_string: script } }),
      extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router'),
    ],
    route_config: {
      name: 'ingress',
      // The pool comes from the router, after this is loaded.
      validate_clusters: false,
      virtual_hosts: [
        {
          name: 'llm',
          domains: ['*'],
          include_request_attempt_count: true,
          // Of what is buffered for the router and for a retry; a larger body gets 413.
          request_body_buffer_limit: config.limits.request_body,
          routes: routes(config),
        },
      ],
    },
  };
}

/** Before routing and before every filter: request_headers_to_remove would come after both. */
function stripRoutingHeaders(): JsonObject {
  return extension('strip', 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
    mutations: [
      ...STRIPPED_PREFIXES.map((prefix) => ({ remove_on_match: { key_matcher: { prefix } } })),
      ...STRIPPED_NAMES.map((name) => ({ remove: name })),
    ],
  });
}

function routes(config: RouterConfig): JsonObject[] {
  return [
    modelListRoute({ path: '/v1/models' }),
    modelListRoute({ path_separated_prefix: '/v1/models' }),
    decidedRoute(config),
    fallbackRoute(config),
  ];
}

/** The list of models is the router's own answer; with the router dead it is a 503. */
function modelListRoute(match: JsonObject): JsonObject {
  return {
    match,
    route: {
      cluster: API_CLUSTER,
      timeout: duration(API_TIMEOUT_MS),
      retry_policy: { retry_on: 'connect-failure,refused-stream,reset', num_retries: 1 },
    },
    typed_per_filter_config: {
      ...withoutRouter(),
      [LUA]: typed('envoy.extensions.filters.http.lua.v3.LuaPerRoute', { disabled: true }),
    },
  };
}

/** A request that the router decided on. How often it may be tried again is the router's to say (x-envoy-max-retries). */
function decidedRoute(config: RouterConfig): JsonObject {
  return {
    match: { prefix: '/', headers: [{ name: SWITCHYARD_DECISION, present_match: true }] },
    request_headers_to_remove: [SWITCHYARD_DECISION],
    response_headers_to_remove: [SWITCHYARD_CONTEXT_LENGTH, SWITCHYARD_ESCALATE],
    route: {
      cluster: POOL_CLUSTER,
      ...modelTimeouts(config),
      auto_host_rewrite: true,
      retry_policy: {
        ...retriable(config.fallback.retry_on),
        num_retries: 0,
        per_try_timeout: duration(config.timeouts.first_byte),
        retry_back_off: { base_interval: '0.025s', max_interval: '0.25s' },
      },
    },
  };
}

/** Envoy's words for the causes. Its own `5xx` would take resets and timeouts along: the statuses are named one by one. */
function retriable(causes: RouterConfig['fallback']['retry_on']): JsonObject {
  const words = [
    ...(causes.includes('connect') ? ['connect-failure', 'refused-stream'] : []),
    ...(causes.includes('reset') ? ['reset'] : []),
    'retriable-status-codes',
  ];
  const statuses = [...(causes.includes('5xx') ? SERVER_ERRORS : []), ...(causes.includes('429') ? [429] : [])];
  return { retry_on: words.join(','), retriable_status_codes: statuses };
}

/** Of a server, of the proxies before it, and 529 of hosted models that are overloaded. 501 and 505 will not get better. */
const SERVER_ERRORS: readonly number[] = [500, 502, 503, 504, 520, 521, 522, 523, 524, 529];

/**
 * A request that the router failed to decide on, sent by the fallback filter to an endpoint of the right model. It is also the route
 * that every request has until it is decided on, so that the body limit holds (a direct response would have Envoy's default of 1 MiB).
 * Should the filter itself fail, there is no cluster to go to: 503.
 */
function fallbackRoute(config: RouterConfig): JsonObject {
  return {
    match: { prefix: '/' },
    request_headers_to_remove: [FALLBACK_HEADER],
    response_headers_to_add: [
      { header: { key: SWITCHYARD_DECISION, value: `%DYNAMIC_METADATA(${FALLBACK_NAMESPACE}:decision)%` } },
      { header: { key: VSR_SELECTED_MODEL, value: `%DYNAMIC_METADATA(${FALLBACK_NAMESPACE}:model)%` } },
    ],
    route: {
      cluster_header: FALLBACK_HEADER,
      ...modelTimeouts(config),
      auto_host_rewrite: true,
      retry_policy: {
        // Only what can't have reached a model: another endpoint of the same model may take it.
        retry_on: 'connect-failure,refused-stream,reset-before-request',
        num_retries: 2,
        per_try_timeout: duration(config.timeouts.first_byte),
        retry_host_predicate: [
          extension(
            'envoy.retry_host_predicates.previous_hosts',
            'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
          ),
        ],
        host_selection_retry_max_attempts: 5,
      },
    },
  };
}

function modelTimeouts(config: RouterConfig): JsonObject {
  const { total } = config.timeouts;
  return { timeout: total === undefined ? '0s' : duration(total), idle_timeout: duration(IDLE_MS) };
}
