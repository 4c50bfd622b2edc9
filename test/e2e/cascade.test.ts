/** A cheap model answers first; what does not pass a check is asked for again: who answered, what the client got, what was said about it. */
import { expect, test } from '@jest/globals';
import type { GivenAnswer } from '../../src/sim/behaviour.ts';
import { answer, cascadeStack, GOOD, REFUSAL, says } from './harness-cascade.ts';
import { describeWithEnvoy } from './harness-describe.ts';

const SCHEMA = {
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'answer',
      schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    },
  },
};

describeWithEnvoy('cascade', () => {
  const { stack, ask, received, give, usageOf, attemptsOf, metric } = cascadeStack();

  test('a good cheap answer passes byte for byte, and is the only one', async () => {
    await stack().watched(async () => {
      give('cheap', { body: GOOD });
      const got = await ask();
      expect([got.status, got.body, got.failure]).toEqual([200, GOOD, null]);
      expect(got.headers).toMatchObject({
        'x-vsr-selected-model': 'cheap',
        'x-switchyard-attempts': '1',
        'x-switchyard-cascade': 'passed',
        'content-length': String(Buffer.byteLength(GOOD)),
      });
      expect(Object.keys(got.headers)).not.toContain('x-switchyard-escalate');
      expect(received()).toEqual(['cheap']);
      const usage = await usageOf(got.id, 1);
      expect(usage).toMatchObject([{ model: 'cheap', total_tokens: 12 }]);
      expect(usage[0]).not.toHaveProperty('escalated');
    })();
  });

  const FAILING: readonly [check: string, given: GivenAnswer, request: object][] = [
    ['refusal', REFUSAL, {}],
    ['refusal', answer({ message: { role: 'assistant', content: null, refusal: 'No.' } }), {}],
    ['refusal', answer({ message: { role: 'assistant', content: 'Well' }, finish_reason: 'content_filter' }), {}],
    ['truncated', says('The three reasons are first', { finish_reason: 'length' }), {}],
    ['empty', says(''), {}],
    ['empty', says(null), {}],
    ['invalid_json', says('```json\n{"n": 1}\n```'), { response_format: { type: 'json_object' } }],
    ['invalid_json', says('{"n": "one"}'), SCHEMA],
    ['low_confidence', says('Perhaps 17.', { logprobs: { content: [{ logprob: -2 }, { logprob: -1.5 }] } }), { logprobs: true }], // prettier-ignore
  ];
  test.each(FAILING)('%s: the next model answers', async (check, given, request) => {
    await stack().watched(async () => {
      give('cheap', given);
      give('middle', { body: GOOD.replace('Caf\\u00e9 1.0', '{\\"n\\": 1}') });
      const wasted = await metric('switchyard_cascade_wasted_tokens_total{model="cheap"}');
      const got = await ask(request);
      expect(got.status).toBe(200);
      expect(got.body).toContain('c-1');
      expect(got.headers).toMatchObject({
        'x-vsr-selected-model': 'middle',
        'x-switchyard-attempts': '2',
        'x-switchyard-cascade': `escalated:${check}`,
      });
      expect(Object.keys(got.headers)).not.toContain('x-switchyard-escalate');
      expect(received()).toEqual(['cheap', 'middle']);
      // The second body is for the second model.
      expect(JSON.parse(stack().sim('middle').requests[0]?.body ?? '{}')).toMatchObject({ model: 'middle' });

      const line = await attemptsOf(got.id);
      expect(line).toMatchObject({
        answered: true,
        attempts: [
          { attempt: 1, model: 'cheap', outcome: `escalated:${check}`, status: 200 },
          { attempt: 2, model: 'middle', outcome: 'answered', status: 200 },
        ],
      });
      const usage = await usageOf(got.id, 2);
      expect(usage.find(({ model }) => model === 'cheap')).toMatchObject({
        escalated: check,
        prompt_tokens: 70,
        completion_tokens: 30,
        total_tokens: 100,
        cost: (70 * 1 + 30 * 2) / 1e6,
        currency: 'USD',
      });
      const second = usage.find(({ model }) => model === 'middle');
      expect(second).toMatchObject({ total_tokens: 12, cost: (7 * 10 + 5 * 20) / 1e6 });
      expect(second).not.toHaveProperty('escalated');
      expect((await metric('switchyard_cascade_wasted_tokens_total{model="cheap"}')) - wasted).toBe(100);
    })();
  });

  test('a second answer that fails goes to the third model, whose answer is the answer', async () => {
    await stack().watched(async () => {
      give('cheap', REFUSAL);
      give('middle', says(''));
      give('strong', REFUSAL);
      const got = await ask();
      expect(received()).toEqual(['cheap', 'middle', 'strong']);
      expect(got.body).toBe(REFUSAL.body);
      expect(got.headers).toMatchObject({
        'x-vsr-selected-model': 'strong',
        'x-switchyard-attempts': '3',
        'x-switchyard-cascade': 'escalated:empty',
      });
      expect((await attemptsOf(got.id))['attempts']).toMatchObject([
        { outcome: 'escalated:refusal' },
        { outcome: 'escalated:empty' },
        { outcome: 'answered' },
      ]);
      expect(JSON.parse(stack().sim('strong').requests[0]?.body ?? '{}')).toHaveProperty('chat_template_kwargs');
      expect(await usageOf(got.id, 3)).toHaveLength(3);
    })();
  });

  const BREAKING: readonly [what: string, behaviour: object][] = [
    ['answers 503', { status: 503, retryAfterS: 7 }],
    ['answers 400', { status: 400 }],
    ['breaks the connection', { cut: 'headers' }],
    ['does not answer in time', { delayMs: 9000 }],
  ];
  test.each(BREAKING)(
    'the escalated model %s: the cheap answer is given, byte for byte',
    async (_, behaviour) => {
      await stack().watched(async () => {
        const refusal = { body: GOOD.replace('Caf\\u00e9 1.0', "I'm sorry, but I can't help with that.") };
        give('cheap', refusal);
        stack().sim('middle').behave(behaviour);
        stack().sim('strong').behave(behaviour);
        const given = await metric('switchyard_cascade_given_after_all_total{model="cheap"}');
        const got = await ask();
        expect([got.status, got.body, got.failure]).toEqual([200, refusal.body, null]);
        expect(got.headers['content-type']).toBe('application/json');
        expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap', 'x-switchyard-cascade': 'kept:refusal' });
        expect(Object.keys(got.headers)).not.toContain('retry-after');
        const line = await attemptsOf(got.id);
        expect(line).toMatchObject({ answered: true, given_attempt: 1 });
        expect(got.headers['x-switchyard-attempts']).toBe(String((line['attempts'] as unknown[]).length));
        const usage = await usageOf(got.id, 1);
        expect(usage).toMatchObject([{ model: 'cheap', total_tokens: 12, escalated: 'refusal' }]);
        expect((await metric('switchyard_cascade_given_after_all_total{model="cheap"}')) - given).toBe(1);
      })();
    },
    30_000,
  );

  test('of two that failed, the better one is given', async () => {
    await stack().watched(async () => {
      const half = says('The three reasons are first', { finish_reason: 'length' });
      give('cheap', half);
      give('middle', says(''));
      stack().sim('strong').behave({ status: 500 });
      const got = await ask();
      expect([got.status, got.body]).toEqual([200, half.body]);
      expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap', 'x-switchyard-cascade': 'kept:truncated' });
    })();
  });

  test('a cheap endpoint that fails is a fallback as ever', async () => {
    stack().sim('cheap').behave({ status: 503 });
    const got = await ask();
    expect([got.status, got.headers['x-vsr-selected-model']]).toEqual([200, 'middle']);
    stack().sim('middle').behave({ status: 503 });
    stack().sim('strong').behave({ status: 503 });
    const failed = await ask();
    expect(failed.status).toBe(503);
    expect(failed.body).toContain('strong was told to answer 503');
  });
});
