import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Observation, RouteOutcome } from '../../src/extproc/machine.ts';
import type { RewriteRequest, RouteRequest } from '../../src/extproc/server.ts';
import {
  attributes,
  BUFFERED,
  requestBody,
  requestHeaders,
  responseHeaders,
  setHeaders,
  TestStream,
} from './client.ts';
import type { Running } from './harness.ts';
import { forwardTo, gate, start, until } from './harness.ts';

let running: Running;
let seen: RouteRequest[];
/** What the route handler does; each test may set it. */
let route: (request: RouteRequest) => Promise<RouteOutcome<string>>;
let rewrites: RewriteRequest[];
let observed: Observation[];

beforeEach(async () => {
  seen = [];
  rewrites = [];
  observed = [];
  route = async () => forwardTo('m', 'c');
  running = await start({
    route: (request) => {
      seen.push(request);
      return route(request);
    },
    rewriteFor: async (request) => {
      rewrites.push(request);
      return forwardTo(`model-of-${request.address}`);
    },
    responseHeaders: (context, response) => [
      {
        name: 'x-vsr-selected-model',
        value: `${context ?? 'nobody'} at ${response.attributes.get('upstream.address') ?? ''}`,
      },
    ],
    responseInstead: (context, response) => {
      if (response.headers.get(':status') === '599') throw new Error('told to');
      return response.headers.get(':status') === '503'
        ? { kind: 'reply', status: 429, headers: [{ name: 'retry-after', value: '7' }], body: `of ${context}` }
        : null;
    },
    observe: () => (observation) => void observed.push(observation),
  });
});
afterEach(() => running.stop());

const BODY = '{"model":"auto","messages":[]}';

/** A request up to the answer to its body. */
async function routed(stream: TestStream, body: string | Uint8Array = BODY): Promise<Record<string, never>> {
  stream.write(requestHeaders({}, BUFFERED));
  await stream.next();
  stream.write(requestBody(body));
  return stream.next();
}

describe('a routed request', () => {
  test('POST: headers, body, response headers, end', async () => {
    const stream = running.open();
    stream.write(requestHeaders({ 'x-request-id': 'r1' }, BUFFERED));
    expect(await stream.next()).toEqual({
      response: 'request_headers',
      request_headers: { response: {} },
      mode_override: { response_header_mode: 'SEND', request_body_mode: 'BUFFERED', response_body_mode: 'NONE' },
    });
    stream.write(requestBody(BODY));
    const answer = await stream.next();
    const { response } = answer.request_body;
    expect(setHeaders(response.header_mutation)).toEqual({ 'x-selected-model': 'm', 'content-length': '13' });
    expect(String(response.body_mutation.body)).toBe('{"model":"m"}');
    expect(response.clear_route_cache).toBe(true);
    expect(
      answer.dynamic_metadata.fields['envoy.lb'].structValue.fields['x-gateway-destination-endpoint'].stringValue,
    ).toBe('10.0.0.1:8000,10.0.0.2:8000');
    stream.write(responseHeaders({}, attributes({ 'upstream.address': '10.0.0.2:8000' })));
    const last = await stream.next();
    expect(setHeaders(last.response_headers.response.header_mutation)).toEqual({
      'x-vsr-selected-model': 'c at 10.0.0.2:8000',
    });
    expect(await stream.end()).toBe(status.OK);
    expect(seen.map(({ headers, body }) => [headers.get('x-request-id'), Buffer.from(body).toString()])).toEqual([
      ['r1', BODY],
    ]);
    expect(running.finished).toEqual(['c completed']);
  });

  test('an answer in place of the response; a hook that throws changes nothing', async () => {
    const stream = running.open();
    await routed(stream);
    stream.write(responseHeaders({ ':status': '503' }));
    const reply = (await stream.next()).immediate_response;
    expect([reply.status.code, String(reply.body)]).toEqual([429, 'of c']);
    expect(setHeaders(reply.headers)).toEqual({ 'retry-after': '7' });
    expect(await stream.end()).toBe(status.OK);
    expect(running.finished).toEqual(['c completed']);

    const broken = running.open();
    await routed(broken);
    broken.write(responseHeaders({ ':status': '599' }));
    expect(setHeaders((await broken.next()).response_headers.response.header_mutation)).toHaveProperty(
      'x-vsr-selected-model',
    );
    expect(await broken.end()).toBe(status.OK);
    expect(running.counts).toMatchObject({ reply_sent: 1, handler_failed: 1 });
  });

  test('the body that the handler leaves alone is not sent back', async () => {
    route = async () => forwardTo('m', undefined, null);
    const answer = await routed(running.open());
    expect(answer).toMatchObject({ request_body: { response: { clear_route_cache: true } } });
    expect(answer).not.toHaveProperty('request_body.response.body_mutation');
  });

  test('32 MiB', async () => {
    const body = Buffer.alloc(32 << 20, 'x');
    route = async (request) => ({ ...forwardTo('m'), mutations: { ...PLAIN, body: request.body } });
    const answer = (await routed(running.open(), body)) as never as {
      request_body: { response: { body_mutation: { body: Buffer } } };
    };
    expect(Buffer.compare(answer.request_body.response.body_mutation.body, body)).toBe(0);
    expect(running.server.load()).toMatchObject({ bufferedBytes: 0, deciding: 0 });
  });

  test('an immediate response', async () => {
    route = async () => ({
      kind: 'reply',
      status: 404,
      headers: [{ name: 'content-type', value: 'application/json' }],
      body: '{"error":{}}',
      context: 'c',
    });
    const stream = running.open();
    const answer = await routed(stream);
    expect(answer).toMatchObject({ immediate_response: { status: { code: 404 }, body: Buffer.from('{"error":{}}') } });
    expect(setHeaders((answer as { immediate_response?: { headers?: unknown } }).immediate_response?.headers)).toEqual({
      'content-type': 'application/json',
    });
    expect(running.finished).toEqual(['c replied']);
    expect(await stream.end()).toBe(status.OK);
  });

  test('no role in the metadata is a route filter', async () => {
    expect(await routed(new TestStream(running.client))).toHaveProperty('request_body');
  });

  test('an unknown role is refused', async () => {
    const stream = running.open('sideways').write(requestHeaders());
    expect(await stream.ended).toBe(status.INVALID_ARGUMENT);
    expect(stream.answers).toEqual([]);
  });
});

const PLAIN = { body: null, setHeaders: [], removeHeaders: [], metadata: {} };

describe('requests without a body', () => {
  test('GET passes and asks for nothing more', async () => {
    const stream = running.open().write(requestHeaders({ ':method': 'GET' }, BUFFERED, true));
    expect(await stream.next()).toMatchObject({
      request_headers: { response: {} },
      mode_override: { response_header_mode: 'SKIP' },
    });
    expect(seen).toEqual([]);
    expect(await stream.end()).toBe(status.OK);
  });

  test('POST that ends with its headers is routed with an empty body', async () => {
    const stream = running.open().write(requestHeaders({}, BUFFERED, true));
    expect(await stream.next()).toMatchObject({ request_headers: { response: { status: 'CONTINUE_AND_REPLACE' } } });
    expect(seen.map(({ body }) => body.byteLength)).toEqual([0]);
  });
});

describe('chunks and orders', () => {
  test('a body in pieces reaches the handler whole', async () => {
    const stream = running.open().write(requestHeaders());
    const parts = [BODY.slice(0, 1), BODY.slice(1, 20), '', BODY.slice(20)];
    parts.forEach((part, index) => stream.write(requestBody(part, index === parts.length - 1)));
    await stream.next();
    for (let index = 0; index < 3; index++) {
      expect((await stream.next()).request_body.response.body_mutation.clear_body).toBe(true);
    }
    expect(String((await stream.next()).request_body.response.body_mutation.body)).toBe('{"model":"m"}');
    expect(seen.map(({ body }) => Buffer.from(body).toString())).toEqual([BODY]);
  });

  test('everything at once, without waiting for an answer', async () => {
    const stream = running.open();
    stream.write(requestHeaders()).write(requestBody(BODY)).write({ request_trailers: {} }).write(responseHeaders());
    await until('four answers', () => stream.answers.length === 4);
    const kinds = stream.answers.map(({ response }) => response as string);
    expect(kinds.filter((kind) => kind.startsWith('request'))).toEqual([
      'request_headers',
      'request_body',
      'request_trailers',
    ]);
    expect(await stream.end()).toBe(status.OK);
  });

  test('messages out of place get an empty answer of their kind', async () => {
    const stream = running.open();
    stream.write({ response_trailers: {} }).write(requestBody('x')).write({ request_trailers: {} });
    expect((await stream.next()).response).toBe('response_trailers');
    expect(await stream.next()).toEqual({ response: 'request_body', request_body: { response: {} } });
    expect((await stream.next()).response).toBe('request_trailers');
    expect(running.counts).toMatchObject({ message_unexpected: 1 });
    expect(seen).toEqual([]);
    expect(await routed(stream)).toHaveProperty('request_body');
  });

  test('an empty message is no message that we know', async () => {
    expect(await running.open().write({}).ended).toBe(status.UNIMPLEMENTED);
  });

  test('a half-close without a message', async () => {
    expect(await running.open().end()).toBe(status.OK);
  });
});

describe('going away', () => {
  test('a reset aborts the running handler', async () => {
    const release = gate<RouteOutcome<string>>();
    route = () => release.promise;
    const stream = running.open().write(requestHeaders()).write(requestBody(BODY));
    await until('the handler runs', () => seen.length === 1);
    stream.call.cancel();
    await until('the signal', () => seen[0]!.signal.aborted);
    release.open(forwardTo('m', 'late'));
    await until('the late context', () => running.finished.length === 1);
    expect(running.finished).toEqual(['late cancelled']);
    await until(
      'nothing is held',
      () => running.server.load().deciding === 0 && running.server.load().openStreams === 0,
    );
    expect(running.server.load().bufferedBytes).toBe(0);
    expect(running.counts).not.toHaveProperty('handler_failed');
  });

  test('a half-close aborts it too: Envoy closes so when its client has hung up', async () => {
    route = ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const stream = running.open().write(requestHeaders()).write(requestBody(BODY));
    await until('the handler runs', () => seen.length === 1);
    expect(await stream.end()).toBe(status.CANCELLED);
    expect(seen[0]!.signal.aborted).toBe(true);
    expect(running.counts).not.toHaveProperty('handler_failed');
    expect(running.counts).toMatchObject({ stream_cancelled: 1 });
  });

  test('a reset after the response completes the context', async () => {
    const stream = running.open();
    await routed(stream);
    stream.write(responseHeaders());
    await stream.next();
    stream.call.cancel();
    await until('finished', () => running.finished.length === 1);
    expect(running.finished).toEqual(['c completed']);
  });
});

describe('the retry filter', () => {
  test('gets address, attempt, metadata and body, and writes the body', async () => {
    const stream = running.open('retry').write(
      requestHeaders(
        { 'x-envoy-attempt-count': '2' },
        {
          ...BUFFERED,
          ...attributes({ 'upstream.address': '10.0.0.2:8000' }),
          metadata_context: { filter_metadata: { switchyard: { fields: { plan: { stringValue: 'p' } } } } },
        },
      ),
    );
    await stream.next();
    stream.write(requestBody(BODY));
    const { response } = (await stream.next()).request_body;
    expect(String(response.body_mutation.body)).toBe('{"model":"model-of-10.0.0.2:8000"}');
    expect(rewrites).toHaveLength(1);
    expect(rewrites[0]).toMatchObject({ address: '10.0.0.2:8000', attempt: 2 });
    expect(rewrites[0]!.metadata.get('switchyard')).toEqual({ plan: 'p' });
    expect(Buffer.from(rewrites[0]!.body).toString()).toBe(BODY);
  });
});

describe('the observing filter', () => {
  const chunk = (text: string, end = false): Record<string, unknown> => ({
    response_body: { body: Buffer.from(text), end_of_stream: end },
    observability_mode: true,
  });

  test.each([['its role'], ['observability mode alone']])(
    'is told everything and answered nothing, by %s',
    async (by) => {
      const stream = by === 'its role' ? running.open('observe') : new TestStream(running.client);
      stream.write(requestHeaders({ 'x-request-id': 'r' }, { observability_mode: true }));
      stream.write(responseHeaders()).write(chunk('da')).write(chunk('ta')).write(chunk('', true));
      await until('the end', () => observed.at(-1)?.kind === 'end');
      expect(observed.map(({ kind }) => kind)).toEqual([
        'request',
        'response',
        'first_byte',
        'chunk',
        'chunk',
        'chunk',
        'end',
      ]);
      expect(observed.at(-1)).toEqual({ kind: 'end', how: 'complete' });
      expect(await stream.end()).toBe(status.OK);
      expect(stream.answers).toEqual([]);
    },
  );

  test('a response that is cut', async () => {
    const stream = running.open('observe').write(responseHeaders()).write(chunk('da'));
    await until('a chunk', () => observed.length === 3);
    stream.call.cancel();
    await until('the end', () => observed.at(-1)?.kind === 'end');
    expect(observed.at(-1)).toEqual({ kind: 'end', how: 'cut' });
  });
});
