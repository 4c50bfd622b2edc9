/**
 * Every header that the router reads or writes, once. Names are lower case, as HTTP/2 and Envoy have them.
 */

/** The chosen model's configured name, for people who route by header in their own Envoy configuration. */
export const SELECTED_MODEL = 'x-selected-model';
/** The plan as `ip:port,ip:port`: entry n serves attempt n. Also the key in the dynamic metadata below. */
export const DESTINATION_ENDPOINT = 'x-gateway-destination-endpoint';
/** Namespace of dynamic metadata that Envoy's load balancers read. */
export const LOAD_BALANCER_NAMESPACE = 'envoy.lb';
/** Key beside the plan: the part of it that a prompt may go to that was too long for the first target. */
export const LARGER_ENDPOINT = 'x-switchyard-larger-endpoint';

/** Namespace and key under which the client's own Authorization waits for an attempt that may have it. */
export const CLIENT_NAMESPACE = 'switchyard.client';
export const CLIENT_AUTHORIZATION = 'authorization';

/** Key beside them: the first target, set where Envoy has not read the list yet when that one answers. */
export const FIRST_ENDPOINT = 'x-switchyard-first-endpoint';

/** Namespace in which Envoy notes what became of each attempt (envoy/attempts.ts says in which form). */
export const ATTEMPTS_NAMESPACE = 'switchyard.attempts';
/** Key in it: the last error that an endpoint gave and that was tried again. */
export const LAST_ERROR_KEY = 'error';
/** Key in it: set where the prompt was too long for the first target and those with a larger window took the place of the others. */
export const LARGER_KEY = 'larger';

/** Namespace and keys of what a cascade's answers must pass; without it an answer is not looked at (cascade/carried.ts). */
export const CASCADE_NAMESPACE = 'switchyard.cascade';
export const CASCADE_ON = 'on';
export const CASCADE_WANTED = 'wanted';
/** Namespace of what came of the checks, by attempt. */
export const CHECKED_NAMESPACE = 'switchyard.checked';
/** Namespace of the answers that did not pass, by attempt: one of them is given when every later attempt fails. */
export const KEPT_NAMESPACE = 'switchyard.kept';

// On responses: names of the classic vLLM router.
export const VSR_SELECTED_MODEL = 'x-vsr-selected-model';
export const VSR_SELECTED_CATEGORY = 'x-vsr-selected-category';
export const VSR_SELECTED_REASONING = 'x-vsr-selected-reasoning';
export const VSR_INJECTED_SYSTEM_PROMPT = 'x-vsr-injected-system-prompt';

/** A rule's name, `auto` or `model_specified`. On the request it tells Envoy's routes that the router has decided; Envoy takes it off. */
export const SWITCHYARD_DECISION = 'x-switchyard-decision';
export const SWITCHYARD_CONFIDENCE = 'x-switchyard-confidence';
export const SWITCHYARD_ATTEMPTS = 'x-switchyard-attempts';
/** What a cascade's checks said: `passed`, `unchecked`, `escalated:CHECK` (a later model answered) or `kept:CHECK`. */
export const SWITCHYARD_CASCADE = 'x-switchyard-cascade';
/** The explanation in one line, for callers who asked for it and may have it. */
export const SWITCHYARD_TRACE = 'x-switchyard-trace';
export const SWITCHYARD_LATENCY_MS = 'x-switchyard-latency-ms';

/** Which attempt Envoy is making, from 1. Envoy overwrites a client's. */
export const ENVOY_ATTEMPT_COUNT = 'x-envoy-attempt-count';
/** How often Envoy may try again: one less than there are targets, so that no attempt goes to an endpoint outside the plan. */
export const ENVOY_MAX_RETRIES = 'x-envoy-max-retries';

/** Marks a 400 that says the prompt is too long for the model; set between Envoy's filters, never seen outside. */
export const SWITCHYARD_CONTEXT_LENGTH = 'x-switchyard-context-length';
/** Marks an answer that did not pass a cascade's checks; set between Envoy's filters, never seen outside. */
export const SWITCHYARD_ESCALATE = 'x-switchyard-escalate';
/** What Envoy may try again, beside what its route says, and the headers that make an answer worth it. */
export const ENVOY_RETRY_ON = 'x-envoy-retry-on';
export const ENVOY_RETRIABLE_HEADERS = 'x-envoy-retriable-header-names';

export const REQUEST_ID = 'x-request-id';
export const AUTHORIZATION = 'authorization';
export const CONTENT_LENGTH = 'content-length';
export const RETRY_AFTER = 'retry-after';
export const CONTENT_TYPE = 'content-type';
export const CONTENT_ENCODING = 'content-encoding';
export const ACCEPT_ENCODING = 'accept-encoding';
export const ALLOW = 'allow';

/** Headers that steer routing or tell of it: a client's are stripped before routing and before the router sees the request. */
export const STRIPPED_PREFIXES = ['x-switchyard-', 'x-vsr-', 'x-envoy-'] as const;
export const STRIPPED_NAMES = [SELECTED_MODEL, DESTINATION_ENDPOINT] as const;

/** Headers as the router would see them of a client: names in lower case, those that Envoy strips left out; the last of a repeated one counts. */
export function clientHeaders(given: Iterable<readonly [string, string]>): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of given) {
    const key = name.toLowerCase();
    const isStripped =
      STRIPPED_PREFIXES.some((prefix) => key.startsWith(prefix)) || STRIPPED_NAMES.some((stripped) => stripped === key);
    if (!isStripped) headers.set(key, value);
  }
  return headers;
}
