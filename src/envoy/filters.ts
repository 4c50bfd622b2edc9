/** The ext_proc filters: one that routes, one that only watches the answer, one that runs on retries, one that checks a cascade's answers. */
import {
  ATTEMPTS_NAMESPACE,
  CASCADE_NAMESPACE,
  CASCADE_ON,
  CHECKED_NAMESPACE,
  CLIENT_NAMESPACE,
  ENVOY_ATTEMPT_COUNT,
  KEPT_NAMESPACE,
  LOAD_BALANCER_NAMESPACE,
} from '../rewrite/headers.ts';
import { duration, extension, typed, type Json, type JsonObject } from './xds.ts';

export const ROUTER_CLUSTER = 'router';
export const OBSERVER_CLUSTER = 'router_observe';

/** Dynamic metadata that the router sets on a request and reads again in the other filters. */
const OUR_NAMESPACE = 'switchyard';

export const ROUTE_FILTER = 'envoy.filters.http.ext_proc';
export const OBSERVE_FILTER = 'switchyard.observe';

const EXT_PROC = 'envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor';
const EXT_PROC_PER_ROUTE = 'envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute';

/**
 * The router ends its own waiting by itself (`longestWaitMs`); this is the time for a router that hangs. Above the two seconds in which the
 * health check finds that out and closes the connections, so that it is seldom waited for.
 */
const HUNG_ROUTER_MS = 2000;

/** The filter that routes. It always lets a request on when the router fails: what then happens is the fallback filter's to say. */
export function routeFilter(waitMs: number): JsonObject {
  return extension(ROUTE_FILTER, EXT_PROC, {
    grpc_service: grpcService(ROUTER_CLUSTER, 'route'),
    // The router asks for the response's headers request by request: Envoy's own refusals of what never was a request must not wait for it.
    processing_mode: { request_header_mode: 'SEND', request_body_mode: 'BUFFERED', response_header_mode: 'SKIP' },
    allow_mode_override: true,
    failure_mode_allow: true,
    message_timeout: duration(HUNG_ROUTER_MS + waitMs),
    // The router says how many attempts a request may have (x-envoy-max-retries).
    mutation_rules: { allow_envoy: true },
    response_attributes: ['upstream.address', 'upstream.request_attempt_count', 'response.code_details'],
    metadata_options: {
      receiving_namespaces: {
        untyped: [LOAD_BALANCER_NAMESPACE, OUR_NAMESPACE, CLIENT_NAMESPACE, CASCADE_NAMESPACE],
      },
      forwarding_namespaces: { untyped: [OUR_NAMESPACE, ATTEMPTS_NAMESPACE, CHECKED_NAMESPACE, KEPT_NAMESPACE] },
    },
  });
}

/**
 * The filter that reads token usage from the answer. In observability mode Envoy sends copies and waits for nothing, so it can
 * neither delay nor break an answer.
 */
export function observeFilter(): JsonObject {
  return extension(OBSERVE_FILTER, EXT_PROC, {
    grpc_service: grpcService(OBSERVER_CLUSTER, 'observe'),
    processing_mode: {
      // All that is read of the request travels with it, as metadata. Still its headers open the stream: with SKIP, Envoy 1.40 opened it
      // when the answer came, and crashed in two of six shutdowns that followed load.
      request_header_mode: 'SEND',
      response_header_mode: 'SEND',
      response_body_mode: 'STREAMED',
    },
    observability_mode: true,
    // Without it a dead router turns every answer into a 500.
    failure_mode_allow: true,
    // How long a finished stream is kept for what is still on its way; the default of 5 s piles streams up.
    deferred_close_timeout: '0.2s',
    response_attributes: ['upstream.address', 'upstream.request_attempt_count', 'response.code_details'],
    metadata_options: { forwarding_namespaces: { untyped: [OUR_NAMESPACE, ATTEMPTS_NAMESPACE] } },
  });
}

/**
 * The upstream filter that fits the body to the endpoint of a second or later attempt. Attempt 1 skips it and pays nothing for it.
 */
export function retryFilter(): JsonObject {
  return extension('switchyard.retry', 'envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
    xds_matcher: {
      matcher_tree: {
        input: extension('attempt', 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput', {
          header_name: ENVOY_ATTEMPT_COUNT,
        }),
        exact_match_map: {
          map: {
            '1': {
              action: extension('skip', 'envoy.extensions.filters.common.matcher.action.v3.SkipFilter'),
            },
          },
        },
      },
    },
    extension_config: extension('envoy.filters.http.ext_proc', EXT_PROC, {
      grpc_service: grpcService(ROUTER_CLUSTER, 'retry'),
      processing_mode: { request_header_mode: 'SEND', request_body_mode: 'BUFFERED', response_header_mode: 'SKIP' },
      request_attributes: ['upstream.address'],
      message_timeout: duration(HUNG_ROUTER_MS),
      // Without a body for its endpoint the attempt can't be made, and a client may try again: not the 500 that it is by default.
      status_on_error: { code: 'ServiceUnavailable' },
      metadata_options: {
        forwarding_namespaces: {
          untyped: [OUR_NAMESPACE, LOAD_BALANCER_NAMESPACE, ATTEMPTS_NAMESPACE, CLIENT_NAMESPACE, CHECKED_NAMESPACE],
        },
      },
    }),
  });
}

/**
 * The upstream filter that shows a cascade's answers to the router before anybody else gets them. All other requests skip it by their metadata, so it
 * opens no stream for them. The router asks for a body answer by answer; without the router the answer passes unchecked.
 */
export function cascadeFilter(): JsonObject {
  const isCascade = {
    single_predicate: {
      input: extension('cascade', 'envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput', {
        filter: CASCADE_NAMESPACE,
        path: [{ key: CASCADE_ON }],
      }),
      custom_match: extension('on', 'envoy.extensions.matching.input_matchers.metadata.v3.Metadata', {
        value: { string_match: { exact: '1' } },
      }),
    },
  };
  return extension('switchyard.cascade', 'envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
    xds_matcher: {
      matcher_list: {
        matchers: [
          {
            predicate: { not_matcher: isCascade },
            on_match: {
              action: extension('skip', 'envoy.extensions.filters.common.matcher.action.v3.SkipFilter'),
            },
          },
        ],
      },
    },
    extension_config: extension('envoy.filters.http.ext_proc', EXT_PROC, {
      grpc_service: grpcService(ROUTER_CLUSTER, 'check'),
      processing_mode: { request_header_mode: 'SKIP', response_header_mode: 'SEND', response_body_mode: 'NONE' },
      allow_mode_override: true,
      failure_mode_allow: true,
      message_timeout: duration(HUNG_ROUTER_MS),
      response_attributes: ['upstream.address', 'upstream.request_attempt_count'],
      metadata_options: {
        receiving_namespaces: { untyped: [CHECKED_NAMESPACE, KEPT_NAMESPACE] },
        forwarding_namespaces: {
          untyped: [OUR_NAMESPACE, ATTEMPTS_NAMESPACE, CASCADE_NAMESPACE, CHECKED_NAMESPACE],
        },
      },
    }),
  });
}

/** Switches both downstream filters off on a route. */
export function withoutRouter(): Record<string, Json> {
  const off = typed(EXT_PROC_PER_ROUTE, { disabled: true });
  return { [ROUTE_FILTER]: off, [OBSERVE_FILTER]: off };
}

function grpcService(cluster: string, role: 'route' | 'observe' | 'retry' | 'check'): JsonObject {
  return {
    envoy_grpc: { cluster_name: cluster },
    initial_metadata: [{ key: 'x-switchyard-role', value: role }],
  };
}
