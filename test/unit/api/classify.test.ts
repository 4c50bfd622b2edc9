import { describe, expect, test } from '@jest/globals';
import { batchAnswer, errorAnswer, intentAnswer } from '../../../src/api/responses.ts';
import type { PiiFinding } from '../../../src/signals/pii.ts';
import { createFakeEncoder, encodingOf, LABELS } from '../../fakes/fake-encoder.ts';
import { createFixture } from './fixture.ts';

const INTENT = '/api/v1/classify/intent';
const BATCH = '/api/v1/classify/batch';

async function errorOf(response: Response) {
  return { status: response.status, ...errorAnswer.parse(await response.json()).error };
}

/** math on top with `p`, law next, the rest even. */
function distribution(p: number): readonly number[] {
  return LABELS.map((label) => (label === 'math' ? p : label === 'law' ? 0.3 : (0.7 - p) / 12));
}

describe('one text', () => {
  test('gets category, probabilities, entropy, reasoning and the model of the request path', async () => {
    const { post } = createFixture();
    const answer = intentAnswer.parse(await (await post(INTENT, { text: 'a math question' })).json());
    expect(answer.classification).toMatchObject({ category: 'math', confidence: 0.87 });
    expect(Object.keys(answer.probabilities ?? {})).toEqual([...LABELS]);
    expect(answer.recommended_model).toBe('math-model');
    expect(answer.routing_decision).toBe('high_confidence_specialized');
    expect(answer.entropy).toMatchObject({ level: 'low' });
    expect(answer.entropy.value).toBeCloseTo(1.0385, 4);
    expect(answer.reasoning).toMatchObject({ enabled: true, strategy: 'trust_top_category' });
  });

  test('below the threshold keeps its category and is recommended the default model', async () => {
    const encoder = createFakeEncoder({ answers: { 'what is it': distribution(0.4) } });
    const { post } = createFixture({ encoderIs: encoder });
    const answer = intentAnswer.parse(await (await post(INTENT, { text: 'what is it' })).json());
    expect(answer.classification).toMatchObject({ category: 'math', confidence: 0.4 });
    expect(answer.recommended_model).toBe('general/model-a');
    expect(answer.routing_decision).toBe('low_confidence_general');
  });

  test('probabilities are not rounded', async () => {
    const exact = distribution(0.123456789012345);
    const encoder = createFakeEncoder({ answers: { x: exact } });
    const { post } = createFixture({ encoderIs: encoder });
    const answer = intentAnswer.parse(await (await post(INTENT, { text: 'x' })).json());
    expect(Object.values(answer.probabilities ?? {})).toEqual([...exact]);
  });

  test.each([
    [{ return_probabilities: false }, false, false],
    [{ return_probabilities: true }, true, false],
    [{ include_explanation: true }, true, true],
    [{}, true, false],
  ])('with options %j', async (options, hasProbabilities, hasExplanation) => {
    const { post } = createFixture();
    const answer = intentAnswer.parse(await (await post(INTENT, { text: 'math', options })).json());
    expect(answer.probabilities !== undefined).toBe(hasProbabilities);
    expect(answer.explanation !== undefined).toBe(hasExplanation);
  });

  test('the explanation names the candidates and shows no prompt', async () => {
    const { post } = createFixture();
    const text = await (await post(INTENT, { text: 'math', options: { include_explanation: true } })).text();
    expect(JSON.parse(text)).toMatchObject({
      explanation: { decision: 'auto', candidates: [{ model: 'math-model' }, { model: 'general/model-a' }] },
    });
    expect(text).not.toContain('SECRET-PROMPT');
  });

  test("the caller's threshold changes the word and not the model", async () => {
    const { post } = createFixture();
    const answer = intentAnswer.parse(
      await (await post(INTENT, { text: 'math', options: { confidence_threshold: 0.9 } })).json(),
    );
    expect(answer.routing_decision).toBe('low_confidence_general');
    expect(answer.recommended_model).toBe('math-model');
  });

  test('without a live endpoint has a category and no model', async () => {
    const fixture = createFixture();
    const { post } = createFixture({
      decideText: async (text, signal) => ({
        signals: (await fixture.dependencies.decideText(text, signal)).signals,
        outcome: {
          kind: 'refused',
          error: { status: 503, type: 'server_error', code: 'no_endpoint_available', message: '', param: null },
          reasonCode: 'no_endpoint_available',
          candidates: [],
          block: null,
        },
      }),
    });
    const answer = intentAnswer.parse(
      await (await post(INTENT, { text: 'math', options: { include_explanation: true } })).json(),
    );
    expect(answer).toMatchObject({ classification: { category: 'math' }, recommended_model: null, reasoning: null });
    expect(answer.entropy.value).toBeGreaterThan(0);
  });

  test.each([
    [{}, 'text'],
    [{ text: '' }, 'text'],
    [{ text: '  \n ' }, 'text'],
    [{ text: 5 }, 'text'],
    [{ text: ['math'] }, 'text'],
    [{ text: 'math', options: [] }, 'options'],
    [{ text: 'math', options: { confidence_threshold: 2 } }, 'options.confidence_threshold'],
    [{ text: 'math', options: { return_probabilities: 'yes' } }, 'options.return_probabilities'],
  ])('%j is refused and %s named', async (body, member) => {
    const { post, encoder } = createFixture();
    const error = await errorOf(await post(INTENT, body));
    expect(error).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
    expect(error.message.startsWith(`${member}:`)).toBe(true);
    expect(encoder.seen).toEqual([]);
  });

  test('is not repeated in an error', async () => {
    const { post } = createFixture();
    const response = await post(INTENT, { text: 'hunter2', options: { confidence_threshold: 'hunter2' } });
    expect(await response.text()).not.toContain('hunter2');
  });

  test.each([
    ['deadline', 503, 'CLASSIFIER_UNAVAILABLE'],
    ['queue_full', 503, 'CLASSIFIER_UNAVAILABLE'],
    ['encoder_error', 503, 'CLASSIFIER_UNAVAILABLE'],
    ['encoder_unavailable', 503, 'CLASSIFIER_UNAVAILABLE'],
    ['unsupported_language', 422, 'UNSUPPORTED_LANGUAGE'],
    ['no_text', 400, 'INVALID_INPUT'],
  ] as const)('when the encoder answers %s it is %i', async (fail, status, code) => {
    const { post } = createFixture({ encoderIs: createFakeEncoder({ fail }) });
    const response = await post(INTENT, { text: 'math' });
    if (status === 503) expect(response.headers.get('retry-after')).toBe('1');
    expect(await errorOf(response)).toMatchObject({ status, code });
  });

  test('is not answered from the table of tokens: who asks can ask again', async () => {
    const glance = () => ({ ...encodingOf('math', {}), tier: 'static' as const });
    const { post } = createFixture({ encoderIs: { ...createFakeEncoder({ fail: 'deadline' }), glance } });
    expect((await post(INTENT, { text: 'math' })).status).toBe(503);
    expect((await post('/api/v1/classify/security', { text: 'math' })).status).toBe(503);
  });
});

describe('many texts', () => {
  test('come back in order with their statistics', async () => {
    const { post } = createFixture();
    const texts = ['math', 'law', 'hello', 'math again'];
    const answer = batchAnswer.parse(await (await post(BATCH, { texts })).json());
    expect(answer.results.map(({ category }) => category)).toEqual(['math', 'law', 'biology', 'math']);
    expect(answer.total_count).toBe(4);
    expect(answer.results[0]).not.toHaveProperty('probabilities');
    expect(answer.statistics.category_distribution).toEqual({ math: 2, law: 1, biology: 1 });
    expect(answer.statistics.low_confidence_count).toBe(1);
    expect(answer.statistics.avg_confidence).toBeCloseTo((3 * 0.87 + 1 / 14) / 4, 10);
  });

  test('show all probabilities when asked', async () => {
    const { post } = createFixture();
    const body = { texts: ['math'], options: { return_probabilities: true, confidence_threshold: 0.99 } };
    const answer = batchAnswer.parse(await (await post(BATCH, body)).json());
    expect(Object.keys(answer.results[0]?.probabilities ?? {})).toEqual([...LABELS]);
    expect(answer.statistics.low_confidence_count).toBe(1);
  });

  test('are encoded two at a time, however many requests there are', async () => {
    const encoder = createFakeEncoder({ delayMs: 2 });
    const { post } = createFixture({ encoderIs: encoder });
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const answers = await Promise.all([1, 2, 3].map(() => post(BATCH, { texts })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(encoder.seen).toHaveLength(60);
    expect(encoder.peak()).toBe(2);
  });

  test('do not keep a single text waiting', async () => {
    const encoder = createFakeEncoder({ delayMs: 5 });
    const { post } = createFixture({ encoderIs: encoder });
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const batches = [1, 2].map(() => post(BATCH, { texts }));
    await new Promise((resolve) => setTimeout(resolve, 8));
    await post(INTENT, { text: 'urgent' });
    expect(encoder.seen.indexOf('urgent')).toBeLessThan(8);
    await Promise.all(batches);
  });

  test.each([
    [{ texts: [] }, 400, 'INVALID_INPUT'],
    [{ texts: 'math' }, 400, 'INVALID_INPUT'],
    [{ texts: ['math', ''] }, 400, 'INVALID_INPUT'],
    [{ texts: ['math', null] }, 400, 'INVALID_INPUT'],
    [{ texts: ['math'], task_type: 'all' }, 400, 'INVALID_TASK_TYPE'],
    [{ texts: Array.from({ length: 21 }, () => 'x') }, 413, 'TOO_MANY_TEXTS'],
    // The count comes first: to say of each of a million members what is wrong with it would take minutes.
    [{ texts: Array.from({ length: 21 }, () => 7) }, 413, 'TOO_MANY_TEXTS'],
    [{ texts: ['math'], task_type: 'security' }, 501, 'NOT_SUPPORTED_BY_MODEL'],
  ])('%j is %i %s', async (body, status, code) => {
    const { post } = createFixture();
    expect(await errorOf(await post(BATCH, body))).toMatchObject({ status, code });
  });

  test('names the text that is at fault', async () => {
    const { post } = createFixture();
    expect((await errorOf(await post(BATCH, { texts: ['math', ' '] }))).message).toMatch(/^texts\[1\]: /);
  });

  test('a text that the model does not know has no category; the others have theirs', async () => {
    const encoder = createFakeEncoder();
    const picky = {
      ...encoder,
      encode: async (text: string, options: { deadlineMs: number }) =>
        text === 'どうも'
          ? ({ kind: 'failed', reason: 'unsupported_language' } as const)
          : encoder.encode(text, options),
    };
    const { post } = createFixture({ encoderIs: picky });
    const answer = batchAnswer.parse(await (await post(BATCH, { texts: ['math', 'どうも', 'law'] })).json());
    expect(answer.results.map(({ category }) => category)).toEqual(['math', '', 'law']);
  });

  test('stop at the first failure of the encoder', async () => {
    const encoder = createFakeEncoder({ fail: 'encoder_error' });
    const { post } = createFixture({ encoderIs: encoder });
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    expect(await errorOf(await post(BATCH, { texts }))).toMatchObject({ status: 503, code: 'CLASSIFIER_UNAVAILABLE' });
    expect(encoder.seen.length).toBeLessThanOrEqual(2);
  });

  test('try again when the queue was full', async () => {
    const encoder = createFakeEncoder();
    let refusals = 3;
    const busy = {
      ...encoder,
      encode: async (text: string, options: { deadlineMs: number }) => {
        refusals -= 1;
        return refusals >= 0 ? ({ kind: 'failed', reason: 'queue_full' } as const) : encoder.encode(text, options);
      },
    };
    const { post } = createFixture({ encoderIs: busy });
    expect((await post(BATCH, { texts: ['math', 'law'] })).status).toBe(200);
  });

  test('without a loaded model are 503', async () => {
    const { post } = createFixture({ encoder: () => null });
    expect(await errorOf(await post(BATCH, { texts: ['math'] }))).toMatchObject({
      status: 503,
      reason: 'encoder_unavailable',
    });
  });

  test('are judged for security where the model can', async () => {
    const judge = async (jailbreak: number) => {
      const { post } = createFixture({ encoderIs: createFakeEncoder({ jailbreak }) });
      const answer = await post(BATCH, { texts: ['x'], task_type: 'security' });
      return batchAnswer.parse(await answer.json()).results[0];
    };
    expect(await judge(0.9)).toMatchObject({ category: 'jailbreak', confidence: 0.9 });
    expect(await judge(0.25)).toMatchObject({ category: 'safe', confidence: 0.75 });
  });

  test('are searched for personal data where there is a detector', async () => {
    const finding = (kind: PiiFinding['kind'], confidence: number) => ({ kind, start: 0, end: 1, confidence });
    const { post, encoder } = createFixture({
      startPiiSearch: (text) => ({
        advance: () => (text === 'clean' ? [] : [finding('PHONE_NUMBER', 0.5), finding('EMAIL_ADDRESS', 0.9)]),
      }),
    });
    const answer = await post(BATCH, { texts: ['clean', 'a@b.de'], task_type: 'pii' });
    expect(batchAnswer.parse(await answer.json()).results).toMatchObject([
      { category: 'no_pii', confidence: 1 },
      { category: 'EMAIL_ADDRESS', confidence: 0.9 },
    ]);
    expect(encoder.seen).toEqual([]);
  });
});
