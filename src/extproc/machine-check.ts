/**
 * The check role: the filter of an upstream cluster that shows the answers of some requests before anybody else gets them. It has the response's
 * direction only.
 *
 * - Response headers are kept and answered through a hook, which says whether the body is wanted (`null` state: none have come yet).
 * - A response body is answered through a hook with the headers that came before it; without them by an empty continue.
 * - Everything else is answered by an empty continue of its own kind.
 * - A refusal of what has just arrived goes out as it is. A half-close ends our half, a reset needs nothing.
 */
import type { Effect, ResponseStart, StreamEvent } from './machine-events.ts';

/** The response's start; null before it. */
export type CheckerState = ResponseStart | null;

/** The next state and what to do about it. Never throws. */
export function checkStep<Context>(
  state: CheckerState,
  event: StreamEvent<Context>,
): readonly [CheckerState, readonly Effect<Context>[]] {
  switch (event.kind) {
    case 'response_headers': {
      const response = { headers: event.headers, attributes: event.attributes, metadata: event.metadata };
      return [response, [{ kind: 'answer_unchecked_headers', response }]];
    }
    case 'response_body':
      return state === null
        ? [state, [plainAnswer(event.kind)]]
        : [state, [{ kind: 'answer_checked_body', response: state, body: event.body, isWhole: event.endOfStream }]];
    case 'response_trailers':
      return [state, [plainAnswer(event.kind)]];
    case 'request_headers':
    case 'request_body':
    case 'request_trailers':
      return [state, [{ kind: 'unexpected', phase: event.kind }, plainAnswer(event.kind)]];
    case 'unknown_message':
      return [
        state,
        [{ kind: 'fail', code: 'unimplemented', message: 'a message of a kind that this router does not know' }],
      ];
    case 'half_closed':
      return [state, [{ kind: 'end' }]];
    case 'refused':
      return [state, [{ kind: 'reply', reply: event.reply }]];
    case 'cancelled':
    case 'routed':
      return [state, []];
  }
}

function plainAnswer(phase: Extract<Effect, { kind: 'answer' }>['phase']): Effect<never> {
  return { kind: 'answer', phase, change: { kind: 'none' }, skip: 'nothing' };
}
