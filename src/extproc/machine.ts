/**
 * The life of one ext_proc stream as a pure function: `step(state, event) → [state, effects]`. No clock, no promise, no server: the same
 * events always give the same effects, so every order can be tested by a table.
 *
 * One stream is one HTTP request at one filter. The role says which filter:
 *
 * - **route**: the filter in front of routing. Decides where the request goes.
 * - **retry**: the filter of an upstream cluster at attempt 2 and later. Writes the body for the endpoint of that attempt.
 * - **observe**: the filter in observability mode. Nothing is answered; see machine-observe.ts.
 *
 * Modes of route and retry:
 *
 * - `awaiting_headers` (start). Request headers
 *   - with a content-length over the limit → 413, `over`;
 *   - with a body mode that we cannot answer → fail, `over`;
 *   - without a body (end of stream, body mode none, or `needsBody` says no): route → `deciding` (from the headers; a POST, PUT or PATCH that
 *     ends here is a whole, empty body); retry → answered, asking Envoy for nothing more, `decided`;
 *   - with a body → answered with an empty continue, `awaiting_body`.
 * - `awaiting_body`. A body message
 *   - that takes the body over the limit → 413, `over`;
 *   - that is not the last chunk → answered at once by clearing it (it comes back with the last one), stays;
 *   - that completes the body → `route` or `rewrite_for`, `deciding`.
 *
 *   Trailers here mean that the body ended without an end of stream: no body at all → it is empty, and `deciding`; chunks before them → 400,
 *   `over`, since an answer to trailers can carry no body.
 * - `deciding`: one answer is owed and the pipeline is running. Request messages that come meanwhile are owed an answer too and wait, so that
 *   answers keep the order of their messages (at most MAX_OWED of them, then the stream fails). `routed`
 *   - forward → the owed answer with the mutations, then the waiting ones, `decided`;
 *   - reply → immediate response, `over`;
 *   - fail_open → fail, `over`; but where chunks were cleared the request cannot go on without us: 503, `over`.
 * - `decided`: everything else of the request is answered with an empty continue.
 * - `over`: after an immediate response, a failure, a half-close or a cancel. Nothing is answered any more. A pipeline that reports now has its
 *   context finished at once.
 *
 * The response's direction is independent of the mode: headers are answered through the hook, all else by an empty continue, in every mode
 * but `over` (Envoy also sends headers of replies that it made itself, while the request is still being decided).
 *
 * `refused` answers the message that has just arrived with an immediate response, in every mode but `over`.
 *
 * `half_closed`: Envoy closes its half when the HTTP request is done, the client hung up, or it gave up on us. With nothing owed, we end ours.
 * While deciding, see `halfClosed` below. `cancelled` (a reset) is how Envoy ends streams without graceful close: not an error; a running
 * pipeline is aborted.
 *
 * Exactly one answer: each message gets one `answer`, `answer_response_headers` or `reply`, or the stream ends (`reply`, `fail`,
 * half-close, cancel) before it is due. Messages that come out of place are answered with an empty continue of their own kind and reported as
 * `unexpected`.
 */
import type {
  Change,
  Effect,
  Ending,
  Headers,
  Phase,
  ReplyOutcome,
  RequestHeadersEvent,
  RequestPhase,
  RequestStart,
  RouteOutcome,
  SkipRequest,
  StreamEvent,
  StreamRole,
  StreamSettings,
} from './machine-events.ts';
import type { ObserverState } from './machine-observe.ts';
import { initialObserver, observeStep } from './machine-observe.ts';
import { tooLargeReply, trailersReply, unavailableReply } from './replies.ts';

export type * from './machine-events.ts';

/** Request messages that may wait behind a running decision. Envoy sends at most one (trailers); the rest is room for odd clients. */
export const MAX_OWED = 16;

/** Body chunks as a list, newest first: O(1) a chunk and never changed. */
interface ChunkList {
  readonly body: Uint8Array;
  readonly earlier: ChunkList | null;
}

type Mode =
  | { readonly kind: 'awaiting_headers' }
  | {
      readonly kind: 'awaiting_body';
      readonly request: RequestStart;
      /** The first body message is the whole body. */
      readonly whole: boolean;
      readonly chunks: ChunkList | null;
      readonly bodyBytes: number;
      /** A chunk was answered by clearing it. */
      readonly cleared: boolean;
    }
  | {
      readonly kind: 'deciding';
      readonly answering: RequestPhase;
      /** The body to send even when the pipeline leaves it alone, because its chunks were cleared; else null. */
      readonly clearedBody: Uint8Array | null;
      readonly owed: readonly RequestPhase[];
    }
  | { readonly kind: 'decided' }
  | { readonly kind: 'over'; readonly how: Ending; readonly ended: boolean };

/** Everything about one stream. Opaque to callers: make it with `initialState`, change it with `step`. */
export interface StreamState<Context = unknown> {
  readonly role: StreamRole;
  readonly settings: StreamSettings;
  readonly mode: Mode;
  readonly context: Context | undefined;
  readonly responseSeen: boolean;
  readonly observer: ObserverState;
}

export type Step<Context = unknown> = readonly [StreamState<Context>, readonly Effect<Context>[]];

/** A stream that has seen nothing yet. */
export function initialState<Context = unknown>(role: StreamRole, settings: StreamSettings): StreamState<Context> {
  return {
    role,
    settings,
    mode: { kind: 'awaiting_headers' },
    context: undefined,
    responseSeen: false,
    observer: initialObserver,
  };
}

/** True once nothing that arrives can matter any more. */
export function isOver(state: StreamState): boolean {
  return state.mode.kind === 'over';
}

/** The next state and what to do about it, in this order. Total: defined for every event in every state, and never throws. */
export function step<Context>(state: StreamState<Context>, event: StreamEvent<Context>): Step<Context> {
  if (state.role === 'observe') return stepObserver(state, event);
  if (state.mode.kind === 'over') return stepOver(state, state.mode, event);
  switch (event.kind) {
    case 'request_headers':
      return state.mode.kind === 'awaiting_headers' ? onRequestHeaders(state, event) : onStray(state, event.kind);
    case 'request_body':
      return state.mode.kind === 'awaiting_body'
        ? onRequestBody(state, state.mode, event.body, event.endOfStream)
        : onStray(state, event.kind);
    case 'request_trailers':
      return onRequestTrailers(state);
    case 'response_headers':
      return [
        { ...state, responseSeen: true },
        [{ kind: 'answer_response_headers', context: state.context, response: startOf(event) }],
      ];
    case 'response_body':
    case 'response_trailers':
      return [state, [answer(event.kind)]];
    case 'unknown_message':
      return fail(state, 'unimplemented', 'a message of a kind that this router does not know');
    case 'routed':
      return onRouted(state, event.outcome);
    case 'refused':
      return reply(state, event.reply);
    case 'half_closed':
      return finish(state, state.responseSeen ? 'completed' : 'cancelled', [{ kind: 'end' }], true);
    case 'cancelled':
      return finish(state, state.responseSeen ? 'completed' : 'cancelled', [], true);
  }
}

function onRequestHeaders<Context>(state: StreamState<Context>, event: RequestHeadersEvent): Step<Context> {
  const { settings, role } = state;
  const request = startOf(event);
  const declared = declaredBytes(event.headers);
  if (declared > settings.maxBodyBytes) return reply(state, tooLargeReply(settings.maxBodyBytes));
  if (event.bodyMode === 'unsupported') {
    return fail(state, 'unimplemented', 'request_body_mode must be BUFFERED (or STREAMED)');
  }
  if (!event.endOfStream && event.bodyMode !== 'none' && settings.needsBody(event.headers)) {
    const mode: Mode = {
      kind: 'awaiting_body',
      request,
      whole: event.bodyMode === 'whole',
      chunks: null,
      bodyBytes: 0,
      cleared: false,
    };
    return [{ ...state, mode }, [answer('request_headers')]];
  }
  if (role === 'retry') {
    return [{ ...state, mode: { kind: 'decided' } }, [answer('request_headers', NO_CHANGE, 'bodies_and_response')]];
  }
  const mode: Mode = { kind: 'deciding', answering: 'request_headers', clearedBody: null, owed: [] };
  const empty = event.endOfStream && carriesBody(event.headers) && settings.needsBody(event.headers);
  return [
    { ...state, mode },
    [empty ? { kind: 'route', request, body: new Uint8Array(0) } : { kind: 'decide_headers', request }],
  ];
}

function onRequestBody<Context>(
  state: StreamState<Context>,
  mode: Extract<Mode, { kind: 'awaiting_body' }>,
  body: Uint8Array,
  endOfStream: boolean,
): Step<Context> {
  const bodyBytes = mode.bodyBytes + body.byteLength;
  if (bodyBytes > state.settings.maxBodyBytes) return reply(state, tooLargeReply(state.settings.maxBodyBytes));
  const chunks = body.byteLength === 0 ? mode.chunks : { body, earlier: mode.chunks };
  if (!endOfStream && !mode.whole) {
    const next: Mode = { ...mode, chunks, bodyBytes, cleared: true };
    return [{ ...state, mode: next }, [answer('request_body', { kind: 'clear_body' })]];
  }
  return decideOn(state, mode.request, joined(chunks, bodyBytes), 'request_body', mode.cleared);
}

function onRequestTrailers<Context>(state: StreamState<Context>): Step<Context> {
  const { mode } = state;
  if (mode.kind !== 'awaiting_body') {
    return mode.kind === 'deciding' ? owe(state, mode, 'request_trailers') : [state, [answer('request_trailers')]];
  }
  if (mode.cleared) return reply(state, trailersReply());
  return decideOn(state, mode.request, new Uint8Array(0), 'request_trailers', false);
}

/** A request message out of place. */
function onStray<Context>(state: StreamState<Context>, phase: RequestPhase): Step<Context> {
  const { mode } = state;
  if (mode.kind === 'deciding') {
    const [next, effects] = owe(state, mode, phase);
    return [next, [{ kind: 'unexpected', phase }, ...effects]];
  }
  return [state, [{ kind: 'unexpected', phase }, answer(phase)]];
}

function owe<Context>(
  state: StreamState<Context>,
  mode: Extract<Mode, { kind: 'deciding' }>,
  phase: RequestPhase,
): Step<Context> {
  if (mode.owed.length >= MAX_OWED) return fail(state, 'resource_exhausted', 'too many messages before an answer');
  return [{ ...state, mode: { ...mode, owed: [...mode.owed, phase] } }, []];
}

function decideOn<Context>(
  state: StreamState<Context>,
  request: RequestStart,
  body: Uint8Array,
  answering: RequestPhase,
  cleared: boolean,
): Step<Context> {
  const mode: Mode = { kind: 'deciding', answering, clearedBody: cleared ? body : null, owed: [] };
  const effect: Effect<Context> =
    state.role === 'retry'
      ? {
          kind: 'rewrite_for',
          request,
          address: request.attributes.get('upstream.address') ?? '',
          attempt: attemptOf(request.headers),
          body,
        }
      : { kind: 'route', request, body };
  return [{ ...state, mode }, [effect]];
}

function onRouted<Context>(state: StreamState<Context>, outcome: RouteOutcome<Context>): Step<Context> {
  const { mode } = state;
  // A second outcome has no message to answer; its context must not be lost, though.
  if (mode.kind !== 'deciding') return [state, finished(outcome.context, 'cancelled')];
  const routed: StreamState<Context> = { ...state, mode: { kind: 'decided' }, context: outcome.context };
  switch (outcome.kind) {
    case 'reply':
      return reply(routed, { kind: 'reply', status: outcome.status, headers: outcome.headers, body: outcome.body });
    case 'fail_open':
      return mode.clearedBody === null
        ? fail(routed, 'unavailable', outcome.message)
        : reply(routed, unavailableReply());
    case 'forward': {
      // An answer to trailers can change neither the body nor the route: the decision cannot be carried out.
      if (mode.answering === 'request_trailers') return reply(routed, unavailableReply());
      const mutations =
        mode.clearedBody !== null && outcome.mutations.body === null
          ? { ...outcome.mutations, body: mode.clearedBody }
          : outcome.mutations;
      const skip: SkipRequest =
        mode.answering !== 'request_headers'
          ? 'nothing'
          : outcome.context === undefined
            ? 'bodies_and_response'
            : 'bodies';
      return [
        routed,
        [answer(mode.answering, { kind: 'mutate', mutations }, skip), ...mode.owed.map((phase) => answer(phase))],
      ];
    }
  }
}

function stepOver<Context>(
  state: StreamState<Context>,
  mode: Extract<Mode, { kind: 'over' }>,
  event: StreamEvent<Context>,
): Step<Context> {
  if (event.kind === 'routed') return [state, finished(event.outcome.context, mode.how)];
  if (event.kind !== 'half_closed' || mode.ended) return [state, []];
  return [{ ...state, mode: { ...mode, ended: true } }, [{ kind: 'end' }]];
}

function stepObserver<Context>(state: StreamState<Context>, event: StreamEvent<Context>): Step<Context> {
  const [observer, observations] = observeStep(state.observer, event);
  const effects: Effect<Context>[] = observations.map((observation) => ({ kind: 'observe', observation }));
  if (event.kind === 'half_closed') effects.push({ kind: 'end' });
  return [{ ...state, observer }, effects];
}

const NO_CHANGE: Change = { kind: 'none' };

function answer(phase: Phase, change: Change = NO_CHANGE, skip: SkipRequest = 'nothing'): Effect<never> {
  return { kind: 'answer', phase, change, skip };
}

function reply<Context>(state: StreamState<Context>, outcome: ReplyOutcome): Step<Context> {
  return finish(state, 'replied', [{ kind: 'reply', reply: outcome }], false);
}

function fail<Context>(
  state: StreamState<Context>,
  code: Extract<Effect, { kind: 'fail' }>['code'],
  message: string,
): Step<Context> {
  return finish(state, 'failed', [{ kind: 'fail', code, message }], true);
}

/** Goes to `over`: a running pipeline is aborted, the context is given back. `ended`: our half of the stream needs no end any more. */
function finish<Context>(
  state: StreamState<Context>,
  how: Ending,
  effects: readonly Effect<Context>[],
  ended: boolean,
): Step<Context> {
  const running = state.mode.kind === 'deciding';
  return [
    { ...state, mode: { kind: 'over', how, ended }, context: undefined },
    [...effects, ...(running ? [{ kind: 'abort' } as const] : []), ...finished(state.context, how)],
  ];
}

function finished<Context>(context: Context | undefined, how: Ending): readonly Effect<Context>[] {
  return context === undefined ? [] : [{ kind: 'finished', context, how }];
}

function startOf(event: RequestStart): RequestStart {
  return { headers: event.headers, attributes: event.attributes, metadata: event.metadata };
}

/** The content-length that the client declared; 0 when there is none (then the bytes are counted as they come). */
function declaredBytes(headers: Headers): number {
  const value = headers.get('content-length');
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : 0;
}

/** Methods whose request means its body: without one it is a bad request, not a request about a resource. */
function carriesBody(headers: Headers): boolean {
  const method = headers.get(':method');
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** The number of the attempt, from 1, as Envoy's router counts it. */
function attemptOf(headers: Headers): number {
  const value = headers.get('x-envoy-attempt-count');
  return value !== undefined && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 1;
}

/** One array of all chunks; a body of one chunk is not copied. */
function joined(chunks: ChunkList | null, bodyBytes: number): Uint8Array {
  if (chunks === null) return new Uint8Array(0);
  if (chunks.earlier === null) return chunks.body;
  const whole = new Uint8Array(bodyBytes);
  let end = bodyBytes;
  for (let at: ChunkList | null = chunks; at !== null; at = at.earlier) {
    end -= at.body.byteLength;
    whole.set(at.body, end);
  }
  return whole;
}
