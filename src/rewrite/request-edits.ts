/** Header and metadata edits of a request, from plain values. Whoever writes them to the wire sets the new content-length. */
import {
  AUTHORIZATION,
  DESTINATION_ENDPOINT,
  ENVOY_MAX_RETRIES,
  LOAD_BALANCER_NAMESPACE,
  SELECTED_MODEL,
  SWITCHYARD_DECISION,
} from './headers.ts';
import type { HeaderEdit, Mutations } from './mutations.ts';

export interface RequestEdits {
  /** The edited body; null when it stays as it came. */
  readonly body: Uint8Array | null;
  readonly selectedModel: string;
  /** `ip:port` of each attempt, in order; at least one. */
  readonly addresses: readonly string[];
  /** A rule's name, `auto` or `model_specified`. */
  readonly decision: string;
  /** The endpoint's own key, sent in place of the client's; null: the client's Authorization passes. */
  readonly apiKey: string | null;
}

/** The mutations that send a request to its first target and lay out the others. `metadata` goes along, by namespace. */
export function requestMutations(edits: RequestEdits, metadata: Mutations['metadata'] = {}): Mutations {
  const destination = edits.addresses.join(',');
  const setHeaders: HeaderEdit[] = [
    { name: SELECTED_MODEL, value: edits.selectedModel },
    { name: DESTINATION_ENDPOINT, value: destination },
    { name: SWITCHYARD_DECISION, value: edits.decision },
    { name: ENVOY_MAX_RETRIES, value: String(Math.max(0, edits.addresses.length - 1)) },
    ...authorization(edits.apiKey),
  ];
  return {
    body: edits.body,
    setHeaders,
    removeHeaders: [],
    metadata: {
      ...metadata,
      [LOAD_BALANCER_NAMESPACE]: { ...metadata[LOAD_BALANCER_NAMESPACE], [DESTINATION_ENDPOINT]: destination },
    },
  };
}

export interface RetryEdits {
  readonly body: Uint8Array | null;
  readonly selectedModel: string;
  /** This endpoint's own key, or null. */
  readonly apiKey: string | null;
  /** An earlier attempt put its endpoint's key in: it must not reach this one. */
  readonly carriesForeignKey: boolean;
}

/** The mutations of a later attempt, at another endpoint: its body and its key. */
export function retryMutations({ body, selectedModel, apiKey, carriesForeignKey }: RetryEdits): Mutations {
  return {
    body,
    setHeaders: [{ name: SELECTED_MODEL, value: selectedModel }, ...authorization(apiKey)],
    removeHeaders: apiKey === null && carriesForeignKey ? [AUTHORIZATION] : [],
    metadata: {},
  };
}

function authorization(apiKey: string | null): HeaderEdit[] {
  return apiKey === null ? [] : [{ name: AUTHORIZATION, value: `Bearer ${apiKey}` }];
}
