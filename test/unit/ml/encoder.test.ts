import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Worker } from 'node:worker_threads';
import { createEncoder, type RunningEncoder } from '../../../src/ml/encoder.ts';
import { argmax } from '../../../src/ml/heads.ts';
import { spawnWorker } from '../../../src/ml/spawn.ts';
import type { EncodeOutcome, Encoding } from '../../../src/signals/signals.ts';

const BUNDLE = 'models/switchyard-minilm';
const PATIENT = { deadlineMs: 10_000 };
const LONG = 'Compare the causes and the consequences of the two wars in detail, battle by battle. '.repeat(60);

/** One everyday prompt a category; the model that ships must know all of them. */
const PROMPTS: readonly (readonly [string, string])[] = [
  ['biology', 'How does photosynthesis convert light energy into chemical energy in the chloroplasts of plant cells?'],
  ['business', 'How should a small company segment its market before launching a new product line?'],
  ['chemistry', 'Balance the redox reaction between potassium permanganate and oxalic acid in acidic solution.'],
  ['computer science', 'Write a Python function that finds the longest palindromic substring in O(n^2).'],
  ['economics', 'Explain how an increase in interest rates by the central bank affects inflation and unemployment.'],
  ['engineering', 'Calculate the bending moment at mid-span of a simply supported steel beam with a distributed load.'],
  ['health', 'What are the early symptoms of type 2 diabetes and how is it usually treated?'],
  ['history', 'What were the main causes of the fall of the Western Roman Empire?'],
  ['law', 'Under contract law, when does an offer lapse and can it be revoked before acceptance?'],
  ['math', 'Solve the integral of x^2 * e^x dx step by step.'],
  ['other', 'Write a short poem about autumn leaves for my grandmother.'],
  [
    'philosophy',
    "What does Kant mean by the categorical imperative, and how does it differ from Hume's view of morality?",
  ],
  ['physics', 'A ball is thrown upward at 20 m/s. How high does it go, neglecting air resistance?'],
  ['psychology', 'What is cognitive dissonance and how did Festinger test it in his experiment?'],
];

function encodingOf(outcome: EncodeOutcome): Encoding {
  if (outcome.kind === 'failed') throw new Error(outcome.reason);
  return outcome.encoding;
}

let serial = 0;
/** A prompt that no test has used. */
const fresh = (text = 'Tell me about the number') => `${text} ${(serial += 1)}`;

describe('the encoder on the model that ships', () => {
  let encoder: RunningEncoder;
  const workers: Worker[] = [];
  let passes = 0;
  let hits: boolean[] = [];
  const restarts: string[] = [];
  const warnings: object[] = [];

  beforeAll(async () => {
    encoder = await createEncoder({
      bundleDir: BUNDLE,
      useCpu: true,
      workers: 1,
      queueLimit: 4,
      events: {
        batchSize: () => (passes += 1),
        memoHit: (hit) => hits.push(hit),
        restarts: (reason) => restarts.push(reason),
      },
      log: { info: () => undefined, warn: (fields) => warnings.push(fields) },
      spawn: (setup, name) => {
        const worker = spawnWorker(setup, name);
        workers.push(worker);
        return worker;
      },
    });
  });
  beforeEach(() => {
    passes = 0;
    hits = [];
  });
  afterAll(() => encoder.close());

  test.each(PROMPTS)('knows %s', async (category, prompt) => {
    const encoding = encodingOf(await encoder.encode(prompt, PATIENT));
    expect(encoder.labels[argmax(encoding.categoryProbabilities)]).toBe(category);
    expect(encoding.categoryProbabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    expect(Math.hypot(...(encoding.embedding ?? []))).toBeCloseTo(1, 4);
    expect(encoding.difficulty).toHaveLength(encoder.difficultyLabels.length);
    expect(encoding.difficulty?.every((p) => p > 0 && p < 1)).toBe(true);
    expect([encoding.truncated, encoding.memoised]).toEqual([false, false]);
    expect(encoding.jailbreak).toBeLessThan(0.7);
  });

  test('says what it is', () => {
    expect(encoder.labels).toHaveLength(14);
    expect(encoder.difficultyLabels).toEqual(['tiny', 'small', 'mid', 'strong']);
    expect(encoder.info()).toMatchObject({ provider: 'cpu', workers: 1, readyWorkers: 1, queueDepth: 0 });
  });

  test('remembers a text', async () => {
    const text = fresh();
    const first = encodingOf(await encoder.encode(text, PATIENT));
    const second = encodingOf(await encoder.encode(text, PATIENT));
    expect(second).toEqual({ ...first, memoised: true });
    expect([passes, hits]).toEqual([1, [false, true]]);
  });

  test('requests with one text at one time share a pass', async () => {
    const text = fresh();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => encoder.encode(text, PATIENT)));
    const encodings = outcomes.map(encodingOf);
    expect(passes).toBe(1);
    expect(encodings.map((encoding) => encoding.memoised)).toEqual([false, ...Array<boolean>(19).fill(true)]);
    expect(new Set(encodings.map((encoding) => encoding.categoryProbabilities)).size).toBe(1);
  });

  test('a long text is cut to the window', async () => {
    const encoding = encodingOf(await encoder.encode(LONG + fresh(), PATIENT));
    expect([encoding.tokens, encoding.truncated]).toEqual([256, true]);
  });

  test('32 MiB of text cost no more than a window', async () => {
    const text = Buffer.alloc(32 * 1024 * 1024, `${fresh()} words `).toString();
    encodingOf(await encoder.encode(text, PATIENT));
    const start = performance.now();
    for (let round = 0; round < 20; round += 1) await encoder.encode(text, PATIENT);
    expect(performance.now() - start).toBeLessThan(200);
  });

  test.each(['', '   \n\t '])('a blank text is no text: %j', async (text) => {
    expect(await encoder.encode(text, PATIENT)).toEqual({ kind: 'failed', reason: 'no_text' });
  });

  test('past the deadline the answer is `deadline`; the pass goes on and is remembered', async () => {
    const text = LONG + fresh();
    expect(await encoder.encode(text, { deadlineMs: 1 })).toMatchObject({ kind: 'failed', reason: 'deadline' });
    encodingOf(await encoder.encode(text, PATIENT));
    expect(passes).toBe(1);
    expect(encodingOf(await encoder.encode(text, { deadlineMs: 0 })).memoised).toBe(true);
  });

  test('one request leaves early, another with the same text gets its answer', async () => {
    const text = LONG + fresh();
    const [hasty, patient] = await Promise.all([
      encoder.encode(text, { deadlineMs: 1 }),
      encoder.encode(text, PATIENT),
    ]);
    expect(hasty).toMatchObject({ kind: 'failed', reason: 'deadline' });
    expect(encodingOf(patient).memoised).toBe(true);
    expect(passes).toBe(1);
  });

  test('a deadline of any size is kept', async () => {
    expect((await encoder.encode(fresh(), { deadlineMs: Infinity })).kind).toBe('encoded');
    expect((await encoder.encode(fresh(), { deadlineMs: 2 ** 40 })).kind).toBe('encoded');
    expect(await encoder.encode(fresh(), { deadlineMs: -5 })).toEqual({ kind: 'failed', reason: 'deadline' });
  });

  test('a full queue refuses', async () => {
    // What earlier tests left at the worker is done once this is answered.
    await encoder.encode(fresh(), PATIENT);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => encoder.encode(LONG + fresh(), PATIENT)));
    const reasons = outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.reason : outcome.kind));
    // One is computed, one lies ready at the worker, four wait.
    expect(reasons).toEqual([...Array<string>(6).fill('encoded'), ...Array<string>(6).fill('queue_full')]);
  });

  test('a cancelled request leaves the queue and is never computed', async () => {
    const busy = [encoder.encode(LONG + fresh(), PATIENT), encoder.encode(LONG + fresh(), PATIENT)];
    const abort = new AbortController();
    const cancelled = encoder.encode(fresh(), { ...PATIENT, signal: abort.signal });
    expect(encoder.info().queueDepth).toBe(1);
    abort.abort();
    expect((await cancelled).kind).toBe('failed');
    expect(encoder.info().queueDepth).toBe(0);
    await Promise.all(busy);
    expect(passes).toBe(2);
    expect((await encoder.encode(fresh(), { ...PATIENT, signal: abort.signal })).kind).toBe('failed');
    expect(passes).toBe(2);
  });

  test('a text that was dropped can be asked for again', async () => {
    const busy = [encoder.encode(LONG + fresh(), PATIENT), encoder.encode(LONG + fresh(), PATIENT)];
    const text = fresh();
    const abort = new AbortController();
    const cancelled = encoder.encode(text, { ...PATIENT, signal: abort.signal });
    abort.abort();
    const again = encoder.encode(text, PATIENT);
    expect((await cancelled).kind).toBe('failed');
    expect((await again).kind).toBe('encoded');
    await Promise.all(busy);
  });

  // It dies at rest: to end a thread inside the native library can end the process. What a running pass sees is in pool.test.ts.
  test('a worker that dies is missed, said so, and replaced', async () => {
    await workers.at(-1)?.terminate();
    expect(await encoder.encode(fresh(), PATIENT)).toMatchObject({ kind: 'failed', reason: 'encoder_unavailable' });
    expect(restarts).toHaveLength(1);
    expect(warnings).toEqual([expect.objectContaining({ event: 'encoder_worker_restart' })]);
    const start = performance.now();
    while (encoder.info().readyWorkers === 0 && performance.now() - start < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await encoder.encode(fresh(), PATIENT)).kind).toBe('encoded');
    expect(workers).toHaveLength(2);
  });
});

test('asked for CUDA on a machine without it, the encoder runs on the CPU and warns once', async () => {
  const warnings: object[] = [];
  const encoder = await createEncoder({
    bundleDir: BUNDLE,
    useCpu: false,
    workers: 2,
    log: { info: () => undefined, warn: (fields) => warnings.push(fields) },
  });
  try {
    if (encoder.info().provider === 'cpu') expect(warnings).toHaveLength(1);
    expect((await encoder.encode('hello there', PATIENT)).kind).toBe('encoded');
  } finally {
    await encoder.close();
  }
  expect(await encoder.encode('hello again', PATIENT)).toMatchObject({ kind: 'failed', reason: 'encoder_unavailable' });
});

test('a model that cannot be loaded is an error that says why', async () => {
  const refusing = createEncoder({
    bundleDir: BUNDLE,
    useCpu: true,
    workers: 2,
    spawn: (setup, name) => spawnWorker({ ...setup, modelPath: 'test/fixtures/category-only.onnx' }, name),
  });
  await expect(refusing).rejects.toMatchObject({
    code: 'MODEL_LOAD_FAILED',
    message: expect.stringContaining('the graph has no output difficulty'),
  });
});
