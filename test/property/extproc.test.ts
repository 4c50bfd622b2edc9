import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Phase, RouteOutcome, StreamRole, StreamState } from '../../src/extproc/machine.ts';
import { initialState, step } from '../../src/extproc/machine.ts';
import type { TestEffect, TestEvent } from '../unit/extproc/streams.ts';
import {
  body,
  cancelled,
  failOpen,
  forward,
  halfClosed,
  play,
  replyOutcome,
  requestHeaders,
  responseBody,
  responseHeaders,
  responseTrailers,
  routed,
  told,
  trailers,
  unknown,
} from '../unit/extproc/streams.ts';

const RUNS = 3000;

const requestHeadersEvent = fc
  .record({
    method: fc.constantFrom('POST', 'GET', 'PUT', 'DELETE'),
    headers: fc.constantFrom({}, { 'content-length': '5' }, { 'content-length': '101' }, { 'content-length': 'x' }),
    endOfStream: fc.boolean(),
    bodyMode: fc.constantFrom('whole' as const, 'chunks' as const, 'none' as const, 'unsupported' as const),
  })
  .map(requestHeaders);
const plainStart = fc.constantFrom(requestHeaders(), requestHeaders({ bodyMode: 'chunks' }));
const text = fc.string({ maxLength: 40 });
const message: fc.Arbitrary<TestEvent> = fc.oneof(
  requestHeadersEvent,
  fc.tuple(text, fc.boolean()).map(([chunk, end]) => body(chunk, end)),
  fc.boolean().map(responseHeaders),
  fc.tuple(text, fc.boolean()).map(([chunk, end]) => responseBody(chunk, end)),
  fc.constantFrom(trailers, responseTrailers),
);
/** Outcomes get a context of their own later, where they should have one. */
const outcome = fc.constantFrom<(context?: string) => RouteOutcome<string>>(
  (context) => forward('new', context),
  (context) => forward(null, context),
  replyOutcome,
  failOpen,
);
const otherEvent: fc.Arbitrary<TestEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(outcome, fc.boolean()).map(([make, has]) => routed(make(has ? 'c' : undefined))) },
  { weight: 1, arbitrary: fc.constantFrom(halfClosed, cancelled, unknown) },
  {
    weight: 1,
    arbitrary: fc.constant<TestEvent>({
      kind: 'refused',
      reply: { kind: 'reply', status: 503, headers: [], body: '' },
    }),
  },
);
const anyEvent = fc.oneof({ weight: 4, arbitrary: message }, { weight: 2, arbitrary: otherEvent });
/** Random orders seldom start well, so half of the runs begin with good headers. */
const events = fc
  .tuple(fc.option(plainStart, { nil: undefined }), fc.array(anyEvent, { maxLength: 30 }))
  .map(([first, rest]) => (first === undefined ? rest : [first, ...rest]));
const answeringRole = fc.constantFrom<StreamRole>('route', 'retry');
const checkingToo = fc.constantFrom<StreamRole>('route', 'retry', 'check');

/** Gives every context its own name, so that each can be followed. */
function withOwnContexts(stream: readonly TestEvent[]): TestEvent[] {
  return stream.map((event, index) =>
    event.kind === 'routed' && event.outcome.context !== undefined
      ? routed({ ...event.outcome, context: `c${index}` })
      : event,
  );
}

const phaseOf = (event: TestEvent): Phase | null =>
  event.kind === 'routed' ||
  event.kind === 'refused' ||
  event.kind === 'half_closed' ||
  event.kind === 'cancelled' ||
  event.kind === 'unknown_message'
    ? null
    : event.kind;

const answeredPhase = (effect: TestEffect): Phase | null =>
  effect.kind === 'answer'
    ? effect.phase
    : effect.kind === 'answer_response_headers' || effect.kind === 'answer_unchecked_headers'
      ? 'response_headers'
      : effect.kind === 'answer_response_body' || effect.kind === 'answer_checked_body'
        ? 'response_body'
        : null;

const isRequest = (phase: Phase): boolean => phase.startsWith('request');
const STOPS = ['reply', 'fail', 'end'];

describe('any order of events', () => {
  test('each message gets exactly one answer, in order, until the stream stops; nothing throws; nothing after a stop', () => {
    fc.assert(
      fc.property(checkingToo, events, (role, stream) => {
        let state: StreamState<string> = initialState(role, { maxBodyBytes: 100, needsBody: () => true });
        const owed: Record<'request' | 'response', Phase[]> = { request: [], response: [] };
        let stopped = false;
        // In the end a running pipeline reports, so that nothing can stay owed.
        for (const event of [...stream, routed(forward())]) {
          const phase = phaseOf(event);
          const [next, effects] = step(state, event);
          state = next;
          if (phase !== null) owed[isRequest(phase) ? 'request' : 'response'].push(phase);
          for (const effect of effects) {
            const answered = answeredPhase(effect);
            if (answered !== null) {
              expect(stopped).toBe(false);
              expect(owed[isRequest(answered) ? 'request' : 'response'].shift()).toBe(answered);
            }
            if (STOPS.includes(effect.kind)) stopped ||= true;
          }
          stopped ||= event.kind === 'cancelled';
        }
        if (!stopped) expect(owed).toEqual({ request: [], response: [] });
      }),
      { numRuns: RUNS },
    );
  });

  test('at most one pipeline, one reply, one failure, one end; a failure is never followed by a clean end', () => {
    fc.assert(
      fc.property(answeringRole, events, (role, stream) => {
        const kinds = play(role, stream).all.map(({ kind }) => kind);
        const count = (...names: string[]): number => kinds.filter((kind) => names.includes(kind)).length;
        expect(count('route', 'rewrite_for', 'decide_headers')).toBeLessThanOrEqual(1);
        expect(count('reply')).toBeLessThanOrEqual(1);
        expect(count('fail', 'end')).toBeLessThanOrEqual(1);
        expect(count('reply') + count('fail')).toBeLessThanOrEqual(1);
      }),
      { numRuns: RUNS },
    );
  });

  test('a stream never ends cleanly while an answer is owed', () => {
    fc.assert(
      fc.property(events, (stream) => {
        let state: StreamState<string> = initialState('route', { maxBodyBytes: 100, needsBody: () => true });
        for (const event of stream) {
          const deciding = state.mode.kind === 'deciding';
          const [next, effects] = step(state, event);
          state = next;
          if (deciding) expect(effects.map(told)).not.toContain('end');
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('every context is given back exactly once', () => {
    fc.assert(
      fc.property(answeringRole, events, (role, stream) => {
        const named = withOwnContexts(stream);
        const given = named.flatMap((event) =>
          event.kind === 'routed' && event.outcome.context !== undefined ? [event.outcome.context] : [],
        );
        const back = play(role, [...named, cancelled]).all.flatMap((effect) =>
          effect.kind === 'finished' ? [effect.context] : [],
        );
        expect([...back].sort()).toEqual([...given].sort());
      }),
      { numRuns: RUNS },
    );
  });

  test('a running pipeline that nobody waits for is aborted, and no other', () => {
    fc.assert(
      fc.property(answeringRole, events, (role, stream) => {
        const { all } = play(role, [...stream, cancelled]);
        const started = all.some(({ kind }) => kind === 'route' || kind === 'rewrite_for' || kind === 'decide_headers');
        const aborted = all.filter(({ kind }) => kind === 'abort').length;
        expect(aborted).toBeLessThanOrEqual(started ? 1 : 0);
        const outcomeSeen = stream.some(({ kind }) => kind === 'routed');
        if (started && !outcomeSeen) expect(aborted).toBe(1);
      }),
      { numRuns: RUNS },
    );
  });

  test('observing answers nothing and ends once', () => {
    fc.assert(
      fc.property(events, (stream) => {
        const { all } = play('observe', [...stream, cancelled]);
        expect(all.filter(({ kind }) => kind !== 'observe' && kind !== 'end')).toEqual([]);
        const observations = all.flatMap((effect) => (effect.kind === 'observe' ? [effect.observation.kind] : []));
        const ends = observations.filter((kind) => kind === 'end').length;
        expect(ends).toBe(observations.length > 0 ? 1 : 0);
        if (ends === 1) expect(observations.at(-1)).toBe('end');
        expect(observations.filter((kind) => kind === 'first_byte').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Cuts text into pieces at the given places (any numbers). */
function pieces(whole: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
  return [...places, whole.length].map((place, index) => whole.slice(index === 0 ? 0 : places[index - 1], place));
}

describe('any chunking', () => {
  const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 100 });
  const cuts = fc.array(fc.nat(), { maxLength: 12 });

  test('of a request body gives the same pipeline and the same request for the endpoint', () => {
    fc.assert(
      fc.property(answeringRole, ascii, cuts, fc.boolean(), outcome, (role, whole, at, emptyLast, make) => {
        const chunks = [...pieces(whole, at), ...(emptyLast ? [''] : [])];
        const start = requestHeaders({ bodyMode: 'chunks' });
        const run = (parts: readonly string[]): { upstream: string; pipeline: string; rest: string[] } => {
          const bodies = parts.map((part, index) => body(part, index === parts.length - 1));
          const { all } = play(role, [start, ...bodies, routed(make('c')), responseHeaders(), halfClosed]);
          const answers = all.filter((effect) => effect.kind === 'answer' && effect.phase === 'request_body');
          // What Envoy sends on: each chunk as it came, cleared, or replaced.
          const upstream = answers.map((effect, index) => {
            if (effect.kind !== 'answer') return '';
            const { change } = effect;
            if (change.kind === 'clear_body') return '';
            if (change.kind === 'none' || change.mutations.body === null) return parts[index] ?? '';
            return Buffer.from(change.mutations.body).toString();
          });
          return {
            upstream: upstream.join(''),
            pipeline: all
              .filter(({ kind }) => kind === 'route' || kind === 'rewrite_for')
              .map(told)
              .join(),
            rest: all.filter(({ kind }) => kind !== 'answer' && kind !== 'failed_open').map(told),
          };
        };
        const one = run([whole]);
        const many = run(chunks);
        expect(many.pipeline).toBe(one.pipeline);
        // Undecided, a request in pieces cannot go on: it is answered 503 instead. All else is the same.
        if (make('c').kind === 'fail_open') return;
        expect(many).toEqual(one);
      }),
      { numRuns: RUNS },
    );
  });

  test('of a response gives an observer the same bytes, one first byte and one end', () => {
    fc.assert(
      fc.property(ascii, cuts, (whole, at) => {
        const chunks = pieces(whole, at);
        const stream = chunks.map((chunk, index) => responseBody(chunk, index === chunks.length - 1));
        const lines = play('observe', [responseHeaders(), ...stream, cancelled]).all.map(told);
        const bytes = lines.filter((line) => line.startsWith('chunk ')).map((line) => line.slice('chunk '.length));
        expect(bytes.join('')).toBe(`${whole}.`);
        expect(lines.filter((line) => line === 'first_byte')).toHaveLength(whole === '' ? 0 : 1);
        expect(lines.filter((line) => line.startsWith('end'))).toEqual(['end complete']);
      }),
      { numRuns: RUNS },
    );
  });
});
