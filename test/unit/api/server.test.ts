import { afterEach, describe, expect, test } from '@jest/globals';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createMetricsApi, listen, type Listening } from '../../../src/api/server.ts';
import { createFakeEncoder } from '../../fakes/fake-encoder.ts';
import { createFixture } from './fixture.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function start(overrides: Parameters<typeof createFixture>[0] = {}) {
  const fixture = createFixture(overrides);
  const server = await listen(fixture.api, { host: '127.0.0.1', port: 0 });
  open.push(server);
  return { ...fixture, server, url: `http://127.0.0.1:${server.port}` };
}

/** One request by hand, where fetch would not let us. */
function ask(port: number, options: RequestOptions, body?: string | Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, ...options }, (incoming: IncomingMessage) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const JSON_POST = { method: 'POST', path: '/api/v1/classify/intent', headers: { 'content-type': 'application/json' } };

describe('over a socket', () => {
  test('the API answers', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/api/v1/classify/intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'a math question' }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ classification: { category: 'math' } });
  });

  test('a port that is taken is said so', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { api } = createFixture();
    const { port } = taken.address() as AddressInfo;
    await expect(listen(api, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    taken.close();
  });

  test('a page that rebinds its name to us gets no prompts', async () => {
    const { server } = await start();
    const path = '/config/system-prompts';
    const rebound = await ask(server.port, { path, headers: { host: `evil.example:${server.port}` } });
    expect(rebound.status).toBe(403);
    expect(rebound.text).not.toContain('SECRET-PROMPT');
    expect((await ask(server.port, { path, headers: { host: `localhost:${server.port}` } })).status).toBe(200);
  });

  test('a body that announces too much is refused before it comes', async () => {
    const { server } = await start();
    const answer = await new Promise<number>((resolve, reject) => {
      const headers = { ...JSON_POST.headers, 'content-length': String(1e9) };
      const outgoing = httpRequest({ host: '127.0.0.1', port: server.port, ...JSON_POST, headers }, (incoming) => {
        resolve(incoming.statusCode ?? 0);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      outgoing.write('{');
    });
    expect(answer).toBe(413);
  });

  test('a body without a length is counted as it comes', async () => {
    const { server } = await start();
    const headers = { ...JSON_POST.headers, 'transfer-encoding': 'chunked' };
    const body = JSON.stringify({ text: 'x'.repeat(70_000) });
    expect((await ask(server.port, { ...JSON_POST, headers }, body)).status).toBe(413);
    const small = JSON.stringify({ text: 'x'.repeat(60_000) });
    expect((await ask(server.port, { ...JSON_POST, headers }, small)).status).toBe(200);
  });

  test('a client that hangs up stops its batch', async () => {
    const encoder = createFakeEncoder({ delayMs: 10 });
    const { url } = await start({ encoderIs: encoder });
    const gone = new AbortController();
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const batch = fetch(`${url}/api/v1/classify/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ texts }),
      signal: gone.signal,
    });
    while (encoder.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    gone.abort();
    await expect(batch).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(encoder.seen.length).toBeLessThan(20);
  });

  test('bytes that are no HTTP end their connection and nothing else', async () => {
    const { server, url } = await start();
    const socket = connect(server.port, '127.0.0.1');
    socket.write('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n');
    await new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    );
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test('closing lets a running request end', async () => {
    const { server, url } = await start({ encoderIs: createFakeEncoder({ delayMs: 100 }) });
    const running = fetch(`${url}/api/v1/classify/intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'math' }),
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = server.close(5000);
    expect((await running).status).toBe(200);
    await closed;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  test('closing cuts a request that takes longer than it may', async () => {
    const { server, url } = await start({ encoderIs: createFakeEncoder({ delayMs: 5000 }) });
    const running = fetch(`${url}/api/v1/classify/intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'math' }),
    });
    const cut = expect(running).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close(50);
    await cut;
  });
});

test('the metrics listener serves metrics and health, nothing else', async () => {
  const { dependencies } = createFixture();
  const api = createMetricsApi(dependencies);
  expect(await (await api.request('/metrics')).text()).toContain('# TYPE llm_model_requests_total counter');
  expect((await api.request('/health')).status).toBe(200);
  for (const path of ['/config/system-prompts', '/v1/models', '/info/classifier']) {
    expect((await api.request(path)).status).toBe(404);
  }
});

/** Processor time, since wall time says more about who else uses this machine than about us. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

test.each(['/api/v1/classify/batch', '/api/v1/embeddings'])(
  'a thousand texts at %s never hold /health up',
  async (path) => {
    const yaml = 'vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8000, models: [a] }]';
    const { api, post } = createFixture({ yaml });
    const texts = Array.from(
      { length: 1000 },
      (_, index) => `a math question, number ${index}, ${'word '.repeat(200)}`,
    );
    const state = { isDone: false };
    const batch = post(path, { texts }).then(async (response) => {
      const text = await response.text();
      state.isDone = true;
      return { status: response.status, bytes: text.length };
    });
    let longest = 0;
    while (!state.isDone) {
      const before = cpuMs();
      await new Promise((resolve) => setImmediate(resolve));
      expect((await api.request('/health')).status).toBe(200);
      longest = Math.max(longest, cpuMs() - before);
    }
    expect((await batch).status).toBe(200);
    expect((await batch).bytes).toBeGreaterThan(50_000);
    expect(longest).toBeLessThan(100);
  },
);
