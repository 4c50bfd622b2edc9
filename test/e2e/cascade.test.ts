/** A cheap model answers first; what does not pass a check is asked for again: who answered, what the client got, what was said about it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GivenAnswer } from '../../src/sim/behaviour.ts';
import type { Exchange } from './harness-client.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const NAMES = ['cheap', 'middle', 'strong'] as const;
type Name = (typeof NAMES)[number];

/** `auto` means cheap, then middle, then strong. The rule `capped` allows hardly any escalation. */
const config = `
vllm_endpoints:
${NAMES.map((name) => `  - { name: e-${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [${name}] }`).join('\n')}
  - { name: e-cheap-2, address: 127.0.0.1, port: '\${PORT_SPARE}', models: [cheap], weight: 0 }
model_config:
  cheap: { pricing: { prompt_per_1m: 1, completion_per_1m: 2 } }
  middle: { pricing: { prompt_per_1m: 10, completion_per_1m: 20 } }
  strong: { reasoning_family: qwen3, pricing: { prompt_per_1m: 100, completion_per_1m: 200 } }
default_model: cheap
timeouts: { first_byte: 4s, decision: 5s }
fallback: { retry_budget: 1 }
health: { consecutive_errors: 1000, min_requests: 100000, ejection: 1ms, max_ejection: 1ms }
affinity: { enabled: false }
cascade: { enabled: true, escalate_to: [middle, strong], min_mean_logprob: -1, max_share: 1, max_answer: 64KiB }
rules:
  - { name: plain, when: { header: { x-route: plain } }, then: { model: cheap, cascade: false } }
  - name: capped
    when: { header: { x-route: capped } }
    then: { model: cheap, cascade: { max_share: 0.2, min_escalations: 2, window: 1h } }
  - { name: refusals, when: { header: { x-route: refusals } }, then: { model: cheap, cascade: { checks: [refusal] } } }
`;

/** Odd spacing, a long number and an escape: what a parser and a printer would not give back as it was. */
const GOOD =
  '{ "id":"c-1" , "object":"chat.completion","choices":[ {"index":0,"message":{"role":"assistant","content":"Caf\\u00e9 1.0"},"finish_reason":"stop"} ],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12},"seed":12345678901234567890}\n';

const answer = (choice: object, more: object = {}): GivenAnswer => ({
  body: JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', ...choice }],
    usage: { prompt_tokens: 70, completion_tokens: 30, total_tokens: 100 },
    ...more,
  }),
});
const says = (content: string | null, more: object = {}): GivenAnswer =>
  answer({ message: { role: 'assistant', content }, ...more });
const REFUSAL = says("I'm sorry, but I can't help with that.");
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
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config,
      sims: [...NAMES.map((name) => ({ name, models: [name] })), { name: 'spare', models: ['cheap'] }],
    });
    for (const model of NAMES) await stack.chat(model);
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => {
    for (const name of NAMES) {
      stack.sim(name).behave({ given: null, status: 200, cut: null, retryAfterS: null });
      stack.sim(name).forget();
    }
  });

  let serial = 0;
  /** One request through the cascade; gives the answer and its id. */
  async function ask(extra: object = {}, headers: Record<string, string> = {}): Promise<Exchange & { id: string }> {
    const id = `cascade-${(serial += 1)}`;
    return { ...(await stack.chat('auto', extra, { 'x-request-id': id, ...headers })), id };
  }
  const received = (): string[] => NAMES.filter((name) => stack.sim(name).requests.length > 0);
  const give = (name: Name, given: GivenAnswer): void => stack.sim(name).behave({ given });
  const usageOf = async (id: string, count: number): Promise<readonly Record<string, unknown>[]> => {
    const lines = () => stack.events('llm_usage').filter((line) => line['request_id'] === id);
    await until(() => lines().length >= count, `${count} usage lines of ${id}`);
    return lines();
  };
  const attemptsOf = async (id: string): Promise<Record<string, unknown>> => {
    const lines = () => stack.events('routing_attempts').filter((line) => line['request_id'] === id);
    await until(() => lines().length > 0, `the attempts of ${id}`);
    return lines()[0]!;
  };
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${stack.apiUrl}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };

  test('a good cheap answer passes byte for byte, and is the only one', async () => {
    await stack.watched(async () => {
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
    await stack.watched(async () => {
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
      expect(JSON.parse(stack.sim('middle').requests[0]?.body ?? '{}')).toMatchObject({ model: 'middle' });

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
    await stack.watched(async () => {
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
      expect(JSON.parse(stack.sim('strong').requests[0]?.body ?? '{}')).toHaveProperty('chat_template_kwargs');
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
      await stack.watched(async () => {
        const refusal = { body: GOOD.replace('Caf\\u00e9 1.0', "I'm sorry, but I can't help with that.") };
        give('cheap', refusal);
        stack.sim('middle').behave(behaviour);
        stack.sim('strong').behave(behaviour);
        const given = await metric('switchyard_cascade_given_after_all_total{model="cheap"}');
        const got = await ask();
        stack.sim('middle').behave({ delayMs: 0 });
        stack.sim('strong').behave({ delayMs: 0 });
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
    await stack.watched(async () => {
      const half = says('The three reasons are first', { finish_reason: 'length' });
      give('cheap', half);
      give('middle', says(''));
      stack.sim('strong').behave({ status: 500 });
      const got = await ask();
      expect([got.status, got.body]).toEqual([200, half.body]);
      expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap', 'x-switchyard-cascade': 'kept:truncated' });
    })();
  });

  test('a cheap endpoint that fails is a fallback as ever', async () => {
    stack.sim('cheap').behave({ status: 503 });
    const got = await ask();
    expect([got.status, got.headers['x-vsr-selected-model']]).toEqual([200, 'middle']);
    stack.sim('middle').behave({ status: 503 });
    stack.sim('strong').behave({ status: 503 });
    const failed = await ask();
    expect(failed.status).toBe(503);
    expect(failed.body).toContain('strong was told to answer 503');
  });

  test('streams are never held back', async () => {
    await stack.watched(async () => {
      give('cheap', REFUSAL);
      const arrived: number[] = [];
      const got = await stack.send({
        body: { model: 'auto', stream: true, messages: [{ role: 'user', content: 'Tell me a story' }] },
        headers: { 'x-sim-chunk-delay-ms': '80', 'x-sim-chunks': '8' },
        onChunk: (_, atMs) => void arrived.push(atMs),
      });
      expect(got.body.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(arrived.length).toBeGreaterThan(4);
      expect((arrived.at(-1) ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(300);
      expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap' });
      expect(Object.keys(got.headers)).not.toContain('x-switchyard-cascade');
      expect(received()).toEqual(['cheap']);
    })();
  });

  test('only the checks that are asked for count, and a route without a cascade opens no stream to the router', async () => {
    await stack.watched(async () => {
      give('cheap', says(''));
      const passed = await ask({}, { 'x-route': 'refusals' });
      expect([passed.headers['x-switchyard-cascade'], received()]).toEqual(['passed', ['cheap']]);
      const streams = async () => (await stack.envoy.stats('pool.ext_proc.streams_started'))['cluster.pool.ext_proc.streams_started']; // prettier-ignore
      const before = await streams();
      give('cheap', REFUSAL);
      const plain = await ask({}, { 'x-route': 'plain' });
      const named = await stack.chat('cheap');
      expect([plain.body, named.body]).toEqual([REFUSAL.body, REFUSAL.body]);
      expect(Object.keys(plain.headers)).not.toContain('x-switchyard-cascade');
      expect(await streams()).toBe(before);
    })();
  });

  const UNCHECKED: readonly [what: string, given: GivenAnswer][] = [
    ['too large', says(`I'm sorry, I can't help with that.${' '.repeat(70_000)}`)],
    ['of unknown length', { ...REFUSAL, chunked: true }],
    ['no JSON', { ...REFUSAL, contentType: 'text/plain' }],
    ['no completion', { body: '{"ok": true}' }],
    ['broken JSON', { body: '{"choices": [' }],
  ];
  test.each(UNCHECKED)('an answer that is %s passes unchecked, byte for byte', async (_, given) => {
    give('cheap', given);
    const got = await ask();
    expect([got.status, got.body, got.failure]).toEqual([200, given.body, null]);
    expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap', 'x-switchyard-cascade': 'unchecked' });
    expect(received()).toEqual(['cheap']);
  });

  test('an error of the cheap model that is an answer stays the answer', async () => {
    stack.sim('cheap').behave({ status: 404 });
    const got = await ask();
    expect([got.status, received()]).toEqual([404, ['cheap']]);
  });

  test('beyond the share the cheap answer is kept, and metrics and log say so', async () => {
    await stack.watched(async () => {
      const states: string[] = [];
      for (let i = 0; i < 60; i += 1) {
        const isBad = i % 2 === 0;
        give('cheap', isBad ? REFUSAL : { body: GOOD });
        const got = await ask({}, { 'x-route': 'capped' });
        expect(got.status).toBe(200);
        states.push(got.headers['x-switchyard-cascade'] ?? '');
        if (states.at(-1) === 'kept:refusal') expect(got.body).toBe(REFUSAL.body);
      }
      const count = (state: string): number => states.filter((one) => one === state).length;
      expect(count('passed')).toBe(30);
      expect(count('escalated:refusal') + count('kept:refusal')).toBe(30);
      expect(count('escalated:refusal')).toBeLessThanOrEqual(60 * 0.2);
      expect(count('escalated:refusal')).toBeGreaterThanOrEqual(10);
      expect(await metric('switchyard_cascade_capped{route="capped"}')).toBe(1);
      expect(await metric('switchyard_cascade_escalated_share{route="capped"}')).toBeCloseTo(
        count('escalated:refusal') / 60,
      );
      expect(await metric('switchyard_cascade_answers_total{route="capped",result="kept"}')).toBe(
        count('kept:refusal'),
      );
      expect(stack.events('cascade_capped')).toMatchObject([{ route: 'capped', max_share: 0.2 }]);
      expect(await metric('switchyard_cascade_capped{route="auto"}')).toBe(0);
    })();
  });

  test('several at once: each client gets its own answer', async () => {
    await stack.watched(async () => {
      give('cheap', REFUSAL);
      for (let round = 0; round < 5; round += 1) {
        const numbers = Array.from({ length: 8 }, (_, index) => round * 8 + index);
        const got = await Promise.all(
          numbers.map((number) => ask({ messages: [{ role: 'user', content: `number ${number}.` }] })),
        );
        expect(got.map(({ status, body }) => [status, /number \d+\./.exec(body)?.[0]])).toEqual(
          numbers.map((number) => [200, `number ${number}.`]),
        );
      }
    })();
  });

  describe('without the router', () => {
    test('an answer that nobody checks in time passes', async () => {
      await stack.watched(async () => {
        give('cheap', REFUSAL);
        stack.sim('cheap').behave({ delayMs: 600 });
        const asked = ask();
        await until(() => stack.sim('cheap').requests.length > 0, 'the request to be under way');
        stack.pauseRouter();
        const got = await asked;
        stack.resumeRouter();
        stack.sim('cheap').behave({ delayMs: 0 });
        expect([got.status, got.body]).toEqual([200, REFUSAL.body]);
      })();
    }, 30_000);
  });
});
