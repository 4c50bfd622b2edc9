import { expect, test } from '@jest/globals';
import { collectSignals } from '../../../src/signals/collect.ts';
import type { DegradedReason, EncodeOutcome, Encoder, Encoding } from '../../../src/signals/signals.ts';
import { chat, message, part } from './requests.ts';

const ENCODING: Encoding = {
  tier: 'encoder',
  categoryProbabilities: [0.9, 0.1],
  difficulty: null,
  jailbreak: null,
  embedding: null,
  tokens: 5,
  truncated: false,
  memoised: false,
};

/** Remembers what it was asked, and answers alike. */
function fakeEncoder(outcome: EncodeOutcome = { kind: 'encoded', encoding: ENCODING }) {
  const asked: { text: string; deadlineMs: number; signal: AbortSignal | undefined }[] = [];
  const encoder: Encoder = {
    labels: ['math', 'other'],
    difficultyLabels: [],
    encode: (text, { deadlineMs, signal }) => {
      asked.push({ text, deadlineMs, signal });
      return Promise.resolve(outcome);
    },
  };
  return { encoder, asked };
}

const signal = new AbortController().signal;
const COMMON = { deadlineMs: 250, signal, needs: { encoder: true, pii: false }, pause: () => Promise.resolve() };
const at =
  (...times: number[]) =>
  () =>
    times.length > 1 ? (times.shift() ?? 0) : (times[0] ?? 0);
const maths = chat([message('user', 'What is the derivative of x^3?')]);

test('one encoder call with the judged text, and what is left of the deadline', async () => {
  const { encoder, asked } = fakeEncoder();
  const signals = await collectSignals({ request: maths, encoder, ...COMMON, clock: at(1000, 1004) });
  expect(asked).toEqual([{ text: 'What is the derivative of x^3?', deadlineMs: 246, signal }]);
  expect(signals).toMatchObject({
    encoding: ENCODING,
    degraded: null,
    labels: ['math', 'other'],
    pii: [],
    shape: { turns: 1, language: 'en' },
  });
});

test.each(['deadline', 'queue_full', 'encoder_error', 'encoder_unavailable'] as const)(
  'a failure is passed on: %s',
  async (reason) => {
    const { encoder } = fakeEncoder({ kind: 'failed', reason });
    const signals = await collectSignals({ request: maths, encoder, ...COMMON, clock: at(0) });
    expect([signals.encoding, signals.degraded]).toEqual([null, reason]);
  },
);

const GLANCE: Encoding = { ...ENCODING, tier: 'static', categoryProbabilities: [0.8, 0.2] };

/** An encoder that fails, with a table of tokens beside it that remembers what it was asked. */
function failing(reason: DegradedReason) {
  const glanced: string[] = [];
  const glance = (text: string) => {
    glanced.push(text);
    return GLANCE;
  };
  return { encoder: { ...fakeEncoder({ kind: 'failed', reason }).encoder, glance }, glanced };
}

test.each(['deadline', 'queue_full', 'encoder_error', 'encoder_unavailable'] as const)(
  'the table of tokens stands in, with the same text, and the reason stays: %s',
  async (reason) => {
    const { encoder, glanced } = failing(reason);
    const signals = await collectSignals({ request: maths, encoder, ...COMMON, clock: at(0) });
    expect(signals).toMatchObject({ encoding: GLANCE, degraded: reason });
    expect(glanced).toEqual(['What is the derivative of x^3?']);
  },
);

test.each([
  ['no text', chat([message('user', '  ')]), 'no_text', signal],
  ['another language', chat([message('user', '请用简单的语言解释光合作用的过程。')]), 'unsupported_language', signal],
  ['nobody who waits', maths, 'deadline', AbortSignal.abort()],
] as const)('no guess for %s', async (_, request, degraded, aborted) => {
  const { encoder, glanced } = failing('deadline');
  const signals = await collectSignals({ request, encoder, ...COMMON, signal: aborted, clock: at(0) });
  expect([signals.encoding, signals.degraded, glanced]).toEqual([null, degraded, []]);
});

test('the encoder’s answer needs no stand-in', async () => {
  let glances = 0;
  const encoder: Encoder = { ...fakeEncoder().encoder, glance: () => ((glances += 1), GLANCE) };
  const signals = await collectSignals({ request: maths, encoder, ...COMMON, clock: at(0) });
  expect([signals.encoding, glances]).toEqual([ENCODING, 0]);
});

test.each([
  ['no text', [message('user', [part('image')])], 'no_text'],
  ['another language', [message('user', 'Объясни, пожалуйста, что такое производная.')], 'unsupported_language'],
] as const)('%s: the encoder is not asked', async (_, messages, reason) => {
  const { encoder, asked } = fakeEncoder();
  const signals = await collectSignals({ request: chat(messages), encoder, ...COMMON, clock: at(0) });
  expect([signals.degraded, asked]).toEqual([reason, []]);
});

test('a short answer in another language is judged by the English question before it', async () => {
  const { encoder, asked } = fakeEncoder();
  const request = chat([
    ...maths.messages,
    message('assistant', 'It is 3x². Shall I prove it?'),
    message('user', 'да'),
  ]);
  expect((await collectSignals({ request, encoder, ...COMMON, clock: at(0) })).degraded).toBeNull();
  expect(asked[0]?.text).toContain('derivative');
});

test('without an encoder the rest is still known', async () => {
  const signals = await collectSignals({ request: maths, encoder: null, ...COMMON, clock: at(0) });
  expect(signals).toMatchObject({ encoding: null, degraded: 'encoder_unavailable', labels: [], shape: { turns: 1 } });
});

test('what the decision does not read is not collected, and that is no failure', async () => {
  const { encoder, asked } = fakeEncoder();
  const needs = { encoder: false, pii: false };
  const signals = await collectSignals({ request: maths, encoder, ...COMMON, needs, clock: at(0) });
  expect([signals.encoding, signals.degraded, asked]).toEqual([null, null, []]);
});

test('personal data is looked for when it is needed', async () => {
  const { encoder } = fakeEncoder();
  const request = chat([message('user', 'Write to jane.doe@example.com that I am late.')]);
  const needs = { encoder: true, pii: true };
  const { pii } = await collectSignals({ request, encoder, ...COMMON, needs, clock: at(0) });
  expect(pii.map(({ kind }) => kind)).toEqual(['EMAIL_ADDRESS']);
});
