/** Short names for events, and a runner, so that a test reads like the conversation it is about. */
import type {
  BodyMode,
  Effect,
  Headers,
  RouteOutcome,
  StreamEvent,
  StreamRole,
  StreamSettings,
  StreamState,
} from '../../../src/extproc/machine.ts';
import { initialState, step } from '../../../src/extproc/machine.ts';

/** Contexts are strings here: easy to tell apart. */
export type TestEvent = StreamEvent<string>;
export type TestEffect = Effect<string>;

export const SETTINGS: StreamSettings = { maxBodyBytes: 100, needsBody: () => true };

export const headersOf = (headers: Record<string, string>): Headers => new Map(Object.entries(headers));

export function requestHeaders(
  options: {
    method?: string;
    headers?: Record<string, string>;
    attributes?: Record<string, string>;
    endOfStream?: boolean;
    bodyMode?: BodyMode;
  } = {},
): TestEvent {
  const { method = 'POST', headers = {}, attributes = {}, endOfStream = false, bodyMode = 'whole' } = options;
  return {
    kind: 'request_headers',
    headers: headersOf({ ':method': method, ...headers }),
    attributes: headersOf(attributes),
    metadata: new Map(),
    endOfStream,
    bodyMode,
  };
}

export const body = (text: string, endOfStream = true): TestEvent => ({
  kind: 'request_body',
  body: Buffer.from(text),
  endOfStream,
});

export const responseHeaders = (endOfStream = false): TestEvent => ({
  kind: 'response_headers',
  headers: headersOf({ ':status': '200' }),
  attributes: headersOf({ 'upstream.address': '10.0.0.1:8000' }),
  metadata: new Map(),
  endOfStream,
});

export const responseBody = (text: string, endOfStream = true): TestEvent => ({
  kind: 'response_body',
  body: Buffer.from(text),
  endOfStream,
});

export const trailers: TestEvent = { kind: 'request_trailers' };
export const responseTrailers: TestEvent = { kind: 'response_trailers' };
export const unknown: TestEvent = { kind: 'unknown_message' };
export const halfClosed: TestEvent = { kind: 'half_closed' };
export const cancelled: TestEvent = { kind: 'cancelled' };

export const routed = (outcome: RouteOutcome<string>): TestEvent => ({ kind: 'routed', outcome });

export function forward(newBody: string | null = 'new', context?: string): RouteOutcome<string> {
  return {
    kind: 'forward',
    mutations: {
      body: newBody === null ? null : Buffer.from(newBody),
      setHeaders: [{ name: 'x-selected-model', value: 'm' }],
      removeHeaders: [],
      metadata: {},
    },
    context,
  };
}

export const replyOutcome = (context?: string): RouteOutcome<string> => ({
  kind: 'reply',
  status: 404,
  headers: [],
  body: '{}',
  context,
});

export const failOpen = (context?: string): RouteOutcome<string> => ({ kind: 'fail_open', message: 'broken', context });

/** Plays events; gives the effects of each, and the last state. */
export function play(
  role: StreamRole,
  events: readonly TestEvent[],
  settings: StreamSettings = SETTINGS,
): { steps: (readonly TestEffect[])[]; all: TestEffect[]; state: StreamState<string> } {
  let state = initialState<string>(role, settings);
  const steps = events.map((event) => {
    const [next, effects] = step(state, event);
    state = next;
    return effects;
  });
  return { steps, all: steps.flat(), state };
}

/** One line an effect: what a table compares. */
export function told(effect: TestEffect): string {
  switch (effect.kind) {
    case 'answer': {
      const { change, skip } = effect;
      const parts: string[] = [effect.phase];
      if (change.kind === 'clear_body') parts.push('clear');
      if (change.kind === 'mutate') {
        parts.push(
          change.mutations.body === null ? 'mutate' : `mutate=${Buffer.from(change.mutations.body).toString()}`,
        );
      }
      if (skip === 'bodies' || skip === 'bodies_and_response') parts.push(`skip:${skip}`);
      return `answer ${parts.join(' ')}`;
    }
    case 'answer_response_body':
      return 'answer response_body';
    case 'answer_response_headers':
      return `answer response_headers for ${effect.context ?? 'nobody'}`;
    case 'answer_unchecked_headers':
      return `answer response_headers of ${effect.response.headers.get(':status') ?? ''}`;
    case 'answer_checked_body':
      return `answer checked ${Buffer.from(effect.body).toString()}${effect.isWhole ? '.' : ''}`;
    case 'reply':
      return `reply ${effect.reply.status}`;
    case 'fail':
      return `fail ${effect.code}`;
    case 'route':
      return `route ${Buffer.from(effect.body).toString()}`;
    case 'rewrite_for':
      return `rewrite_for ${effect.address} #${effect.attempt} ${Buffer.from(effect.body).toString()}`;
    case 'observe':
      return effect.observation.kind === 'chunk'
        ? `chunk ${Buffer.from(effect.observation.body).toString()}${effect.observation.endOfStream ? '.' : ''}`
        : effect.observation.kind === 'end'
          ? `end ${effect.observation.how}`
          : effect.observation.kind;
    case 'finished':
      return `finished ${effect.context} ${effect.how}`;
    case 'unexpected':
      return `unexpected ${effect.phase}`;
    case 'decide_headers':
    case 'end':
    case 'abort':
    case 'failed_open':
      return effect.kind;
  }
}
