/**
 * The life of one ext_proc stream as a pure function: `step(state, event) → [state, effects]`. No clock, no promise, no server: the same
 * events always give the same effects, so every order can be tested by a table.
 *
 * One stream is one HTTP request at one filter. The role says which filter:
 *
 * - **route**: the filter in front of routing. Decides where the request goes.
 * - **retry**: the filter of an upstream cluster at attempt 2 and later. Writes the body for the endpoint of that attempt.
 * - **check**: the filter of an upstream cluster that shows an answer before anybody else gets it; see machine-check.ts.
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
 *   - fail_open → route: an empty continue, `decided`. The request goes on without a decision and so takes the route that Envoy has for a dead
 *     router. (An error status would say the same, but Envoy then resets the stream, and above some 30 resets a second Node drops the
 *     connection with all the streams on it.) Where chunks were cleared there is nothing to go on with: 503, `over`. retry: fail, `over`.
 * - `decided`: everything else of the request is answered with an empty continue.
 * - `over`: after an immediate response, a failure, a half-close or a cancel. Nothing is answered any more. A pipeline that reports now has its
 *   context finished at once.
 *
 * The response's direction is independent of the mode: headers, and the body of a decided request, are answered through hooks, all else by
 * an empty continue, in every mode but `over` (Envoy also sends headers of replies that it made itself, while the request is still being decided).
 *
 * `refused` answers the message that has just arrived with an immediate response, in every mode but `over`.
 *
 * `half_closed`: Envoy (with graceful close) closes its half when the HTTP request is done, the client hung up, or it gave up on us; it never does so
 * while it still wants an answer. With nothing owed we end ours; while deciding, the pipeline is aborted and the stream ends as cancelled.
 * `cancelled` (a reset, how Envoy ends streams without graceful close) is no error either, and does the same.
 *
 * Exactly one answer: each message gets one `answer`, `answer_response_headers`, `answer_response_body` or `reply`, or the stream ends (`reply`, `fail`,
 * half-close, cancel) before it is due. Messages that come out of place are answered with an empty continue of their own kind and reported as
 * `unexpected`.
 */
import { checkStep } from './machine-check.ts';
import type { Effect, StreamEvent } from './machine-events.ts';
import { observeStep } from './machine-observe.ts';
import { onRequestBody, onRequestHeaders, onRequestTrailers, onRouted, onStray } from './machine-request.ts';
import type { Over, Step, StreamState } from './machine-state.ts';
import { answer, fail, finish, finished, reply } from './machine-state.ts';

export type * from './machine-events.ts';
export type { Step, StreamState } from './machine-state.ts';
export { initialState } from './machine-state.ts';

/** The next state and what to do about it, in this order. Total: defined for every event in every state, and never throws. */
export function step<Context>(state: StreamState<Context>, event: StreamEvent<Context>): Step<Context> {
  if (state.role === 'observe') return stepObserver(state, event);
  if (state.role === 'check') return stepChecker(state, event);
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
        [
          {
            kind: 'answer_response_headers',
            context: state.context,
            response: { headers: event.headers, attributes: event.attributes, metadata: event.metadata },
          },
        ],
      ];
    case 'response_body':
      return state.context === undefined
        ? [state, [answer(event.kind)]]
        : [state, [{ kind: 'answer_response_body', context: state.context, body: event.body }]];
    case 'response_trailers':
      return [state, [answer(event.kind)]];
    case 'unknown_message':
      return fail(state, 'unimplemented', 'a message of a kind that this router does not know');
    case 'routed':
      return onRouted(state, event.outcome);
    case 'refused':
      return reply(state, event.reply);
    case 'half_closed':
      return state.mode.kind === 'deciding'
        ? finish(state, 'cancelled', [{ kind: 'fail', code: 'cancelled', message: 'closed before the answer' }], true)
        : finish(state, state.responseSeen ? 'completed' : 'cancelled', [{ kind: 'end' }], true);
    case 'cancelled':
      return finish(state, state.responseSeen ? 'completed' : 'cancelled', [], true);
  }
}

function stepOver<Context>(state: StreamState<Context>, mode: Over, event: StreamEvent<Context>): Step<Context> {
  if (event.kind === 'routed') return [state, finished(event.outcome.context, mode.how)];
  if (event.kind !== 'half_closed' || mode.ended) return [state, []];
  return [{ ...state, mode: { ...mode, ended: true } }, [{ kind: 'end' }]];
}

function stepChecker<Context>(state: StreamState<Context>, event: StreamEvent<Context>): Step<Context> {
  if (state.mode.kind === 'over') return [state, []];
  const [checker, effects] = checkStep(state.checker, event);
  const isOver = event.kind === 'cancelled' || effects.some(({ kind }) => CHECK_ENDS.has(kind));
  return [{ ...state, checker, ...(isOver ? { mode: OVER } : {}) }, effects];
}

const CHECK_ENDS: ReadonlySet<Effect['kind']> = new Set<Effect['kind']>(['end', 'fail', 'reply']);
const OVER: Over = { kind: 'over', how: 'completed', ended: true };

function stepObserver<Context>(state: StreamState<Context>, event: StreamEvent<Context>): Step<Context> {
  const [observer, observations] = observeStep(state.observer, event);
  const effects: Effect<Context>[] = observations.map((observation) => ({ kind: 'observe', observation }));
  if (event.kind === 'half_closed') effects.push({ kind: 'end' });
  return [{ ...state, observer }, effects];
}
