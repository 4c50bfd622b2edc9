/** What is refused before a model is chosen: methods, codings, paths. With the router and without it, on the real Envoy. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';

const config = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: '\${PORT_ONE}', models: [general, org/other] }
default_model: general
timeouts: { decision: 5s }
`;
const SIMS = [{ name: 'one', models: ['general', 'org/other'], keep: 50 }];
const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'What is 2 + 2?' }] });

/** Everything that must hold whether the router is there or not. */
function common(stack: () => Stack): void {
  describe.each(['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/chat/completions/?x=1'])(
    '%s',
    (path) => {
      test.each(['PUT', 'PATCH', 'DELETE', 'GET'])(
        '%s is a 405 that names POST, and reaches no endpoint',
        async (method) => {
          const body = method === 'PUT' || method === 'PATCH' ? { body: chat('general') } : {};
          const answer = await stack().send({ path, method, ...body });
          expect([answer.status, answer.headers['allow'], answer.headers['content-type']]).toEqual([
            405,
            'POST',
            'application/json',
          ]);
          expect(answer.json.error).toMatchObject({
            code: 'method_not_supported',
            type: 'invalid_request_error',
            param: null,
          });
          expect(stack().sim('one').requests).toEqual([]);
        },
      );
    },
  );

  describe.each(['auto', 'general', 'no-such-model'])('a compressed request for %s', (model) => {
    const json = JSON.stringify(chat(model));
    test.each([
      ['gzip', gzipSync(json)],
      ['deflate', deflateSync(json)],
      ['br', brotliCompressSync(json)],
      ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x01])],
    ])('in %s is a 415 that says what is allowed, and reaches no endpoint', async (coding, body) => {
      const answer = await stack().send({ body, headers: { 'content-encoding': coding } });
      expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, 'identity']);
      expect(answer.json.error).toMatchObject({
        code: 'unsupported_content_encoding',
        type: 'invalid_request_error',
        message: expect.stringContaining('Allowed: identity'),
        param: null,
      });
      expect(stack().sim('one').requests).toEqual([]);
    });
  });

  test('a body that is plain whatever its header says goes through', async () => {
    for (const coding of ['identity', 'gzip']) {
      const answer = await stack().send({ body: chat('general'), headers: { 'content-encoding': coding } });
      expect(answer.status).toBe(200);
    }
  });
}

describeWithEnvoy('refused by the router', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config, sims: SIMS });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => stack.sim('one').forget());

  common(() => stack);

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s on the models is a 405 that names GET',
    async (method) => {
      for (const path of ['/v1/models', '/v1/models/general', '/v1/models/org/other']) {
        const answer = await stack.send({ path, method, ...(method === 'POST' ? { body: {} } : {}) });
        expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
        expect(answer.json.error).toMatchObject({
          code: 'method_not_supported',
          type: 'invalid_request_error',
          param: null,
        });
      }
      expect(stack.sim('one').requests).toEqual([]);
    },
  );

  test.each([
    ['/v1/models/auto', 200, undefined],
    ['/v1/models/org/other', 200, undefined],
    ['/v1/models/no-such-model', 404, 'model_not_found'],
    ['/v1/models/org', 404, 'model_not_found'],
    ['/v1/models/general/more/of/it', 404, 'model_not_found'],
    ['/v1/models/', 404, 'unknown_url'],
  ])('GET %s is %i', async (path, status, code) => {
    const answer = await stack.send({ path });
    expect(answer.status).toBe(status);
    if (code === undefined) return;
    expect(Object.keys(answer.json.error)).toEqual(expect.arrayContaining(['message', 'type', 'param', 'code']));
    expect(answer.json.error).toMatchObject({ code, type: 'invalid_request_error' });
  });

  test('the same methods on the API itself', async () => {
    const answer = await fetch(`${stack.apiUrl}/v1/models`, { method: 'POST', body: '{}' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const { error } = (await answer.json()) as { error: { code: string } };
    expect(error.code).toBe('method_not_supported');
  });
});

describeWithEnvoy('refused by Envoy alone, with the router dead', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config, sims: SIMS, router: 'none' });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => stack.sim('one').forget());

  common(() => stack);
});
