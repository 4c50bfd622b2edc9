/** The pool: a request goes to the endpoints of its list, in order, and to no other; TLS; what clients may not send. */
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startStack, type Stack } from './harness.ts';
import { describeWithEnvoy } from './harness-describe.ts';

describeWithEnvoy('the pool', () => {
  let stack: Stack;
  const names = ['a', 'b', 'c'];
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }
  - { name: eb, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
  - { name: ec, address: localhost, port: '\${PORT_C}', models: [model-c], weight: 0 }
timeouts: { first_byte: 1s }
`,
      sims: names.map((name) => ({ name, models: [`model-${name}`] })),
      router: 'fake',
    });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => names.forEach((name) => stack.sim(name).forget()));

  const at = (name: string): string => `127.0.0.1:${stack.sim(name).port}`;
  const tried = (): string[] =>
    names
      .flatMap((name) =>
        stack.sim(name).requests.map(({ headers, model }) => `${headers['x-envoy-attempt-count']} ${name} ${model}`),
      )
      .sort();

  test('entry n serves attempt n, with the body for its model', async () => {
    const headers = { 'x-fake-plan': `${at('a')},${at('b')}`, 'x-fake-retries': '1', 'x-sim-status': 'a=503' };
    const answer = await stack.chat('auto', {}, headers);
    expect(answer.status).toBe(200);
    expect(answer.json.model).toBe('model-b');
    expect(answer.headers['x-fake-routed']).toBe('2');
    expect(tried()).toEqual(['1 a model-a', '2 b model-b']);
  });

  test.each(['500', '502', '503', '429'])(
    'a first answer of %s is tried again; a body of 5 MiB too',
    async (status) => {
      const headers = { 'x-fake-plan': `${at('a')},${at('b')}`, 'x-fake-retries': '1', 'x-sim-status': `a=${status}` };
      const answer = await stack.chat('auto', { pad: 'x'.repeat(5 << 20) }, headers);
      expect(answer.json.model).toBe('model-b');
    },
  );

  test.each([
    ['error@retry-headers', 503, 'service_unavailable'],
    ['error@retry-body', 503, 'service_unavailable'],
    ['garbage@retry-headers', 503, 'service_unavailable'],
    ['hang@retry-body', 504, 'timeout'],
  ])(
    '%s, where the body for a later attempt should come from: %i, and no endpoint gets a body for another model',
    async (failure, status, code) => {
      await stack.watched(async () => {
        const plan = `${at('a')},${at('b')},${at('a')}`;
        const headers = { 'x-fake-plan': plan, 'x-fake-retries': '2', 'x-sim-status': 'a=500', 'x-fake-fail': failure };
        const answer = await stack.chat('auto', {}, headers);
        expect([answer.status, answer.json.error.code, answer.json.error.type]).toEqual([status, code, 'server_error']);
        // Envoy makes that answer, and none of its attempts comes after it.
        expect(tried()).toEqual(['1 a model-a']);
      })();
    },
  );

  test("without leave from the router nothing is tried twice, and the endpoint's own error comes through", async () => {
    const answer = await stack.chat('auto', {}, { 'x-fake-plan': `${at('a')},${at('b')}`, 'x-sim-status': '503' });
    expect(answer.status).toBe(503);
    expect(answer.json.error.type).toBe('SimulatedError');
    expect(tried()).toEqual(['1 a model-a']);
  });

  test("a client can't ask for retries", async () => {
    await stack.chat(
      'auto',
      {},
      { 'x-fake-plan': at('a'), 'x-sim-status': '503', 'x-envoy-max-retries': '5', 'x-envoy-retry-on': '5xx' },
    );
    expect(tried()).toEqual(['1 a model-a']);
  });

  test.each([
    ['an endpoint that is not in the pool', () => '127.0.0.1:1', '0'],
    ['a drained endpoint', () => at('c'), '0'],
    ['a name instead of an address', () => `localhost:${stack.sim('b').port}`, '0'],
    ['an empty list', () => '', '0'],
    ['a list that ended', () => at('a'), '2'],
  ])('%s: 503, and no other endpoint is reached', async (_, plan, retries) => {
    const headers = { 'x-fake-plan': plan(), 'x-fake-retries': retries, 'x-sim-status': '503' };
    const answer = await stack.chat('auto', {}, headers);
    expect(answer.status).toBe(503);
    expect(answer.json.error.code).toBe('service_unavailable');
    expect(tried().filter((one) => !one.includes(' a '))).toEqual([]);
  });

  test('an endpoint that does not answer in time: 504 in the shape of OpenAI', async () => {
    const answer = await stack.chat('model-a', {}, { 'x-sim-delay-ms': '3000' });
    expect(answer.status).toBe(504);
    expect(answer.json.error).toEqual({
      message: 'The endpoint did not answer in time.',
      type: 'server_error',
      param: null,
      code: 'timeout',
    });
    expect(answer.ms).toBeLessThan(2500);
  });

  test('that time is for the first byte: a slow stream goes on', async () => {
    const headers = { 'x-sim-chunks': '6', 'x-sim-chunk-delay-ms': '300' };
    const answer = await stack.chat('model-a', { stream: true }, headers);
    expect(answer.body.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(answer.ms).toBeGreaterThan(1800);
  });

  test('x-request-id: a given one is kept, a missing one is made, the client gets it back', async () => {
    const given = await stack.chat('auto', {}, { 'x-request-id': 'my own id/1' });
    expect(given.headers['x-request-id']).toBe('my own id/1');
    expect(stack.sim('a').requests.at(-1)?.headers['x-request-id']).toBe('my own id/1');
    const uuid = '123e4567-e89b-42d3-a456-426614174000';
    await stack.chat('auto', {}, { 'x-request-id': uuid });
    expect(stack.sim('a').requests.at(-1)?.headers['x-request-id']).toBe(uuid);
    const made = await stack.chat('auto');
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(stack.sim('a').requests.at(-1)?.headers['x-request-id']).toBe(made.headers['x-request-id']);
  });

  test('headers that steer routing do not come from clients', async () => {
    const spoofed = {
      'x-switchyard-decision': 'auto',
      'x-switchyard-fallback': 'fallback_model-b',
      'X-VSR-Selected-Model': 'model-b',
      'x-selected-model': 'model-b',
      'x-gateway-destination-endpoint': at('b'),
      'x-envoy-upstream-rq-timeout-ms': '1',
      'x-envoy-attempt-count': '7',
    };
    const answer = await stack.chat('auto', {}, spoofed);
    expect(answer.json.model).toBe('model-a');
    expect(tried()).toEqual(['1 a model-a']);
    const received = Object.keys(stack.sim('a').requests[0]!.headers);
    expect(received.filter((name) => /^x-(switchyard|vsr|selected|gateway)/.test(name))).toEqual([]);
  });

  test("GET /v1/models is the router's, also below the path; no stream is opened for it", async () => {
    const before = await stack.envoy.stats('ext_proc.streams_started');
    for (const path of ['/v1/models', '/v1/models/org/model-a', '/v1/models?x=1']) {
      const answer = await stack.send({ path });
      expect(answer.json).toMatchObject({ object: 'list' });
    }
    expect(await stack.envoy.stats('ext_proc.streams_started')).toEqual(before);
  });

  test('websockets are refused', async () => {
    const answer = await stack.send({ path: '/v1/realtime', headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13' } }); // prettier-ignore
    expect(answer.status).toBe(403);
  });
});

describeWithEnvoy('endpoints with TLS', () => {
  const file = (name: string): string => fileURLToPath(new URL(`./harness-tls/${name}`, import.meta.url));
  let server: TlsServer;
  let stack: Stack;
  beforeAll(async () => {
    server = createTlsServer(
      { cert: readFileSync(file('server.pem')), key: readFileSync(file('server-key.pem')) },
      (request, response) => {
        request.resume().on('end', () => {
          response.setHeader('content-type', 'application/json');
          const { servername } = request.socket as { servername?: string | false };
          response.end(JSON.stringify({ sni: servername, host: request.headers.host }));
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: named, address: 127.0.0.1, port: ${port}, models: [named], tls: { sni: model.test } }
  - { name: plain, address: 127.0.0.1, port: '\${PORT_PLAIN}', models: [plain] }
`,
      sims: [{ name: 'plain', models: ['plain'] }],
      router: 'fake',
      caFile: file('ca.pem'),
      env: { FAKE_CA_FILE: file('ca.pem') },
    });
  }, 60_000);
  afterAll(async () => {
    await stack.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(['', 'error@body'])('the certificate is checked against the SNI (router: %j)', async (failure) => {
    const headers: Record<string, string> = failure === '' ? {} : { 'x-fake-fail': failure };
    const answer = await stack.chat('named', {}, headers);
    expect(answer.json).toMatchObject({ sni: 'model.test' });
    expect((await stack.chat('plain', {}, headers)).json.model).toBe('plain');
  });
});

describeWithEnvoy('certificates', () => {
  const file = (name: string): string => fileURLToPath(new URL(`./harness-tls/${name}`, import.meta.url));
  test.each([
    ['a name of the certificate', '{ sni: model.test }', 'ca.pem', 200],
    ['a name under its wildcard', '{ sni: a.wild.test }', 'ca.pem', 200],
    ['its address', '{}', 'ca.pem', 200],
    ['another name', '{ sni: other.test }', 'ca.pem', 503],
    ['two labels under the wildcard', '{ sni: a.b.wild.test }', 'ca.pem', 503],
    ['another CA', '{ sni: model.test }', 'other-ca.pem', 503],
    ['TLS switched off', '{ enabled: false }', 'ca.pem', 503],
  ])(
    '%s: %s with %s',
    async (_, tls, ca, status) => {
      const server = createTlsServer(
        { cert: readFileSync(file('server.pem')), key: readFileSync(file('server-key.pem')) },
        (request, response) => request.resume().on('end', () => response.end('{}')),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const stack = await startStack({
        config: `vllm_endpoints: [{ name: one, address: 127.0.0.1, port: ${port}, models: [m], tls: ${tls} }]`,
        sims: [],
        router: 'none',
        caFile: file(ca),
      });
      try {
        expect((await stack.chat('m')).status).toBe(status);
      } finally {
        await stack.stop();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
    30_000,
  );
});
