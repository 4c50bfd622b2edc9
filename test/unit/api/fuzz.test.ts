import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { connect } from 'node:net';
import { apiRoutes } from '../../../src/api/routes.ts';
import { createLane } from '../../../src/api/lane.ts';
import { errorAnswer } from '../../../src/api/responses.ts';
import { listen } from '../../../src/api/server.ts';
import { createFixture } from './fixture.ts';

/** Seconds for each of the three ways to send nonsense; together more than half a minute. */
const SECONDS = 12;
const LIMITS = {
  interruptAfterTimeLimit: SECONDS * 1000,
  markInterruptAsFailure: false,
  numRuns: 1_000_000,
};

/** What a caller may be told; a 500 is a bug. */
const ALLOWED = new Set([200, 304, 400, 403, 404, 405, 413, 415, 422, 501, 503]);

const LANE = createLane({ width: 1, maxWaiting: 1 });
const ROUTES = apiRoutes(createFixture().dependencies, { interactive: LANE, background: LANE });
const PATHS = ROUTES.map(({ path }) => path.replace('{id}', 'auto'));
const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'get', 'BREW'];

const path = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...PATHS) },
  fc.webPath(),
  fc.string({ maxLength: 50 }).map((text) => `/${text}`),
  fc.tuple(fc.constantFrom(...PATHS), fc.string({ maxLength: 20 })).map(([start, rest]) => `${start}${rest}`),
  fc.tuple(fc.constantFrom(...PATHS), fc.webQueryParameters()).map(([start, query]) => `${start}?${query}`),
);
const contentType = fc.oneof(
  { weight: 5, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-8',
    'text/plain',
    'application/json;charset=utf-16',
    '',
    ';;;',
    'a/b+json',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
);

/** Bodies that are nearly right: the members that routes read, with right and wrong values. */
const nearlyRight = fc.dictionary(
  fc.constantFrom(
    'text',
    'texts',
    'text1',
    'text2',
    'options',
    'task_type',
    'model',
    'dimension',
    'category',
    'enabled',
    'mode',
    'version_info',
    '__proto__',
    'constructor',
  ),
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 1 })), { maxLength: 30 }),
    fc.constantFrom('intent', 'security', 'pii', 'math', 'insert', 'auto', true, 384, null, 'v1'),
    fc.record(
      {
        return_probabilities: fc.oneof(fc.boolean(), fc.jsonValue({ maxDepth: 1 })),
        confidence_threshold: fc.oneof(fc.double(), fc.double({ min: 0, max: 1 })),
        include_explanation: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue({ maxDepth: 3 }),
  ),
  { maxKeys: 6 },
);
const body = fc.oneof(
  { weight: 4, arbitrary: nearlyRight.map((value) => Buffer.from(JSON.stringify(value))) },
  fc.jsonValue({ maxDepth: 6 }).map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(70_000).map((length) => Buffer.alloc(length, '[')),
  fc.tuple(nearlyRight, fc.nat(200), fc.uint8Array({ maxLength: 4 })).map(([value, at, bytes]) => {
    const text = Buffer.from(JSON.stringify(value));
    return Buffer.concat([text.subarray(0, at), Buffer.from(bytes), text.subarray(at)]);
  }),
);

function requestOf(method: string, target: string, type: string, bytes: Buffer): Request | null {
  try {
    const hasBody = !['GET', 'HEAD', 'get'].includes(method);
    const init: RequestInit = { method, headers: { 'content-type': type } };
    return new Request(`http://localhost${target}`, hasBody ? { ...init, body: bytes } : init);
  } catch {
    // No client can send this either.
    return null;
  }
}

test(
  'requests of any kind get an answer that is documented',
  async () => {
    const { api, dependencies } = createFixture();
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS), path, contentType, body, async (method, target, type, bytes) => {
        const request = requestOf(method, target, type, bytes);
        if (request === null) return;
        sent += 1;
        const response = await api.request(request);
        expect(ALLOWED).toContain(response.status);
        const text = await response.text();
        if (response.status >= 400 && request.method !== 'HEAD') {
          const { error } = errorAnswer.parse(JSON.parse(text));
          expect(error.code).not.toBe('INTERNAL_ERROR');
        }
        if (response.status === 405) expect(response.headers.get('allow')).not.toBeNull();
      }),
      LIMITS,
    );
    expect(sent).toBeGreaterThan(300);
    // Nothing was kept: the largest body still fits, and the metrics did not grow with what was sent.
    const whole = { text: 'x'.repeat(60_000) };
    const request = requestOf(
      'POST',
      '/api/v1/classify/intent',
      'application/json',
      Buffer.from(JSON.stringify(whole)),
    );
    expect((await api.request(request ?? '')).status).toBe(200);
    const { text } = await dependencies.metrics.expose();
    expect(text).toContain('switchyard_api_lane_waiting 0');
    expect(text.split('\n').filter((line) => line.startsWith('switchyard_api_requests_total{')).length).toBeLessThan(
      200,
    );
  },
  (SECONDS + 20) * 1000,
);

test(
  'every route with a body takes or refuses any JSON',
  async () => {
    const { api } = createFixture();
    const routes = ROUTES.filter((route) => route.body !== null);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), nearlyRight, async (route, value) => {
        const request = requestOf(route.method, route.path, 'application/json', Buffer.from(JSON.stringify(value)));
        const response = await api.request(request ?? '');
        expect(ALLOWED).toContain(response.status);
        const text = await response.text();
        if (response.status === 200) expect(route.answer?.safeParse(JSON.parse(text)).error?.issues).toBeUndefined();
        else if (response.status !== 304) errorAnswer.parse(JSON.parse(text));
      }),
      LIMITS,
    );
  },
  (SECONDS + 20) * 1000,
);

const rawRequest = fc.oneof(
  fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.constantFrom(...METHODS),
      fc.constantFrom(...PATHS, '*', 'http://x/health', '/%', '/..;/'),
      body,
      fc.nat(400),
    )
    .map(([method, target, bytes, length]) =>
      Buffer.concat([
        Buffer.from(
          `${method} ${target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`,
        ),
        bytes,
      ]),
    ),
  fc
    .tuple(fc.constantFrom(...PATHS), fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }))
    .map(([target, name, value]) =>
      Buffer.from(`GET ${target} HTTP/1.1\r\nhost: ${value}\r\n${name}: ${value}\r\n\r\n`, 'latin1'),
    ),
  fc
    .constantFrom(
      'POST /api/v1/classify/intent HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\nzz\r\n',
      'POST /api/v1/classify/intent HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      'GET /health HTTP/9.9\r\n\r\n',
      'GET /health\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    )
    .map((text) => Buffer.from(text)),
);

test(
  'any bytes on the socket leave the server standing',
  async () => {
    const server = await listen(createFixture().api, { host: '127.0.0.1', port: 0 });
    const send = (bytes: Buffer, halfClose: boolean) =>
      new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1');
        socket
          .on('error', () => undefined)
          .on('close', () => resolve())
          .resume();
        socket.write(bytes);
        if (halfClose) socket.end();
        setTimeout(() => socket.destroy(), 5);
      });
    try {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(rawRequest, { minLength: 1, maxLength: 8 }),
          fc.boolean(),
          async (requests, halfClose) => {
            await Promise.all(requests.map((bytes) => send(bytes, halfClose)));
            runs += 1;
            if (runs % 20 === 0) expect((await fetch(`http://127.0.0.1:${server.port}/health`)).status).toBe(200);
          },
        ),
        LIMITS,
      );
      expect((await fetch(`http://127.0.0.1:${server.port}/health`)).status).toBe(200);
    } finally {
      await server.close(100);
    }
  },
  (SECONDS + 20) * 1000,
);
