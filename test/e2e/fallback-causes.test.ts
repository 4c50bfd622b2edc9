/** Where a request goes next depends on why the last attempt failed, and what the client gets when the last one had no answer. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/envoy/xds.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { allUp, LENIENT } from './harness-health.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep, until } from './harness-wait.ts';

/** A port that refuses connections: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describeWithEnvoy('a prompt that is too long for the first model', () => {
  const NAMES = ['a1', 'a2', 'a3', 'b', 'c', 'd'] as const;
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: a1, address: 127.0.0.1, port: '\${PORT_A1}', models: [model-a] }
  - { name: a2, address: 127.0.0.1, port: '\${PORT_A2}', models: [model-a] }
  - { name: a3, address: 127.0.0.1, port: '\${PORT_A3}', models: [model-a] }
  - { name: b, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
  - { name: c, address: 127.0.0.1, port: '\${PORT_C}', models: [model-c] }
  - { name: d, address: 127.0.0.1, port: '\${PORT_D}', models: [model-d] }
model_config:
  model-a: { reasoning_family: qwen3, context_window: 10000, fallbacks: [model-b, model-c, model-d] }
  model-b: { context_window: 5000 }
  model-c: { reasoning_family: gpt-oss, context_window: 40000 }
  model-d: { context_window: 80000 }
default_model: model-a
fallback: { max_attempts: 6 }
${LENIENT}`,
      sims: NAMES.map((name) => ({ name, models: [`model-${name[0]}`] })),
    });
    await Promise.all(NAMES.map((name) => stack.chat(`model-${name[0]}`)));
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(async () => {
    await allUp(stack);
    NAMES.forEach((name) => stack.sim(name).forget());
  });
  /** `a:400 c:200`: the model's letter and the status of everything that was received. */
  const received = (): string[] =>
    NAMES.flatMap((name) => stack.sim(name).requests.map(({ status }) => `${name[0]}:${status}`));
  const tooLong = (...names: readonly string[]) => ({
    'x-sim-context-window': names.map((name) => `${name}=1`).join(', '),
  });
  const ALL_A = ['a1', 'a2', 'a3'];

  test.each([false, true])('goes straight to a larger window (stream: %s)', async (stream) => {
    await stack.watched(async () => {
      const times: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        NAMES.forEach((name) => stack.sim(name).forget());
        const id = `too-long-${stream}-${n}`;
        const answer = await stack.chat('auto', { stream }, { ...tooLong(...ALL_A), 'x-request-id': id });
        expect(answer.status).toBe(200);
        expect(received()).toEqual(['a:400', 'c:200']);
        expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'model-c', 'x-switchyard-attempts': '2' });
        const sent = JSON.parse(stack.sim('c').requests[0]!.body!) as Record<string, unknown>;
        expect(sent).toMatchObject({ model: 'model-c', reasoning_effort: 'low' });
        expect(sent).not.toHaveProperty('chat_template_kwargs');
        times.push(answer.ms);
        const lines = (event: string) => stack.events(event).filter((line) => line['request_id'] === id);
        await until(() => lines('llm_usage').length * lines('routing_attempts').length > 0, 'both lines');
        expect(lines('llm_usage')).toMatchObject([{ model: 'model-c' }]);
        expect(lines('routing_attempts')).toMatchObject([
          {
            attempts: [
              { attempt: 1, model: 'model-a', outcome: 'context_length', status: 400 },
              { attempt: 2, model: 'model-c', endpoint: 'c', outcome: 'answered', status: 200 },
            ],
          },
        ]);
      }
      process.stderr.write(`too long, then a larger window: ${times.map((ms) => ms.toFixed(0)).join(' ')} ms\n`);
    })();
  });

  test('and on to the next larger one', async () => {
    await stack.watched(async () => {
      const answer = await stack.chat('auto', {}, tooLong(...ALL_A, 'c'));
      expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'model-d']);
      expect(received()).toEqual(['a:400', 'c:400', 'd:200']);
    })();
  });

  test('where none of them answers, what the last one said is the answer', async () => {
    await stack.watched(async () => {
      const answer = await stack.chat('auto', {}, { ...tooLong(...ALL_A), 'x-sim-status': 'c=503, d=502' });
      expect(answer.status).toBe(502);
      expect(answer.body).toContain('d was told to answer 502');
      expect(received()).toEqual(['a:400', 'c:503', 'd:502']);
    })();
  });

  test('any other failure goes through the replicas first, and then to the next model, whatever its window', async () => {
    await stack.watched(async () => {
      const answer = await stack.chat('auto', {}, { 'x-sim-status': 'a1=503, a2=503, a3=503' });
      expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'model-b']);
      expect(received()).toEqual(['a:503', 'a:503', 'a:503', 'b:200']);
    })();
  });
});

describeWithEnvoy('a bootstrap that is older than the router', () => {
  test('goes through the plan in its order, with the right body for each', async () => {
    const CALL = 'first_apart(handle)';
    const older = (text: string): string => text.replace(`then ${CALL} end`, 'then end');
    const stack = await startStack({
      config: `
vllm_endpoints:
  - { name: a1, address: 127.0.0.1, port: '\${PORT_A1}', models: [model-a] }
  - { name: a2, address: 127.0.0.1, port: '\${PORT_A2}', models: [model-a] }
  - { name: c, address: 127.0.0.1, port: '\${PORT_C}', models: [model-c] }
model_config:
  model-a: { context_window: 10000, fallbacks: [model-c] }
  model-c: { context_window: 40000 }
default_model: model-a
${LENIENT}`,
      sims: ['a1', 'a2', 'c'].map((name) => ({ name, models: [`model-${name[0]}`] })),
      editBootstrap: (bootstrap) => {
        const text = JSON.stringify(bootstrap);
        expect(text).toContain(`then ${CALL} end`);
        return JSON.parse(text, (_, value: unknown) =>
          typeof value === 'string' ? older(value) : value,
        ) as JsonObject;
      },
    });
    try {
      await stack.watched(async () => {
        const answer = await stack.chat('auto', {}, { 'x-sim-context-window': 'a1=1, a2=1' });
        expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'model-c']);
        expect(answer.headers['x-switchyard-attempts']).toBe('3');
        const received = ['a1', 'a2', 'c'].flatMap((name) =>
          stack.sim(name).requests.map(({ model, status }) => `${name} ${model} ${status}`),
        );
        expect(received).toEqual(['a1 model-a 400', 'a2 model-a 400', 'c model-c 200']);
      })();
    } finally {
      await stack.stop();
    }
  }, 60_000);
});

describeWithEnvoy('the last attempt has no answer', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: a, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }
  - { name: b, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
  - { name: closed, address: 127.0.0.1, port: ${await closedPort()}, models: [refusing] }
model_config:
  model-a: { context_window: 1000, fallbacks: [model-b, refusing] }
  model-b: { context_window: 2000 }
  refusing: { context_window: 2000 }
default_model: model-a
tenants: { from_header: x-tenant, list: [{ name: two, policy: { allow_models: [model-a, model-b] } }] }
${LENIENT}`,
      sims: ['a', 'b'].map((name) => ({ name, models: [`model-${name}`] })),
    });
    await stack.chat('model-a');
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => allUp(stack));

  /** Tenant two has no third model: its last attempt is at b. */
  const CASES: readonly (readonly [string, Record<string, string>, number, string, string | undefined])[] = [
    ['429 with Retry-After, reset, refused', { 'x-sim-status': 'a=429', 'x-sim-retry-after': 'a=1', 'x-sim-cut': 'b=headers' }, 429, 'a was told to answer 429', '1'], // prettier-ignore
    ['503, reset, refused', { 'x-sim-status': 'a=503', 'x-sim-cut': 'b=headers' }, 503, 'a was told to answer 503', undefined], // prettier-ignore
    ['429, 503, refused', { 'x-sim-status': 'a=429, b=503' }, 503, 'b was told to answer 503', undefined],
    ['too long, reset, refused', { 'x-sim-context-window': 'a=1', 'x-sim-cut': 'b=headers' }, 400, 'maximum context length is 1 tokens', undefined], // prettier-ignore
    ['429, reset', { 'x-tenant': 'two', 'x-sim-status': 'a=429', 'x-sim-cut': 'b=headers' }, 429, 'a was told to answer 429', undefined], // prettier-ignore
    ['500, timeout', { 'x-tenant': 'two', 'x-sim-status': 'a=500', 'x-sim-delay-ms': 'b=5000' }, 500, 'a was told to answer 500', undefined], // prettier-ignore
  ];

  describe.each([false, true])('stream: %s', (stream) => {
    test.each(CASES)('%s: the client gets what an endpoint said last', async (_, headers, status, body, retryAfter) => {
      await stack.watched(async () => {
        const answer = await stack.chat('auto', { stream }, headers);
        expect([answer.status, answer.failure]).toEqual([status, null]);
        expect(answer.body).toContain(body);
        expect((answer.json as { error: { message: string } }).error.message).toContain(body);
        expect(answer.headers['content-type']).toMatch(/^application\/json/);
        expect(answer.headers['retry-after']).toBe(retryAfter);
        expect(Object.keys(answer.headers).filter((name) => /^x-(vsr|switchyard)/.test(name))).toEqual([]);
      })();
    });
  });

  test('nobody answered at all: 503 in the shape of OpenAI', async () => {
    const answer = await stack.chat('auto', {}, { 'x-sim-cut': 'headers' });
    expect([answer.status, (answer.json as { error: { code: string } }).error.code]).toEqual([
      503,
      'service_unavailable',
    ]);
  });

  test('a router that dies between two attempts: 503, and no endpoint gets a body for another model', async () => {
    await stack.watched(async () => {
      stack.sim('b').forget();
      const pending = stack.chat('auto', {}, { 'x-sim-status': 'a=500', 'x-sim-delay-ms': 'a=400' });
      await sleep(150);
      await stack.killRouter();
      const answer = await pending;
      expect([answer.status, (answer.json as { error: { code: string } }).error.code]).toEqual([
        503,
        'service_unavailable',
      ]);
      expect(stack.sim('b').requests).toEqual([]);
      await stack.restartRouter();
    })();
  });
});
