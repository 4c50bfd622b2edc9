/**
 * The observe role: a filter in observability mode sends copies and waits for nothing, so this half of the machine has no answers at all.
 *
 * - `before` the response: request headers are told as `request`, response headers as `response`.
 * - Response body: `first_byte` before the first chunk that has bytes, then each chunk.
 * - `ended` once the response is complete (end of stream on headers or body, or trailers) or the stream is (half-close, reset: Envoy ends every
 *   observability stream by a reset, so that alone is no error). `end` is told exactly once, and only if the stream had told anything.
 */
import type { Observation, RequestStart, StreamEvent } from './machine-events.ts';

export interface ObserverState {
  readonly phase: 'before' | 'streaming' | 'ended';
  /** Something was told, so an `end` is due. */
  readonly begun: boolean;
}

export const initialObserver: ObserverState = { phase: 'before', begun: false };

/** The next state of an observed stream and what to tell of this event, in order. Never throws. */
export function observeStep(
  state: ObserverState,
  event: StreamEvent,
): readonly [ObserverState, readonly Observation[]] {
  if (state.phase === 'ended') return [state, []];
  switch (event.kind) {
    case 'request_headers':
      return [{ ...state, begun: true }, [{ kind: 'request', ...startOf(event) }]];
    case 'response_headers': {
      const told: Observation = { kind: 'response', ...startOf(event) };
      return event.endOfStream
        ? [{ phase: 'ended', begun: true }, [told, { kind: 'end', how: 'complete' }]]
        : [{ ...state, begun: true }, [told]];
    }
    case 'response_body': {
      const { body, endOfStream } = event;
      const told: Observation[] = [];
      if (body.byteLength > 0 && state.phase === 'before') told.push({ kind: 'first_byte' });
      told.push({ kind: 'chunk', body, endOfStream });
      if (endOfStream) told.push({ kind: 'end', how: 'complete' });
      const phase = endOfStream ? 'ended' : body.byteLength > 0 ? 'streaming' : state.phase;
      return [{ phase, begun: true }, told];
    }
    case 'response_trailers':
      return [{ phase: 'ended', begun: true }, [{ kind: 'end', how: 'complete' }]];
    case 'half_closed':
    case 'cancelled':
      return [{ ...state, phase: 'ended' }, state.begun ? [{ kind: 'end', how: 'cut' }] : []];
    case 'request_body':
    case 'request_trailers':
    case 'unknown_message':
    case 'routed':
    case 'refused':
      return [state, []];
  }
}

function startOf(event: RequestStart): RequestStart {
  return { headers: event.headers, attributes: event.attributes, metadata: event.metadata };
}
