/** Events and effects of one ext_proc stream, in our own words; wire.ts translates from and to protobuf. */
import type { Mutations, HeaderEdit } from '../rewrite/mutations.ts';

/** Header names are lower case, pseudo headers (`:path`) included; a repeated header is joined by ', '. */
export type Headers = ReadonlyMap<string, string>;
/** Attributes that Envoy sends along, flattened: 'upstream.address' → '127.0.0.1:8000'. */
export type Attributes = ReadonlyMap<string, string>;
export type MetadataValue =
  string | number | boolean | null | readonly MetadataValue[] | { readonly [key: string]: MetadataValue };
/** Dynamic metadata by namespace, as the filter forwards it: 'envoy.lb' → { 'x-gateway-destination-endpoint': … }. */
export type DynamicMetadata = ReadonlyMap<string, { readonly [key: string]: MetadataValue }>;

/** Which filter opened the stream (its initial metadata x-switchyard-role). */
export type StreamRole = 'route' | 'retry' | 'observe' | 'check';

export type RequestPhase = 'request_headers' | 'request_body' | 'request_trailers';
export type ResponsePhase = 'response_headers' | 'response_body' | 'response_trailers';
export type Phase = RequestPhase | ResponsePhase;

/**
 * How the filter sends request bodies: `whole` (BUFFERED: one message, even when it lacks end_of_stream because trailers follow), `chunks`
 * (STREAMED, and whoever doesn't say), `none`, or `unsupported` (modes with another answering protocol or with cut bodies).
 */
export type BodyMode = 'whole' | 'chunks' | 'none' | 'unsupported';

/** The start of a request: everything that is known before its body. */
export interface RequestStart {
  readonly headers: Headers;
  readonly attributes: Attributes;
  readonly metadata: DynamicMetadata;
}

/** The start of a response; the same three things, of the other direction. */
export type ResponseStart = RequestStart;

export type RequestHeadersEvent = RequestStart & {
  readonly kind: 'request_headers';
  readonly endOfStream: boolean;
  readonly bodyMode: BodyMode;
};

export type ResponseHeadersEvent = ResponseStart & {
  readonly kind: 'response_headers';
  readonly endOfStream: boolean;
};

/** Events that one message of Envoy makes. */
export type MessageEvent =
  | RequestHeadersEvent
  | { readonly kind: 'request_body'; readonly body: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: 'request_trailers' }
  | ResponseHeadersEvent
  | { readonly kind: 'response_body'; readonly body: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: 'response_trailers' }
  /** A message of a kind that this router does not know. */
  | { readonly kind: 'unknown_message' };

export type StreamEvent<Context = unknown> =
  | MessageEvent
  /** The pipeline's answer to an earlier `route`, `decide_headers` or `rewrite_for` effect. */
  | { readonly kind: 'routed'; readonly outcome: RouteOutcome<Context> }
  /** The message that has just arrived is not let in (no room for its body, too large): this reply goes out instead. */
  | { readonly kind: 'refused'; readonly reply: ReplyOutcome }
  /** Envoy has sent its last message. */
  | { readonly kind: 'half_closed' }
  /** Envoy reset the stream, or the connection is gone. */
  | { readonly kind: 'cancelled' };

/** An answer of our own, in place of the endpoint's. */
export interface ReplyOutcome {
  readonly kind: 'reply';
  /** HTTP status, 200–599. */
  readonly status: number;
  readonly headers: readonly HeaderEdit[];
  readonly body: string;
}

/**
 * What the pipeline made of a request. `context` is opaque to the stream: it is kept until the stream ends, handed to the response phase, and
 * given back by `finished` exactly once.
 */
export type RouteOutcome<Context = unknown> =
  | { readonly kind: 'forward'; readonly mutations: Mutations; readonly context?: Context | undefined }
  | (ReplyOutcome & { readonly context?: Context | undefined })
  /**
   * Let the request go on undecided: without our decision it takes Envoy's route for a dead router. At a retry the attempt fails instead. The
   * message goes into the stream's status, so it must hold nothing of the request.
   */
  | { readonly kind: 'fail_open'; readonly message: string; readonly context?: Context | undefined };

/**
 * How a stream ended. `completed`: the response had begun, or none was to be seen; `replied`: we answered ourselves; `failed`: we ended the
 * stream with an error; `cancelled`: the other side went away before a response began.
 */
export type Ending = 'completed' | 'replied' | 'failed' | 'cancelled';

/** What the observe role tells of an answer on its way to the client. */
export type Observation =
  | (RequestStart & { readonly kind: 'request' })
  | (ResponseStart & { readonly kind: 'response' })
  /** The first byte of the response's body is here; comes right before its chunk. */
  | { readonly kind: 'first_byte' }
  | { readonly kind: 'chunk'; readonly body: Uint8Array; readonly endOfStream: boolean }
  /** Exactly once, the last of all. `cut`: the stream ended before the response did. */
  | { readonly kind: 'end'; readonly how: 'complete' | 'cut' };

/**
 * Which later messages Envoy is asked for: as the filter says, no bodies, neither bodies nor the response's headers; or the request's body (in
 * one message, or in chunks) and the response's headers, for a filter that leaves those out by itself (as ours does: Envoy would send the
 * headers of answers to requests that it refused before we saw them, and then drops those connections unanswered).
 */
export type SkipRequest = 'nothing' | 'bodies' | 'bodies_and_response' | 'want_whole_body' | 'want_chunks';

/** Why we end a stream with an error status; server.ts maps each to a gRPC code. */
export type FailureCode = 'unavailable' | 'unimplemented' | 'resource_exhausted' | 'invalid_argument' | 'cancelled';

export type Effect<Context = unknown> =
  /** Answer one message. `clear_body` drops the chunk (its bytes come back in the last one's mutation). */
  | { readonly kind: 'answer'; readonly phase: Phase; readonly change: Change; readonly skip: SkipRequest }
  /** Answer the response's headers with whatever the hook adds; the hook runs at once, so this is the message's one answer. */
  | {
      readonly kind: 'answer_response_headers';
      readonly context: Context | undefined;
      readonly response: ResponseStart;
    }
  /** Answer the response's body with what the hook makes of it, at once. Envoy sends a body only where the headers' hook asked for it. */
  | { readonly kind: 'answer_response_body'; readonly context: Context; readonly body: Uint8Array }
  /** Answer the headers of a response that may be checked, at once; the hook says whether its body is wanted. */
  | { readonly kind: 'answer_unchecked_headers'; readonly response: ResponseStart }
  /** Answer the body of a response that is checked with what the hook says of it, at once. `isWhole`: nothing of it is missing. */
  | {
      readonly kind: 'answer_checked_body';
      readonly response: ResponseStart;
      readonly body: Uint8Array;
      readonly isWhole: boolean;
    }
  /** Send an immediate response. */
  | { readonly kind: 'reply'; readonly reply: ReplyOutcome }
  /** End the stream with an error status, never cleanly: a clean end before an answer would bypass Envoy's failure policy. */
  | { readonly kind: 'fail'; readonly code: FailureCode; readonly message: string }
  /** End our half of the stream, status OK. */
  | { readonly kind: 'end' }
  /** Start the pipeline on a whole body; its outcome comes back as `routed`. */
  | { readonly kind: 'route'; readonly request: RequestStart; readonly body: Uint8Array }
  /** The same for a request that has no body to wait for. */
  | { readonly kind: 'decide_headers'; readonly request: RequestStart }
  /** A later attempt goes to `address` ('' when Envoy did not say): write the body for it. */
  | {
      readonly kind: 'rewrite_for';
      readonly request: RequestStart;
      readonly address: string;
      readonly attempt: number;
      readonly body: Uint8Array;
    }
  /** Stop the running pipeline: nobody waits for it any more. */
  | { readonly kind: 'abort' }
  | { readonly kind: 'observe'; readonly observation: Observation }
  | { readonly kind: 'finished'; readonly context: Context; readonly how: Ending }
  /** The request goes on undecided. For a counter. */
  | { readonly kind: 'failed_open' }
  /** A message came where the protocol has none; it was answered all the same. For a counter. */
  | { readonly kind: 'unexpected'; readonly phase: Phase };

export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'clear_body' }
  | { readonly kind: 'mutate'; readonly mutations: Mutations };

/** Limits and choices that the machine is given at the start of a stream. */
export interface StreamSettings {
  /** Bytes of one request body; a larger one is answered 413. */
  readonly maxBodyBytes: number;
  /** False: decide from the headers alone and ask Envoy not to send the body. Must be pure and must not throw. */
  readonly needsBody: (headers: Headers) => boolean;
}
