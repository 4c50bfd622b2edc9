/** Drives the machine for one gRPC stream: messages in, effects out, and the promises between them. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { ByteBudget } from './budget.ts';
import { describeFailure } from './describe-failure.ts';
import type { ExtProcHandlers } from './handlers.ts';
import type {
  Effect,
  FailureCode,
  MessageEvent,
  Observation,
  ResponseStart,
  RouteOutcome,
  StreamEvent,
  StreamRole,
  StreamSettings,
  StreamState,
} from './machine.ts';
import { initialState, step } from './machine.ts';
import type { PipelineShared } from './pipeline.ts';
import { PASS, runPipeline } from './pipeline.ts';
import type { Incoming } from './protocol.ts';
import { headersTooLargeReply, overloadedReply } from './replies.ts';
import { readMessage } from './wire-read.ts';
import type { WireResponse } from './wire-types.ts';
import { writeAnswer, writeChecked, writeReply, writeResponseHeaders } from './wire-write.ts';

export type ProcessCall = ServerDuplexStream<Incoming, WireResponse>;

/** Everything that the streams of one server share. */
export interface StreamShared<Context> extends PipelineShared {
  readonly handlers: ExtProcHandlers<Context>;
  readonly settings: StreamSettings;
  readonly budget: ByteBudget;
}

/** Initial metadata by which a filter says what it is. */
export const ROLE_METADATA = 'x-switchyard-role';

/** What one held chunk costs beside its bytes (objects, list entry): else a body of one-byte chunks would hold 100 times its size unnoticed. */
const CHUNK_OVERHEAD_BYTES = 256;
/** Envoy's own limit for all headers of a request is 60 KiB by default, 8 MiB at most; beside them travel attributes and metadata. */
const MAX_HEAD_BYTES = 1 << 20;
const RETRY_AFTER_S = 1;

const STATUS: Record<FailureCode, status> = {
  unavailable: status.UNAVAILABLE,
  unimplemented: status.UNIMPLEMENTED,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  invalid_argument: status.INVALID_ARGUMENT,
  cancelled: status.CANCELLED,
};

/** Serves one stream until it ends. */
export function serveStream<Context>(call: ProcessCall, shared: StreamShared<Context>): void {
  shared.counters.increment('stream_opened');
  let driver: Driver<Context> | null | undefined;
  call.on('error', (error) => shared.log.debug(describeFailure(error), 'ext_proc stream error'));
  call.on('data', (incoming: Incoming) => {
    if (driver === undefined) driver = openDriver(call, shared, incoming);
    driver?.receive(incoming);
  });
  call.on('end', () => {
    if (driver === undefined) call.end();
    else driver?.feed({ kind: 'half_closed' });
  });
  // Also the last event of a stream that ended well.
  call.on('cancelled', () => driver?.cancel());
}

function openDriver<Context>(
  call: ProcessCall,
  shared: StreamShared<Context>,
  first: Incoming,
): Driver<Context> | null {
  const role = roleOf(call, first);
  if (role !== null) return new Driver(call, role, shared);
  shared.counters.increment('stream_failed');
  failCall(call, 'invalid_argument', `${ROLE_METADATA} must be route, retry, check or observe`);
  return null;
}

/** A filter that says nothing is a route filter, or an observing one when it runs in observability mode. */
function roleOf(call: ProcessCall, first: Incoming): StreamRole | null {
  if (first.message.observability_mode === true) return 'observe';
  const [role] = call.metadata.get(ROLE_METADATA);
  if (role === undefined) return 'route';
  return role === 'route' || role === 'retry' || role === 'check' || role === 'observe' ? role : null;
}

class Driver<Context> {
  readonly #call: ProcessCall;
  readonly #shared: StreamShared<Context>;
  readonly #observe: ((observation: Observation) => void) | undefined;
  #state: StreamState<Context>;
  #abort: AbortController | undefined;
  /** Our half of the stream has ended. */
  #ended = false;
  /** The response whose body was asked for. */
  #wanted: ResponseStart | null = null;
  /** Bytes taken from the budget. */
  #held = 0;
  /** Bytes of body that have come, with their overhead. */
  #received = 0;

  constructor(call: ProcessCall, role: StreamRole, shared: StreamShared<Context>) {
    this.#call = call;
    this.#shared = shared;
    this.#state = initialState(role, shared.settings);
    this.#observe = role === 'observe' ? this.#guard(() => shared.handlers.observe?.()) : undefined;
  }

  receive({ message, byteLength }: Incoming): void {
    this.#safely(() => {
      const event = readMessage(message);
      const { role } = this.#state;
      if (role === 'observe' || role === 'check' || this.#admit(event, byteLength)) this.feed(event);
    });
  }

  feed(event: StreamEvent<Context>): void {
    this.#safely(() => {
      const [next, effects] = step(this.#state, event);
      this.#state = next;
      for (const effect of effects) this.#perform(effect);
      if (event.kind === 'routed' || next.mode.kind === 'over') this.#release();
    });
  }

  /** The stream is gone: by a reset, or because it has ended. */
  cancel(): void {
    if (!this.#ended) this.#shared.counters.increment('stream_cancelled');
    this.feed({ kind: 'cancelled' });
    this.#release();
  }

  /** Nothing thrown may reach grpc-js, which would make an unhandled rejection of it: the stream fails instead. */
  #safely(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#shared.log.error({ event: 'stream_broken', ...describeFailure(thrown) }, 'ext_proc stream broke');
      this.#fail('unavailable', 'internal error');
      this.#abort?.abort();
      this.#release();
    }
  }

  #fail(code: FailureCode, message: string): void {
    this.#ended = true;
    this.#shared.counters.increment(code === 'cancelled' ? 'stream_cancelled' : 'stream_failed');
    failCall(this.#call, code, message);
  }

  /**
   * Makes room for what a request is about to hold. A declared body is counted when its headers come, so that it is refused before it travels;
   * one without a declared length as it comes.
   */
  #admit(event: MessageEvent, byteLength: number): boolean {
    if (event.kind === 'request_headers') {
      if (byteLength > MAX_HEAD_BYTES) {
        this.feed({ kind: 'refused', reply: headersTooLargeReply() });
        return false;
      }
      const declared = Number(event.headers.get('content-length') ?? 0);
      const { maxBodyBytes } = this.#shared.settings;
      return this.#hold(byteLength + (declared > 0 && declared <= maxBodyBytes ? declared : 0));
    }
    if (event.kind !== 'request_body' || this.#state.mode.kind !== 'awaiting_body') return true;
    this.#received += byteLength + CHUNK_OVERHEAD_BYTES;
    return this.#hold(this.#received);
  }

  #hold(bytes: number): boolean {
    if (bytes <= this.#held) return true;
    if (this.#shared.budget.take(bytes - this.#held)) {
      this.#held = bytes;
      return true;
    }
    this.#shared.counters.increment('overloaded');
    this.feed({ kind: 'refused', reply: overloadedReply(RETRY_AFTER_S) });
    return false;
  }

  #release(): void {
    this.#shared.budget.give(this.#held);
    this.#held = 0;
  }

  #perform(effect: Effect<Context>): void {
    const { handlers, counters } = this.#shared;
    switch (effect.kind) {
      case 'answer':
        this.#write(writeAnswer(effect.phase, effect.change, effect.skip));
        break;
      case 'answer_response_headers': {
        const { context, response } = effect;
        const edits = this.#guard(() => handlers.responseHeaders?.(context, response));
        const instead = context === undefined ? null : this.#guard(() => handlers.responseInstead?.(context, response));
        if (instead != null) {
          counters.increment('reply_sent');
          this.#write(writeReply(instead));
          break;
        }
        const wantsBody = context !== undefined && this.#guard(() => handlers.wantsResponseBody?.(context, response));
        if (wantsBody === true) this.#wanted = response;
        this.#write(writeResponseHeaders(edits ?? [], wantsBody === true));
        break;
      }
      case 'answer_response_body': {
        const response = this.#wanted;
        const body =
          response === null
            ? null
            : (this.#guard(() => handlers.responseBody?.(effect.context, response, effect.body)) ?? null);
        const mutations = { body, setHeaders: [], removeHeaders: [], metadata: {} };
        this.#write(
          writeAnswer('response_body', body === null ? { kind: 'none' } : { kind: 'mutate', mutations }, 'nothing'),
        );
        break;
      }
      case 'answer_unchecked_headers': {
        this.#write(writeResponseHeaders([], this.#guard(() => handlers.wantsCheck?.(effect.response)) === true));
        break;
      }
      case 'answer_checked_body': {
        const { response, body, isWhole } = effect;
        this.#write(writeChecked(isWhole ? this.#guard(() => handlers.check?.(response, body)) : null));
        break;
      }
      case 'reply':
        counters.increment('reply_sent');
        this.#write(writeReply(effect.reply));
        break;
      case 'fail':
        this.#fail(effect.code, effect.message);
        break;
      case 'end':
        this.#ended = true;
        this.#call.end();
        break;
      case 'route':
        this.#decide((signal) => handlers.route({ ...effect.request, body: effect.body, signal }));
        break;
      case 'decide_headers':
        this.#decide((signal) => handlers.headersOnly?.({ ...effect.request, signal }) ?? PASS);
        break;
      case 'rewrite_for': {
        const { request, body, address, attempt } = effect;
        this.#decide((signal) => handlers.rewriteFor?.({ ...request, body, address, attempt, signal }) ?? PASS);
        break;
      }
      case 'abort':
        this.#abort?.abort();
        break;
      case 'observe':
        this.#guard(() => this.#observe?.(effect.observation));
        break;
      case 'finished':
        this.#guard(() => handlers.finished?.(effect.context, effect.how));
        break;
      case 'failed_open':
        counters.increment('failed_open');
        break;
      case 'unexpected':
        counters.increment('message_unexpected');
        break;
    }
  }

  #decide(run: (signal: AbortSignal) => RouteOutcome<Context> | Promise<RouteOutcome<Context>>): void {
    this.#abort = runPipeline(run, (outcome) => this.feed({ kind: 'routed', outcome }), this.#shared);
  }

  /** Hooks that only add to a request must not end it. */
  #guard<Value>(run: () => Value): Value | undefined {
    try {
      return run();
    } catch (thrown) {
      this.#shared.counters.increment('handler_failed');
      this.#shared.log.error({ event: 'hook_failed', ...describeFailure(thrown) }, 'ext_proc hook failed');
      return undefined;
    }
  }

  /** A peer that sends but does not read is not read any more either, so answers cannot pile up. */
  #write(response: WireResponse): void {
    if (this.#call.write(response) || this.#call.isPaused()) return;
    this.#call.pause();
    this.#call.once('drain', () => this.#call.resume());
  }
}

/** The status text is plain ASCII: grpc-js percent-encodes it, and throws on half a surrogate pair. */
function failCall(call: ProcessCall, code: FailureCode, message: string): void {
  call.emit('error', { code: STATUS[code], details: message.replace(/[^\x20-\x7e]/g, '?') });
}
