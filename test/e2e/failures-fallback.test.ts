/** `failure_mode`: what Envoy does with requests that the router did not decide on. The router here is a stand-in that fails on command. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startStack, type Stack } from './harness.ts';
import { describeWithEnvoy } from './harness-describe.ts';

const config = (mode: string): string => `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [org/model-a] }
  - { name: eb, address: localhost, port: '\${PORT_B}', models: [model-b, 'modèle "b"'] }
  - { name: ekey, address: 127.0.0.1, port: '\${PORT_KEYED}', models: [keyed], api_key_env: TEST_KEYED_KEY }
  - { name: enokey, address: 127.0.0.1, port: '\${PORT_KEYLESS}', models: [keyless], api_key_env: TEST_MISSING_KEY }
  - { name: edrained, address: 127.0.0.1, port: '\${PORT_A}', models: [drained], weight: 0 }
model_config:
  model-b: { served_model_name: served-b }
default_model: org/model-a
auto_model_name: Any "name"
failure_mode: ${mode}
`;
const sims = [
  { name: 'a', models: ['org/model-a'] },
  { name: 'b', models: ['served-b', 'modèle "b"'] },
  { name: 'keyed', models: ['keyed'] },
  { name: 'keyless', models: ['keyless'] },
];
const env = { TEST_KEYED_KEY: 'secret-of-the-endpoint' };
const envoyEnv = { TEST_MISSING_KEY: '' };

/** Ways in which a router fails, as x-fake-fail. */
const FAILURES = ['error@headers', 'error@body', 'end@headers', 'end@body', 'garbage@headers', 'garbage@body'];

/** Which simulated endpoints received something since the last reset. */
const reached = (stack: Stack): string[] =>
  sims.map(({ name }) => name).filter((name) => stack.sim(name).requests.length > 0);

describeWithEnvoy('failure_mode open', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config: config('open'), sims, router: 'fake', env, envoyEnv });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => sims.forEach(({ name }) => stack.sim(name).forget()));

  test.each(FAILURES)('%s: an alias goes to the default model and says so', async (failure) => {
    await stack.watched(async () => {
      for (const alias of ['auto', 'Any "name"', 'vllm-sr/auto']) {
        const answer = await stack.chat(alias, {}, { 'x-fake-fail': failure });
        expect(answer.status).toBe(200);
        expect(answer.json.model).toBe('org/model-a');
        expect(answer.headers).toMatchObject({
          'x-switchyard-decision': 'fallback',
          'x-vsr-selected-model': 'org/model-a',
        });
      }
      expect(reached(stack)).toEqual(['a']);
    })();
  });

  test.each(FAILURES)('%s: a concrete model goes to its own endpoint, byte for byte', async (failure) => {
    await stack.watched(async () => {
      const body = ' { "n" : 12345678901234567890, "model":"mod\\u00e8le \\"b\\"", "x":[1.0,{"model":"auto"}]\n} ';
      const answer = await stack.send({ body, headers: { 'x-fake-fail': failure } });
      expect(answer.status).toBe(200);
      expect(stack.sim('b').requests.at(-1)?.body).toBe(body);
      expect(reached(stack)).toEqual(['b']);
    })();
  });

  test('an endpoint that knows the model by another name gets that name, and nothing else changes', async () => {
    const body = '{ "model" : "model-b" ,"temperature":1.0, "messages":[]}';
    const answer = await stack.send({ body, headers: { 'x-fake-fail': 'error@body' } });
    expect(answer.status).toBe(200);
    expect(stack.sim('b').requests.at(-1)?.body).toBe('{ "model" : "served-b" ,"temperature":1.0, "messages":[]}');
  });

  test.each([
    ['{"model":"auto"}', '{"model":"org/model-a"}'],
    [String.raw`{"model":"\u0061ut\u006f"}`, '{"model":"org/model-a"}'],
    [String.raw`{"m\u006fdel":"auto"}`, String.raw`{"m\u006fdel":"org/model-a"}`],
    ['{"model":"model-b","model":"auto"}', '{"model":"org/model-a","model":"org/model-a"}'],
    ['{"model":{"a":["}"]},"model":"auto","z":1}', '{"model":"org/model-a","model":"org/model-a","z":1}'],
    [
      '\t{"a":"\\\\","b":"\\"model\\":\\"x","model"\r\n:\t"auto","c":[[{"model":"x"}],-1e5,true,null]}\n',
      '\t{"a":"\\\\","b":"\\"model\\":\\"x","model"\r\n:\t"org/model-a","c":[[{"model":"x"}],-1e5,true,null]}\n',
    ],
  ])('%s reaches the default model as %s', async (sent, received) => {
    const answer = await stack.send({ body: sent, headers: { 'x-fake-fail': 'error@body' } });
    expect(answer.status).toBe(200);
    expect(stack.sim('a').requests.at(-1)?.body).toBe(received);
    expect(stack.sim('a').requests.at(-1)?.headers['content-length']).toBe(String(received.length));
  });

  test('a body without content-length is rewritten too', async () => {
    const answer = await stack.send({
      body: { model: 'auto', messages: [], pad: 'x'.repeat(100_000) },
      chunkBytes: 7000,
      headers: { 'x-fake-fail': 'error@body' },
    });
    expect(answer.status).toBe(200);
    expect(stack.sim('a').requests.at(-1)?.model).toBe('org/model-a');
    expect(stack.sim('a').requests.at(-1)?.bodyBytes).toBe(
      100_000 + '{"model":"org/model-a","messages":[],"pad":""}'.length,
    );
  });

  test.each([
    ['an unknown model', '{"model":"nope"}', 404, 'model_not_found', 'model'],
    ['an alias in another spelling', '{"model":"AUTO"}', 404, 'model_not_found', 'model'],
    ['a drained model', '{"model":"drained"}', 503, 'model_unavailable', null],
    ['a key that Envoy does not have', '{"model":"keyless"}', 503, 'router_unavailable', null],
    ['no model', '{"messages":[]}', 400, 'invalid_model', 'model'],
    ['a model that is no string', '{"model":["auto"]}', 400, 'invalid_model', 'model'],
    ['a broken escape', '{"model":"a\\u00zz"}', 400, 'invalid_model', 'model'],
    ['an array', '[{"model":"auto"}]', 400, 'invalid_json', null],
    ['an open string', '{"model":"auto', 400, 'invalid_json', null],
    ['an open object', '{"model":"auto","a":{"b":1}', 400, 'invalid_json', null],
    ['text after the object', '{"model":"auto"} x', 400, 'invalid_json', null],
    ['no colon', '{"model" "auto"}', 400, 'invalid_json', null],
    ['a trailing comma', '{"model":"auto",}', 400, 'invalid_json', null],
    ['a BOM', '\ufeff{"model":"auto"}', 400, 'invalid_json', null],
    ['white space', '   ', 400, 'invalid_json', null],
  ])('%s is refused in the shape of OpenAI and reaches nobody', async (_, body, status, code, param) => {
    const answer = await stack.send({ body, headers: { 'x-fake-fail': 'error@body' } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json.error).toMatchObject({
      code,
      param,
      type: status === 503 ? 'server_error' : 'invalid_request_error',
    });
    expect(reached(stack)).toEqual([]);
  });

  test.each([
    ['a form', { 'content-type': 'multipart/form-data; boundary=x' }, 503, 'router_unavailable'],
    ['a compressed body', { 'content-encoding': 'gzip' }, 415, 'unsupported_content_encoding'],
  ])('%s is not read without the router', async (_, headers, status, code) => {
    const answer = await stack.send({ body: '--x', headers: { ...headers, 'x-fake-fail': 'error@headers' } });
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
  });

  test("an endpoint's key is Envoy's to send: in place of the client's, and to that endpoint only", async () => {
    const headers = { 'x-fake-fail': 'error@body', authorization: 'Bearer of-the-client' };
    expect((await stack.chat('keyed', {}, headers)).status).toBe(200);
    expect(stack.sim('keyed').requests.at(-1)?.headers['authorization']).toBe('Bearer secret-of-the-endpoint');
    expect((await stack.chat('auto', {}, headers)).status).toBe(200);
    expect(stack.sim('a').requests.at(-1)?.headers['authorization']).toBe('Bearer of-the-client');
  });

  test('clients can neither pick a cluster nor claim a decision', async () => {
    const spoofed = {
      'x-fake-fail': 'error@body',
      'x-switchyard-fallback': 'fallback_model-b',
      'x-switchyard-decision': 'auto',
      'x-gateway-destination-endpoint': `127.0.0.1:${stack.sim('b').port}`,
      'x-selected-model': 'model-b',
      'x-vsr-selected-model': 'model-b',
      'x-envoy-max-retries': '9',
    };
    const answer = await stack.chat('auto', {}, spoofed);
    expect(answer.json.model).toBe('org/model-a');
    const { headers } = stack.sim('a').requests.at(-1)!;
    expect(Object.keys(headers).filter((name) => /^x-(switchyard|vsr|selected|gateway)/.test(name))).toEqual([]);
  });

  test('random JSON is read as a JSON parser reads it', async () => {
    /** A JSON string literal with some characters escaped that need not be. */
    const literal = (text: string, every: number): string =>
      JSON.stringify(text).replace(/[a-z]/g, (letter, at: number) =>
        every > 0 && at % every === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter,
      );
    const space = fc.constantFrom('', ' ', '\n', '\t\r ');
    const name = fc.constantFrom('auto', 'vllm-sr/auto', 'org/model-a', 'modèle "b"', 'nope', 'AUTO');
    const member = fc.oneof(
      {
        weight: 2,
        arbitrary: fc.tuple(
          fc.constant('model'),
          fc.oneof({ weight: 5, arbitrary: name }, { weight: 1, arbitrary: fc.jsonValue() }),
        ),
      },
      {
        weight: 3,
        arbitrary: fc.tuple(
          fc.oneof(fc.string(), fc.constantFrom('Model', 'model ', 'messages')),
          fc.jsonValue({ maxDepth: 4 }),
        ),
      },
    );
    const body = fc
      .tuple(fc.array(fc.tuple(member, space, space, fc.integer({ min: 0, max: 3 })), { maxLength: 6 }), space)
      .map(([members, outer]) => {
        const parts = members.map(([[key, value], before, after, every]) => {
          const written = typeof value === 'string' ? literal(value, every) : JSON.stringify(value);
          return `${before}${literal(key, every)}${after}:${before}${written}${after}`;
        });
        return `${outer}{${parts.join(',')}${outer}}${outer}`;
      });
    const check = async (text: string): Promise<void> => {
      sims.forEach(({ name: sim }) => stack.sim(sim).forget());
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const model = parsed['model'];
      const answer = await stack.send({ body: text, headers: { 'x-fake-fail': 'error@headers' } });
      if (typeof model !== 'string') {
        expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_model']);
      } else if (model === 'auto' || model === 'vllm-sr/auto') {
        expect([answer.status, reached(stack)]).toEqual([200, ['a']]);
        expect(JSON.parse(stack.sim('a').requests[0]!.body!)).toEqual({ ...parsed, model: 'org/model-a' });
      } else if (model === 'org/model-a' || model === 'modèle "b"') {
        const own = model === 'org/model-a' ? 'a' : 'b';
        expect(reached(stack)).toEqual([own]);
        expect(JSON.parse(stack.sim(own).requests[0]!.body!)).toEqual(parsed);
      } else expect([answer.status, reached(stack)]).toEqual([404, []]);
    };
    await fc.assert(fc.asyncProperty(body, check), { numRuns: 250 });
    // Whatever is cut off is refused, and nothing of it arrives.
    await fc.assert(
      fc.asyncProperty(body, fc.nat(), async (text, at) => {
        const cut = text.trim().slice(0, at % text.trim().length);
        sims.forEach(({ name: sim }) => stack.sim(sim).forget());
        const answer = await stack.send({ body: cut, headers: { 'x-fake-fail': 'error@headers' } });
        expect([400, 404]).toContain(answer.status);
        expect(reached(stack)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  test.each([20 << 20, 31 << 20])('a body of %d bytes', async (size) => {
    const pad = 'x'.repeat(size);
    const headers = { 'x-fake-fail': 'error@headers' };
    const answer = await stack.send({ body: `{"pad":"${pad}","model":"auto"}`, headers });
    expect(answer.status).toBe(200);
    expect(stack.sim('a').requests.at(-1)?.bodyBytes).toBe(size + '{"pad":"","model":"org/model-a"}'.length);
  });

  test('a body over the limit gets 413 in the shape of OpenAI', async () => {
    const answer = await stack.send({ body: `{"pad":"${'x'.repeat(33 << 20)}","model":"auto"}` });
    expect(answer.status).toBe(413);
    expect(answer.json.error.code).toBe('request_too_large');
    expect(reached(stack)).toEqual([]);
  });

  test('a router that fails after its decision does not hurt the answer', async () => {
    for (const failure of ['error@response', 'end@response', 'garbage@response']) {
      const answer = await stack.chat('auto', {}, { 'x-fake-fail': failure });
      expect(answer.status).toBe(200);
      expect(answer.json.model).toBe('org/model-a');
    }
  });

  test("the router's own refusals pass unchanged", async () => {
    const answer = await stack.chat('auto', {}, { 'x-fake-fail': 'reply@body' });
    expect(answer.status).toBe(503);
    expect(answer.body).toBe('{"error":{"message":"mine"}}');
    expect(answer.headers['x-switchyard-decision']).toBeUndefined();
  });

  test('a streamed answer streams', async () => {
    const times: number[] = [];
    const answer = await stack.send({
      body: { model: 'auto', stream: true, messages: [{ role: 'user', content: 'x' }] },
      headers: { 'x-fake-fail': 'error@body', 'x-sim-chunks': '5', 'x-sim-chunk-delay-ms': '60' },
      onChunk: (_, atMs) => times.push(atMs),
    });
    expect(answer.status).toBe(200);
    expect(answer.body.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(200);
  });
});

describeWithEnvoy('failure_mode closed', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config: config('closed'), sims, router: 'fake', env, envoyEnv });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => sims.forEach(({ name }) => stack.sim(name).forget()));

  test.each(FAILURES)('%s: 503 for an alias, its own endpoint for a concrete model', async (failure) => {
    const headers = { 'x-fake-fail': failure };
    for (const body of [
      '{"model":"auto"}',
      '{"model":"\\u0061uto"}',
      '{"model":"Any \\"name\\""}',
      '{"model":"vllm-sr/auto"}',
    ]) {
      const answer = await stack.send({ body, headers });
      expect(answer.status).toBe(503);
      expect(answer.json.error).toMatchObject({ code: 'router_unavailable', type: 'server_error', param: null });
    }
    expect(reached(stack)).toEqual([]);
    expect((await stack.chat('model-b', {}, headers)).json.model).toBe('served-b');
    expect((await stack.chat('org/model-a', {}, headers)).json.model).toBe('org/model-a');
    expect((await stack.chat('nope', {}, headers)).status).toBe(404);
    expect(stack.sim('a').requests).toHaveLength(1);
    expect(stack.sim('b').requests).toHaveLength(1);
  });
});

describeWithEnvoy('a fallback script that fails', () => {
  test('503 in the shape of OpenAI', async () => {
    const broken = (text: string): string =>
      text.replace('function envoy_on_request(handle)', 'function envoy_on_request(handle)\n  error("broken")');
    const stack = await startStack({
      config: config('open'),
      sims,
      router: 'none',
      env,
      envoyEnv,
      editBootstrap: (bootstrap) =>
        JSON.parse(
          JSON.stringify(bootstrap, (_, value: unknown) => (typeof value === 'string' ? broken(value) : value)),
        ),
    });
    try {
      const answer = await stack.chat('auto');
      expect(answer.status).toBe(503);
      expect(answer.json.error.code).toBe('service_unavailable');
      expect(reached(stack)).toEqual([]);
    } finally {
      await stack.stop();
    }
  }, 60_000);
});
