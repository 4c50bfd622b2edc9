/** Every way in which an endpoint fails, at the first, the first two or all targets, streamed or not: who answered, with which body, how soon. */
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Exchange } from './harness-client.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const NAMES = ['a', 'b', 'c'] as const;
const FIRST_BYTE_MS = 600;

/** Three models, one endpoint each: `auto` means model-a, then model-b, then model-c. Nothing is taken out for failing. */
const config = `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a], api_key_env: KEY_A }
  - { name: eb, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
  - { name: ec, address: 127.0.0.1, port: '\${PORT_C}', models: [model-c], api_key_env: KEY_C }
model_config:
  model-a: { reasoning_family: qwen3, context_window: 10000, fallbacks: [model-b, model-c] }
  model-b: { reasoning_family: gpt-oss, context_window: 20000 }
  model-c: { context_window: 40000, served_model_name: served-c }
default_model: model-a
timeouts: { first_byte: ${FIRST_BYTE_MS}ms, decision: 5s }
health: { consecutive_errors: 1000, min_requests: 100000, ejection: 1ms, max_ejection: 1ms }
affinity: { enabled: false }
`;

interface Cause {
  readonly name: string;
  /** The steering header of the endpoints that fail. */
  readonly header: string;
  readonly value: string;
  /** What the client gets when all fail. */
  readonly status: number;
  readonly body: RegExp;
  /** Milliseconds that one failing attempt takes. */
  readonly takesMs: number;
}

const status = (code: number): Cause => ({
  name: String(code),
  header: 'x-sim-status',
  value: String(code),
  status: code,
  body: new RegExp(`c was told to answer ${code}`),
  takesMs: 0,
});
const CAUSES: readonly Cause[] = [
  status(500),
  status(502),
  status(503),
  status(429),
  { name: 'reset before headers', header: 'x-sim-cut', value: 'headers', status: 503, body: /service_unavailable/, takesMs: 0 }, // prettier-ignore
  { name: 'timeout to first byte', header: 'x-sim-delay-ms', value: '5000', status: 504, body: /timeout/, takesMs: FIRST_BYTE_MS }, // prettier-ignore
  { name: 'context-length 400', header: 'x-sim-context-window', value: '1', status: 400, body: /maximum context length/, takesMs: 0 }, // prettier-ignore
];

describeWithEnvoy('fallback across models', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config,
      env: { KEY_A: 'key-of-a', KEY_C: 'key-of-c' },
      sims: NAMES.map((name) => ({ name, models: [name === 'c' ? 'served-c' : `model-${name}`] })),
    });
    // The first answer pays for connections.
    for (const model of ['model-a', 'model-b', 'model-c']) await stack.chat(model);
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(async () => {
    // A Retry-After is honoured for a moment: the next row waits until nobody is out.
    const isAllUp = async (): Promise<boolean> => {
      const answer = await fetch(`${stack.apiUrl}/info/endpoints`);
      const { endpoints } = (await answer.json()) as { endpoints: { state: string }[] };
      return endpoints.every(({ state }) => state === 'up');
    };
    await until(isAllUp, 'all endpoints to be up');
    NAMES.forEach((name) => stack.sim(name).forget());
  });

  const ask = (stream: boolean, headers: Record<string, string>): Promise<Exchange> =>
    stack.chat('auto', stream ? { stream: true } : {}, { authorization: 'Bearer of-the-client', ...headers });
  /** `a:200 b:503 …` of everything that reached an endpoint. */
  const received = (): string[] =>
    NAMES.flatMap((name) => stack.sim(name).requests.map((request) => `${name}:${request.status}`));
  const bodyAt = (name: string) =>
    JSON.parse(stack.sim(name).requests[0]?.body ?? '{}') as { model: string; [key: string]: unknown };
  const fail = (cause: Cause, count: number): Record<string, string> => ({
    [cause.header]: NAMES.slice(0, count)
      .map((name) => `${name}=${cause.value}`)
      .join(', '),
    ...(cause.name === '429' ? { 'x-sim-retry-after': '1' } : {}),
  });
  const answeredBy = (answer: Exchange, stream: boolean): string => {
    if (!stream) return (answer.json as { model: string }).model;
    const first = answer.body.split('\n').find((line) => line.startsWith('data: {'));
    return (JSON.parse(first?.slice(6) ?? '{}') as { model: string }).model;
  };

  describe.each(CAUSES)('$name', (cause) => {
    for (const stream of [false, true]) {
      const how = stream ? 'streamed' : 'not streamed';
      test.each([1, 2])(`${how}: %i target(s) fail, the next one answers`, async (count) => {
        await stack.watched(async () => {
          const answer = await ask(stream, fail(cause, count));
          const name = NAMES[count]!;
          const served = name === 'c' ? 'served-c' : `model-${name}`;
          expect(answer.failure).toBeNull();
          expect(answer.status).toBe(200);
          expect(answeredBy(answer, stream)).toBe(served);
          if (stream) expect(answer.body.endsWith('data: [DONE]\n\n')).toBe(true);
          expect(answer.headers).toMatchObject({
            'x-vsr-selected-model': `model-${name}`,
            'x-switchyard-attempts': String(count + 1),
          });
          expect(Object.keys(answer.headers)).not.toContain('x-switchyard-context-length');
          expect(bodyAt(name).model).toBe(served);
          // Each was asked once, and one answered.
          expect(received().map((one) => one.split(':')[0])).toEqual(NAMES.slice(0, count + 1));
          expect(received().filter((one) => one.endsWith(':200'))).toEqual([`${name}:200`]);
          expect(answer.ms).toBeGreaterThanOrEqual(cause.takesMs * count);
          expect(answer.ms).toBeLessThan(cause.takesMs * count + 1500);
        })();
      });

      test(`${how}: all fail, and the last real error comes through`, async () => {
        await stack.watched(async () => {
          const answer = await ask(stream, fail(cause, 3));
          expect([answer.status, answer.failure]).toEqual([cause.status, null]);
          expect(answer.body).toMatch(cause.body);
          expect((answer.json as { error: object }).error).toBeDefined();
          expect(received().map((one) => one.split(':')[0])).toEqual([...NAMES]);
          if (cause.name === '429') expect(answer.headers['retry-after']).toBe('1');
          expect(Object.keys(answer.headers).filter((header) => header.startsWith('x-vsr-'))).toEqual([]);
        })();
      });
    }
  });

  test.each([false, true])('slow headers within the limit are waited for (stream: %s)', async (stream) => {
    const answer = await ask(stream, { 'x-sim-delay-ms': 'a=300' });
    expect([answer.status, answeredBy(answer, stream), received()]).toEqual([200, 'model-a', ['a:200']]);
  });

  test.each([
    [false, 'json'],
    [true, 'sse'],
  ])('nothing is tried again once an answer has begun (stream: %s)', async (stream) => {
    await stack.watched(async () => {
      const id = `cut-${stream}`;
      const answer = await ask(stream, { 'x-sim-cut': 'a=2', 'x-request-id': id });
      expect(answer.status).toBe(200);
      expect(answer.failure).not.toBeNull();
      expect(answer.body).not.toContain('[DONE]');
      expect(NAMES.flatMap((name) => stack.sim(name).requests.map(({ outcome }) => `${name} ${outcome}`))).toEqual([
        'a cut',
      ]);
      const usage = () => stack.events('llm_usage').filter((line) => line['request_id'] === id);
      await until(() => usage().length > 0, 'the usage line');
      expect(usage()).toMatchObject([{ model: 'model-a', cut_short: true }]);
    })();
  });

  test('a 400 that says something else is the answer', async () => {
    const answer = await ask(false, { 'x-sim-status': '400' });
    expect([answer.status, received()]).toEqual([400, ['a:400']]);
    expect(answer.body).toMatch(/a was told to answer 400/);
  });

  test('each attempt has the reasoning field of its own family, and the usage line names who answered', async () => {
    await stack.watched(async () => {
      const id = 'truth-1';
      const answer = await stack.chat(
        'auto',
        {},
        { 'x-sim-status': 'a=503,b=429', 'x-sim-echo': 'c=none', 'x-request-id': id },
      );
      expect(answer.status).toBe(200);
      expect(bodyAt('a')).toHaveProperty('chat_template_kwargs.enable_thinking');
      expect(bodyAt('b')).toHaveProperty('reasoning_effort');
      expect(bodyAt('b')).not.toHaveProperty('chat_template_kwargs');
      expect(bodyAt('c')).not.toHaveProperty('reasoning_effort');
      expect(bodyAt('c')).not.toHaveProperty('chat_template_kwargs');
    })();
  });

  test("each endpoint gets its own key; the one without gets the client's Authorization, and nobody another's", async () => {
    const keys = () => NAMES.map((name) => stack.sim(name).requests[0]?.headers['authorization'] ?? 'none');
    await ask(false, { 'x-sim-status': '503' });
    expect(keys()).toEqual(['Bearer key-of-a', 'Bearer of-the-client', 'Bearer key-of-c']);
    NAMES.forEach((name) => stack.sim(name).forget());
    await stack.chat('auto', {}, { 'x-sim-status': '503' });
    expect(keys()).toEqual(['Bearer key-of-a', 'none', 'Bearer key-of-c']);
  });

  test('a concrete model is never answered by another', async () => {
    const answer = await stack.chat('model-a', {}, { 'x-sim-status': 'a=503' });
    expect([answer.status, received()]).toEqual([503, ['a:503']]);
  });
});

describeWithEnvoy('endpoints that nobody listens at', () => {
  const closed: number[] = [];
  beforeAll(async () => {
    const servers: Server[] = [];
    for (let i = 0; i < 3; i += 1) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closed.push((server.address() as AddressInfo).port);
      servers.push(server);
    }
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
  });

  test.each([1, 2, 3])(
    '%i of three targets refuse the connection',
    async (count) => {
      const port = (index: number): string =>
        index < count ? String(closed[index]) : `'\${PORT_${NAMES[index]!.toUpperCase()}}'`;
      const stack = await startStack({
        config: `
vllm_endpoints:
${NAMES.map((name, index) => `  - { name: e${name}, address: 127.0.0.1, port: ${port(index)}, models: [model-${name}] }`).join('\n')}
model_config: { model-a: { fallbacks: [model-b, model-c] } }
default_model: model-a
timeouts: { decision: 5s }
health: { consecutive_errors: 1000 }
affinity: { enabled: false }
`,
        sims: NAMES.map((name) => ({ name, models: [`model-${name}`] })),
      });
      try {
        for (const stream of [false, true]) {
          const answer = await stack.chat('auto', { stream });
          if (count === 3) {
            expect(answer.status).toBe(503);
            expect((answer.json as { error: { code: string } }).error.code).toBe('service_unavailable');
          } else {
            expect(answer.status).toBe(200);
            expect(answer.body).toContain(`"model":"model-${NAMES[count]}"`);
            expect(answer.headers['x-switchyard-attempts']).toBe(String(count + 1));
          }
          expect(answer.ms).toBeLessThan(2000);
        }
      } finally {
        await stack.stop();
      }
    },
    60_000,
  );
});
