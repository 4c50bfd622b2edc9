/** What the server asks of the rest of the router. service.ts makes these; the server knows nothing behind them. */
import type { HeaderEdit, Mutations } from '../rewrite/mutations.ts';
import type {
  Attributes,
  DynamicMetadata,
  Ending,
  Headers,
  Observation,
  ReplyOutcome,
  ResponseStart,
  RouteOutcome,
} from './machine-events.ts';

/** A request up to its body. `signal` aborts when nobody waits for the outcome any more: the client hung up, or Envoy gave up. */
export interface HeadersRequest {
  readonly headers: Headers;
  readonly attributes: Attributes;
  readonly metadata: DynamicMetadata;
  readonly signal: AbortSignal;
}

/** A whole request. `body` is shared with nobody and may be kept; it is empty for a POST without a body. */
export interface RouteRequest extends HeadersRequest {
  readonly body: Uint8Array;
}

/** A request that Envoy is about to try again, at `address` ('ip:port', '' when Envoy did not say); `attempt` counts from 1. */
export interface RewriteRequest extends RouteRequest {
  readonly address: string;
  readonly attempt: number;
}

/** What the router says of an answer that it has checked: the body is never changed. */
export type CheckOutcome = Pick<Mutations, 'setHeaders' | 'removeHeaders' | 'metadata'>;

/**
 * A handler that rejects, throws or takes longer than the server's handlerTimeoutMs ends its request by the failure mode. Where an outcome has a
 * `context`, it is handed to `responseHeaders`, and to `finished` exactly once, whatever happens to the stream.
 */
export interface ExtProcHandlers<Context> {
  /** Decides where a whole request goes. */
  route(request: RouteRequest): Promise<RouteOutcome<Context>>;
  /** The same for requests that need no body. Absent: they pass unchanged. Without a context in the outcome Envoy shows us nothing more of it. */
  headersOnly?(request: HeadersRequest): RouteOutcome<Context> | Promise<RouteOutcome<Context>>;
  /** False: `headersOnly` is enough for this request, and its body stays in Envoy. Absent: every body is wanted. Pure and quick. */
  needsBody?(headers: Headers): boolean;
  /** Writes the request for the endpoint of a later attempt. Absent: the request is retried as it is. Its context is finished but has no response phase. */
  rewriteFor?(request: RewriteRequest): Promise<RouteOutcome<Context>>;
  /** Headers to set on the response. `context` is undefined when the response is not to a decided request. If it throws, nothing is set. */
  responseHeaders?(context: Context | undefined, response: ResponseStart): readonly HeaderEdit[];
  /** An answer of our own in place of this response; null: none. Asked after `responseHeaders`. If it throws, the response stays. */
  responseInstead?(context: Context, response: ResponseStart): ReplyOutcome | null;
  /**
   * Whether the whole body of this response is wanted before the client gets any of it. Say so only for small answers that are no stream: Envoy
   * holds them back. Absent: none is.
   */
  wantsResponseBody?(context: Context, response: ResponseStart): boolean;
  /** The body in place of a wanted one; null, or when it throws: it stays as it is. */
  responseBody?(context: Context, response: ResponseStart, body: Uint8Array): Uint8Array | null;
  /** Whether an answer is to be checked before anybody else gets it. Say so only for one of a known, small length: Envoy holds it back. Absent: none is. */
  wantsCheck?(response: ResponseStart): boolean;
  /** Checks such an answer; null, or when it throws: it goes on as it is. */
  check?(response: ResponseStart, body: Uint8Array): CheckOutcome | null;
  /** Called once for each observed stream; the function that comes back is told everything of that stream, in order. */
  observe?(): (observation: Observation) => void;
  /** The stream of this context has ended. */
  finished?(context: Context, how: Ending): void;
}

/** Things worth a counter; the caller maps them to its metrics. */
export type ExtProcCount =
  | 'stream_opened'
  /** Reset by the other side; also how Envoy ends streams without graceful close. */
  | 'stream_cancelled'
  /** We ended a stream with an error status. */
  | 'stream_failed'
  /** A handler threw, rejected, or answered with something that is no outcome. */
  | 'handler_failed'
  | 'handler_timed_out'
  /** A request went on undecided. */
  | 'failed_open'
  /** A request was turned away because too many bytes are held. */
  | 'overloaded'
  | 'reply_sent'
  | 'message_unexpected';

export interface ExtProcCounters {
  increment(count: ExtProcCount): void;
}

/** The part of a pino logger that the server uses. */
export interface ExtProcLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
