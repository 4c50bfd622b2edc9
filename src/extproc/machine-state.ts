/** The state of one stream, and the few ways to leave it. The modes are told in machine.ts. */
import type {
  Change,
  Effect,
  Ending,
  FailureCode,
  Phase,
  ReplyOutcome,
  RequestPhase,
  RequestStart,
  SkipRequest,
  StreamRole,
  StreamSettings,
} from './machine-events.ts';
import type { CheckerState } from './machine-check.ts';
import type { ObserverState } from './machine-observe.ts';
import { initialObserver } from './machine-observe.ts';

/** Body chunks as a list, newest first: O(1) a chunk and never changed. */
export interface ChunkList {
  readonly body: Uint8Array;
  readonly earlier: ChunkList | null;
}

export type Mode =
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

export type AwaitingBody = Extract<Mode, { readonly kind: 'awaiting_body' }>;
export type Deciding = Extract<Mode, { readonly kind: 'deciding' }>;
export type Over = Extract<Mode, { readonly kind: 'over' }>;

/** Everything about one stream. Opaque to callers: make it with `initialState`, change it with `step`. */
export interface StreamState<Context = unknown> {
  readonly role: StreamRole;
  readonly settings: StreamSettings;
  readonly mode: Mode;
  readonly context: Context | undefined;
  readonly responseSeen: boolean;
  readonly observer: ObserverState;
  readonly checker: CheckerState;
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
    checker: null,
  };
}

/** The effect that answers a message of this phase. */
export function answer(phase: Phase, change: Change = { kind: 'none' }, skip: SkipRequest = 'nothing'): Effect<never> {
  return { kind: 'answer', phase, change, skip };
}

/** Ends the exchange with an immediate response. */
export function reply<Context>(state: StreamState<Context>, outcome: ReplyOutcome): Step<Context> {
  return finish(state, 'replied', [{ kind: 'reply', reply: outcome }], false);
}

/** Ends the stream with an error status. */
export function fail<Context>(state: StreamState<Context>, code: FailureCode, message: string): Step<Context> {
  return finish(state, 'failed', [{ kind: 'fail', code, message }], true);
}

/** Goes to `over`: a running pipeline is aborted, the context is given back. `ended`: our half of the stream needs no end any more. */
export function finish<Context>(
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

/** The effect that gives a context back; none when there is none. */
export function finished<Context>(context: Context | undefined, how: Ending): readonly Effect<Context>[] {
  return context === undefined ? [] : [{ kind: 'finished', context, how }];
}
