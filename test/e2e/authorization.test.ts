/** `forward_authorization: false`: the client's Authorization reaches no endpoint, at any attempt, with the router or without it. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';

const NAMES = ['a', 'b', 'c'] as const;

describeWithEnvoy('forward_authorization: false', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }
  - { name: eb, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b], api_key_env: KEY_B }
  - { name: ec, address: 127.0.0.1, port: '\${PORT_C}', models: [model-c] }
model_config: { model-a: { fallbacks: [model-b, model-c] }, model-b: { fallbacks: [model-c, model-a] } }
default_model: model-a
forward_authorization: false
timeouts: { decision: 5s }
health: { consecutive_errors: 1000, min_requests: 100000 }
affinity: { enabled: false }
`,
      env: { KEY_B: 'key-of-b' },
      sims: NAMES.map((name) => ({ name, models: [`model-${name}`] })),
    });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));

  const SECRET = 'Bearer of-the-client';
  const ask = (model: string, headers: Record<string, string> = {}) =>
    stack.chat(model, {}, { authorization: SECRET, ...headers });
  const keys = () =>
    NAMES.map((name) => stack.sim(name).requests.map(({ headers }) => headers['authorization'] ?? '-'));
  const sawTheSecret = () =>
    NAMES.some((name) => stack.sim(name).requests.some(({ headers }) => Object.values(headers).includes(SECRET)));

  test('a named model', async () => {
    await stack.watched(async () => {
      for (const model of ['model-a', 'model-b']) expect((await ask(model)).status).toBe(200);
      expect(keys()).toEqual([['-'], ['Bearer key-of-b'], []]);
    })();
  });

  test('later attempts: after one without a key, after one with', async () => {
    await stack.watched(async () => {
      expect((await ask('auto', { 'x-sim-status': 'a=503, b=503' })).status).toBe(200);
      expect(keys()).toEqual([['-'], ['Bearer key-of-b'], ['-']]);
      expect(sawTheSecret()).toBe(false);
    })();
  });

  test('without the router', async () => {
    await stack.watched(async () => {
      await stack.killRouter();
      for (const model of ['auto', 'model-b', 'model-c']) expect((await ask(model)).status).toBe(200);
      expect(keys()).toEqual([['-'], ['Bearer key-of-b'], ['-']]);
      expect(sawTheSecret()).toBe(false);
      await stack.restartRouter();
    })();
  });
});
