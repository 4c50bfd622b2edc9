/** Header and metadata edits of a request, from plain values. Whoever writes them to the wire sets the new content-length. */
import {
  AUTHORIZATION,
  CLIENT_AUTHORIZATION,
  CLIENT_NAMESPACE,
  DESTINATION_ENDPOINT,
  ENVOY_MAX_RETRIES,
  ENVOY_RETRIABLE_HEADERS,
  ENVOY_RETRY_ON,
  LARGER_ENDPOINT,
  LOAD_BALANCER_NAMESPACE,
  SELECTED_MODEL,
  SWITCHYARD_CONTEXT_LENGTH,
  SWITCHYARD_DECISION,
  SWITCHYARD_ESCALATE,
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
  /** The client's own Authorization, kept for a later attempt that may have it; null: none, or no attempt may. */
  readonly clientAuthorization?: string | null;
  /** Take the client's Authorization off when the endpoint has no key of its own. */
  readonly stripAuthorization?: boolean;
  /** `ip:port`s among them that a prompt may go to that is too long for the first; absent or empty: such a refusal is the answer. */
  readonly largerAddresses?: readonly string[];
  /** An answer that does not pass a cascade's checks is asked for again from the next model. */
  readonly retryEscalated?: boolean;
}

/** The mutations that send a request to its first target and lay out the others. `metadata` goes along, by namespace. */
export function requestMutations(edits: RequestEdits, metadata: Mutations['metadata'] = {}): Mutations {
  const destination = edits.addresses.join(',');
  const larger = (edits.largerAddresses ?? []).join(',');
  const setHeaders: HeaderEdit[] = [
    { name: SELECTED_MODEL, value: edits.selectedModel },
    { name: DESTINATION_ENDPOINT, value: destination },
    { name: SWITCHYARD_DECISION, value: edits.decision },
    { name: ENVOY_MAX_RETRIES, value: String(Math.max(0, edits.addresses.length - 1)) },
    ...retriableAnswers([
      ...(larger === '' ? [] : [SWITCHYARD_CONTEXT_LENGTH]),
      ...(edits.retryEscalated === true ? [SWITCHYARD_ESCALATE] : []),
    ]),
    ...authorization(edits.apiKey),
  ];
  const kept = edits.clientAuthorization ?? null;
  return {
    body: edits.body,
    setHeaders,
    removeHeaders: edits.apiKey === null && edits.stripAuthorization === true ? [AUTHORIZATION] : [],
    metadata: {
      ...metadata,
      ...(kept === null ? {} : { [CLIENT_NAMESPACE]: { [CLIENT_AUTHORIZATION]: kept } }),
      [LOAD_BALANCER_NAMESPACE]: {
        ...metadata[LOAD_BALANCER_NAMESPACE],
        [DESTINATION_ENDPOINT]: destination,
        ...(larger === '' ? {} : { [LARGER_ENDPOINT]: larger }),
      },
    },
  };
}

/** Answers that look final to Envoy, and that a header of ours marks as worth another attempt. */
function retriableAnswers(marks: readonly string[]): readonly HeaderEdit[] {
  if (marks.length === 0) return [];
  return [
    { name: ENVOY_RETRY_ON, value: 'retriable-headers' },
    { name: ENVOY_RETRIABLE_HEADERS, value: marks.join(',') },
  ];
}

export interface RetryEdits {
  readonly body: Uint8Array | null;
  readonly selectedModel: string;
  /** This endpoint's own key, or null. */
  readonly apiKey: string | null;
  /** An earlier attempt put its endpoint's key in: it must not reach this one. */
  readonly carriesForeignKey: boolean;
  /** The client's own Authorization, which goes where no key does; null: it had none, or it goes nowhere. */
  readonly clientAuthorization?: string | null;
}

/** The mutations of a later attempt, at another endpoint: its body and its key. */
export function retryMutations(edits: RetryEdits): Mutations {
  const { body, selectedModel, apiKey, carriesForeignKey, clientAuthorization = null } = edits;
  const restored = apiKey === null && carriesForeignKey ? clientAuthorization : null;
  return {
    body,
    setHeaders: [
      { name: SELECTED_MODEL, value: selectedModel },
      ...authorization(apiKey),
      ...(restored === null ? [] : [{ name: AUTHORIZATION, value: restored }]),
    ],
    removeHeaders: apiKey === null && carriesForeignKey && restored === null ? [AUTHORIZATION] : [],
    metadata: {},
  };
}

function authorization(apiKey: string | null): HeaderEdit[] {
  return apiKey === null ? [] : [{ name: AUTHORIZATION, value: `Bearer ${apiKey}` }];
}
