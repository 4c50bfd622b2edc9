import { describe, expect, test } from '@jest/globals';
import { encodeCascade, noteOf, type CarriedCascade } from '../../../src/cascade/carried.ts';
import { createChecker, type CheckEvent } from '../../../src/cascade/checker.ts';
import { answerAfterAll, cascadeState } from '../../../src/cascade/given.ts';
import { createShares } from '../../../src/cascade/share.ts';
import type { DynamicMetadata, ResponseStart } from '../../../src/extproc/machine-events.ts';
import { CARRIED_KEY, CARRIED_NAMESPACE, encodeCarried } from '../../../src/rewrite/carried.ts';
import {
  CASCADE_NAMESPACE,
  CASCADE_WANTED,
  CHECKED_NAMESPACE,
  KEPT_NAMESPACE,
  SWITCHYARD_ESCALATE,
} from '../../../src/rewrite/headers.ts';
import { planOf } from '../execution/targets.ts';

const CASCADE: CarriedCascade = {
  route: 'r',
  checks: ['refusal', 'truncated', 'empty'],
  minMeanLogprob: null,
  maxShare: 1,
  minEscalations: 0,
  windowMs: 1000,
  maxAnswerBytes: 1000,
  format: { kind: 'text' },
};

const saying = (content: string, finish = 'stop') =>
  Buffer.from(
    JSON.stringify({ choices: [{ message: { content }, finish_reason: finish }], usage: { total_tokens: 9 } }),
  );
const REFUSAL = saying("I'm sorry, but I can't help with that.");

interface Case {
  readonly headers?: Record<string, string>;
  readonly attempt?: number;
  readonly plan?: readonly string[];
  readonly cascade?: CarriedCascade | null;
  readonly more?: Record<string, Record<string, string>>;
}

function response({
  headers = {},
  attempt = 1,
  plan = ['cheap@1', 'strong@2'],
  cascade = CASCADE,
  more = {},
}: Case = {}): ResponseStart {
  const { targets } = planOf(...plan);
  const carried = encodeCarried({
    targets: targets.map((target) => ({ ...target, reasoningTold: false, largerWindow: false })),
    untouched: false,
    note: '',
    callerReasoningWins: true,
    keyed: false,
    category: '',
    requestId: '',
    startedMs: 0,
  });
  const metadata: DynamicMetadata = new Map(
    Object.entries({
      [CARRIED_NAMESPACE]: { [CARRIED_KEY]: carried },
      ...(cascade === null ? {} : { [CASCADE_NAMESPACE]: { [CASCADE_WANTED]: encodeCascade(cascade) } }),
      ...more,
    }),
  );
  return {
    headers: new Map(
      Object.entries({ ':status': '200', 'content-type': 'application/json', 'content-length': '500', ...headers }),
    ),
    attributes: new Map([
      ['upstream.address', targets[attempt - 1]?.address ?? ''],
      ['upstream.request_attempt_count', String(attempt)],
    ]),
    metadata,
  };
}

function setUp() {
  const events: CheckEvent[] = [];
  const capped: string[] = [];
  const shares = createShares(() => 0);
  const checker = createChecker({
    shares,
    onChecked: (event) => void events.push(event),
    onCapped: (route, maxShare) => void capped.push(`${route} ${maxShare}`),
  });
  return { ...checker, shares, events, capped };
}

describe('wantsCheck', () => {
  test.each<[string, Case, boolean]>([
    ['a small JSON answer', {}, true],
    ['no cascade', { cascade: null }, false],
    ['an error', { headers: { ':status': '404' } }, false],
    ['a stream', { headers: { 'content-type': 'text/event-stream' } }, false],
    ['a compressed one', { headers: { 'content-encoding': 'gzip' } }, false],
    ['a large one', { headers: { 'content-length': '1001' } }, false],
    ['one without a length', { headers: { 'content-length': '' } }, false],
    ['one with a length that is no number', { headers: { 'content-length': 'x' } }, false],
    ['no target behind it', { attempt: 2 }, false],
    ['only a replica behind it', { plan: ['cheap@1', 'cheap@2'] }, false],
    ['another model behind the second', { plan: ['cheap@1', 'middle@2', 'strong@3'], attempt: 2 }, true],
  ])('%s', (_, given, expected) => {
    expect(setUp().wantsCheck(response(given))).toBe(expected);
  });

  test('what could not be read is counted, what was not asked about is not', () => {
    const { wantsCheck, events } = setUp();
    wantsCheck(response({ headers: { 'content-length': '9999' } }));
    wantsCheck(response({ headers: { ':status': '500' } }));
    wantsCheck(response({ attempt: 2 }));
    expect(events).toEqual([{ route: 'r', model: 'cheap', result: 'unchecked', check: null }]);
  });
});

describe('check', () => {
  test('an answer that passes gets a note and nothing else; an endpoint cannot mark it', () => {
    const { check, events, shares } = setUp();
    const outcome = check(response(), saying('Paris.'));
    expect(outcome).toEqual({
      setHeaders: [],
      removeHeaders: [SWITCHYARD_ESCALATE],
      metadata: { [CHECKED_NAMESPACE]: { '1': 'passed - - - 9' } },
    });
    expect(events).toEqual([{ route: 'r', model: 'cheap', result: 'passed', check: null }]);
    expect(shares.view()).toEqual([{ route: 'r', checked: 1, escalated: 0, refused: 0 }]);
  });

  test('one that fails is marked and kept', () => {
    const { check } = setUp();
    const outcome = check(response(), REFUSAL);
    expect(outcome?.setHeaders).toEqual([{ name: SWITCHYARD_ESCALATE, value: 'refusal' }]);
    expect(outcome?.metadata).toEqual({
      [CHECKED_NAMESPACE]: { '1': 'escalated refusal - - 9' },
      [KEPT_NAMESPACE]: { attempt: '1', check: 'refusal', body: REFUSAL.toString() },
    });
  });

  test('beyond the share it goes on as it came', () => {
    const { check, events, capped } = setUp();
    const none = { ...CASCADE, maxShare: 0 };
    for (let i = 0; i < 3; i += 1) {
      const outcome = check(response({ cascade: none }), REFUSAL);
      expect(outcome?.setHeaders).toEqual([]);
      expect(Object.keys(outcome?.metadata ?? {})).toEqual([CHECKED_NAMESPACE]);
    }
    expect(events.map(({ result, check: failed }) => [result, failed])).toEqual([
      ['kept', 'refusal'],
      ['kept', 'refusal'],
      ['kept', 'refusal'],
    ]);
    expect(capped).toEqual(['r 0']);
  });

  test('a second answer counts as no second request, and goes on to the third model', () => {
    const { check, shares } = setUp();
    const strict = { ...CASCADE, maxShare: 0, minEscalations: 1 };
    const plan = ['cheap@1', 'middle@2', 'strong@3'];
    const first = check(response({ plan, cascade: strict }), REFUSAL);
    const more = { [CHECKED_NAMESPACE]: { ...first?.metadata[CHECKED_NAMESPACE] } };
    const second = check(response({ plan, cascade: strict, attempt: 2, more }), REFUSAL);
    expect(second?.setHeaders).toEqual([{ name: SWITCHYARD_ESCALATE, value: 'refusal' }]);
    expect(shares.view()).toEqual([{ route: 'r', checked: 1, escalated: 1, refused: 0 }]);
  });

  test.each([
    ['truncated', 'empty', false],
    ['empty', 'truncated', true],
    ['truncated', 'truncated', true],
    ['refusal', 'empty', false],
  ])('after one that was %s, one that is %s is kept: %s', (earlier, later, isKept) => {
    const { check } = setUp();
    const body = later === 'empty' ? saying('') : saying('First, we', 'length');
    const more = { [CHECKED_NAMESPACE]: { '1': `escalated ${earlier} - - -` } };
    const outcome = check(response({ plan: ['cheap@1', 'middle@2', 'strong@3'], attempt: 2, more }), body);
    expect(Object.keys(outcome?.metadata ?? {}).includes(KEPT_NAMESPACE)).toBe(isKept);
  });

  test('what is no completion is not judged and not counted', () => {
    const { check, shares, events } = setUp();
    const outcome = check(response(), Buffer.from('{"ok":true}'));
    expect(noteOf(outcome?.metadata[CHECKED_NAMESPACE], 1)?.result).toBe('unchecked');
    expect([shares.view(), events[0]?.result]).toEqual([[], 'unchecked']);
  });

  test('without a cascade there is nothing to say', () => {
    expect(setUp().check(response({ cascade: null }), REFUSAL)).toBeNull();
  });
});

describe('what the client gets', () => {
  const kept = { [KEPT_NAMESPACE]: { attempt: '1', check: 'refusal', body: '{}' } };

  test.each([
    ['503', kept, { attempt: 1, check: 'refusal', body: '{}' }],
    ['400', kept, { attempt: 1, check: 'refusal', body: '{}' }],
    ['200', kept, null],
    ['503', {}, null],
  ])('status %s', (status, more, expected) => {
    expect(answerAfterAll(response({ headers: { ':status': status }, more }))).toEqual(expected);
  });

  test.each([
    [{}, 1, 'unchecked'],
    [{ '1': 'passed - - - -' }, 1, 'passed'],
    [{ '1': 'unchecked - - - -' }, 1, 'unchecked'],
    [{ '1': 'kept empty - - -' }, 1, 'kept:empty'],
    [{ '1': 'escalated empty - - -' }, 1, 'kept:empty'],
    [{ '1': 'escalated empty - - -' }, 2, 'escalated:empty'],
    [{ '1': 'escalated empty - - -', '2': 'passed - - - -' }, 2, 'escalated:empty'],
    [{ '1': 'escalated empty - - -', '2': 'escalated refusal - - -' }, 3, 'escalated:refusal'],
    [{ '1': 'escalated empty - - -', '2': 'kept refusal - - -' }, 2, 'kept:refusal'],
  ])('%j at attempt %i: %s', (notes, attempt, expected) => {
    expect(cascadeState(response({ more: { [CHECKED_NAMESPACE]: notes } }), attempt)).toBe(expected);
  });
});
