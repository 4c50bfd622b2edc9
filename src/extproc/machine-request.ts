/** The request's direction of a stream: from its headers to the pipeline's outcome. The transitions are told in machine.ts. */
import type { Mutations } from '../rewrite/mutations.ts';
import type {
  Change,
  Effect,
  Headers,
  RequestHeadersEvent,
  RequestPhase,
  RequestStart,
  RouteOutcome,
  SkipRequest,
} from './machine-events.ts';
import type { AwaitingBody, ChunkList, Deciding, Mode, Step, StreamState } from './machine-state.ts';
import { answer, fail, finished, reply } from './machine-state.ts';
import { tooLargeReply, trailersReply, unavailableReply } from './replies.ts';

/** Request messages that may wait behind a running decision. Envoy sends at most one (trailers); the rest is room for odd clients. */
export const MAX_OWED = 16;

export function onRequestHeaders<Context>(state: StreamState<Context>, event: RequestHeadersEvent): Step<Context> {
  const { settings, role } = state;
  const request: RequestStart = { headers: event.headers, attributes: event.attributes, metadata: event.metadata };
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
    const wanted = event.bodyMode === 'whole' ? 'want_whole_body' : 'want_chunks';
    return [
      { ...state, mode },
      [answer('request_headers', { kind: 'none' }, state.role === 'route' ? wanted : 'nothing')],
    ];
  }
  if (role === 'retry') {
    return [
      { ...state, mode: { kind: 'decided' } },
      [answer('request_headers', { kind: 'none' }, 'bodies_and_response')],
    ];
  }
  const mode: Mode = { kind: 'deciding', answering: 'request_headers', clearedBody: null, owed: [] };
  const empty = event.endOfStream && carriesBody(event.headers) && settings.needsBody(event.headers);
  return [
    { ...state, mode },
    [empty ? { kind: 'route', request, body: new Uint8Array(0) } : { kind: 'decide_headers', request }],
  ];
}

export function onRequestBody<Context>(
  state: StreamState<Context>,
  mode: AwaitingBody,
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

export function onRequestTrailers<Context>(state: StreamState<Context>): Step<Context> {
  const { mode } = state;
  if (mode.kind !== 'awaiting_body') {
    return mode.kind === 'deciding' ? owe(state, mode, 'request_trailers') : [state, [answer('request_trailers')]];
  }
  if (mode.cleared) return reply(state, trailersReply());
  return decideOn(state, mode.request, new Uint8Array(0), 'request_trailers', false);
}

/** A request message out of place. */
export function onStray<Context>(state: StreamState<Context>, phase: RequestPhase): Step<Context> {
  const { mode } = state;
  if (mode.kind === 'deciding') {
    const [next, effects] = owe(state, mode, phase);
    return [next, [{ kind: 'unexpected', phase }, ...effects]];
  }
  return [state, [{ kind: 'unexpected', phase }, answer(phase)]];
}

function owe<Context>(state: StreamState<Context>, mode: Deciding, phase: RequestPhase): Step<Context> {
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

/** The pipeline's outcome: the owed answer, then the waiting ones. */
export function onRouted<Context>(state: StreamState<Context>, outcome: RouteOutcome<Context>): Step<Context> {
  const { mode } = state;
  // A second outcome has no message to answer; its context must not be lost, though.
  if (mode.kind !== 'deciding') return [state, finished(outcome.context, 'cancelled')];
  const routed: StreamState<Context> = { ...state, mode: { kind: 'decided' }, context: outcome.context };
  switch (outcome.kind) {
    case 'reply':
      return reply(routed, { kind: 'reply', status: outcome.status, headers: outcome.headers, body: outcome.body });
    case 'fail_open': {
      // An endpoint of another model would get a body that is not for it: that attempt has to fail.
      if (state.role === 'retry') return fail(routed, 'unavailable', outcome.message);
      if (mode.clearedBody !== null) return reply(routed, unavailableReply());
      const [next, effects] = forward(routed, mode, null);
      return [next, [{ kind: 'failed_open' }, ...effects]];
    }
    case 'forward':
      // An answer to trailers can change neither the body nor the route: the decision cannot be carried out.
      return mode.answering === 'request_trailers'
        ? reply(routed, unavailableReply())
        : forward(routed, mode, outcome.mutations);
  }
}

function forward<Context>(state: StreamState<Context>, mode: Deciding, mutations: Mutations | null): Step<Context> {
  const change: Change =
    mutations === null
      ? { kind: 'none' }
      : { kind: 'mutate', mutations: { ...mutations, body: mutations.body ?? mode.clearedBody } };
  const nobodyWaits = state.context === undefined ? 'bodies_and_response' : 'bodies';
  const skip: SkipRequest = mode.answering === 'request_headers' ? nobodyWaits : 'nothing';
  return [state, [answer(mode.answering, change, skip), ...mode.owed.map((phase) => answer(phase))]];
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
