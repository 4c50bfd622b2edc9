import { describe, expect, test } from '@jest/globals';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { RouteOutcome } from '../../src/extproc/machine.ts';
import type { ExtProcServerOptions } from '../../src/extproc/server.ts';
import { TestStream } from './client.ts';
import { BUFFERED, checkHealth, requestBody, requestHeaders, responseHeaders, setHeaders } from './client.ts';
import type { Handlers, Running } from './harness.ts';
import { forwardTo, gate, start, until } from './harness.ts';

/** Runs a server for one test and stops it whatever happens. */
async function using(
  handlers: Partial<Handlers>,
  options: Partial<ExtProcServerOptions<string>>,
  run: (running: Running) => Promise<void>,
): Promise<void> {
  const running = await start(handlers, options);
  try {
    await run(running);
  } finally {
    await running.stop();
  }
}

async function post(stream: TestStream, body = 'secret prompt'): Promise<Record<string, never>> {
  stream.write(requestHeaders({}, BUFFERED));
  await stream.next();
  stream.write(requestBody(body));
  return stream.next();
}

const UNDECIDED = { response: 'request_body', request_body: { response: {} } };

describe('a handler that fails', () => {
  const failures: [string, Partial<Handlers>['route']][] = [
    ['rejects', async () => Promise.reject(new Error('secret prompt'))],
    [
      'throws',
      () => {
        throw new TypeError('secret prompt');
      },
    ],
    ['parses what is no JSON', async ({ body }) => JSON.parse(Buffer.from(body).toString()) as RouteOutcome<string>],
  ];

  test.each(failures)('open: %s → the request goes on undecided', async (_name, route) => {
    await using({ route: route! }, {}, async (running) => {
      const stream = running.open();
      expect(await post(stream)).toEqual(UNDECIDED);
      expect(running.counts).toMatchObject({ handler_failed: 1, failed_open: 1 });
      expect(running.logged.join()).toContain('routing failed');
      expect(running.logged.join()).not.toContain('secret');
      stream.write(responseHeaders());
      expect((await stream.next()).response).toBe('response_headers');
      expect(await stream.end()).toBe(status.OK);
    });
  });

  test.each(failures)('closed: %s → 503 in the shape of OpenAI errors', async (_name, route) => {
    await using({ route: route! }, { failureMode: () => 'closed' }, async (running) => {
      const answer = (await post(running.open())) as unknown as {
        immediate_response: { status: object; body: Buffer };
      };
      expect(answer.immediate_response.status).toEqual({ code: 503 });
      expect(JSON.parse(String(answer.immediate_response.body))).toMatchObject({
        error: { code: 'router_unavailable' },
      });
      expect(String(answer.immediate_response.body)).not.toContain('secret');
    });
  });

  test('answers nonsense → the stream fails, others go on', async () => {
    await using({ route: async () => ({ kind: 'nonsense' }) as never }, {}, async (running) => {
      const stream = running.open().write(requestHeaders({}, BUFFERED)).write(requestBody('x'));
      expect(await stream.ended).toBe(status.UNAVAILABLE);
      expect(running.counts).toMatchObject({ stream_failed: 1 });
      expect(await checkHealth(running.client)).toBe('SERVING');
    });
  });

  test('hangs → its failure mode after the timeout; a late outcome is finished', async () => {
    const late = gate<RouteOutcome<string>>();
    await using({ route: () => late.promise }, { handlerTimeoutMs: 50 }, async (running) => {
      const stream = running.open();
      expect(await post(stream)).toEqual(UNDECIDED);
      expect(running.counts).toMatchObject({ handler_timed_out: 1 });
      expect(running.server.load()).toMatchObject({ deciding: 1, bufferedBytes: 0 });
      late.open(forwardTo('m', 'late'));
      await until('the late context', () => running.finished.length === 1);
      expect(running.finished).toEqual(['late cancelled']);
      expect(running.server.load().deciding).toBe(0);
      expect(stream.answers).toHaveLength(2);
    });
  });

  test('the timeout is asked for each request', async () => {
    let timeoutMs = 600_000;
    const hangs = gate<RouteOutcome<string>>();
    const route: Handlers['route'] = () => hangs.promise;
    await using({ route }, { handlerTimeoutMs: () => timeoutMs }, async (running) => {
      running.open().write(requestHeaders({}, BUFFERED)).write(requestBody('x'));
      await until('it runs', () => running.server.load().deciding === 1);
      timeoutMs = 50;
      expect(await post(running.open())).toEqual(UNDECIDED);
      expect(running.counts).toMatchObject({ handler_timed_out: 1 });
      hangs.open(forwardTo('m', 'late'));
    });
  });

  test('hangs and its client goes → nothing is held, nothing is logged', async () => {
    let aborted = false;
    const route: Handlers['route'] = ({ signal }) =>
      new Promise(() => signal.addEventListener('abort', () => (aborted = true)));
    await using({ route }, { handlerTimeoutMs: 100 }, async (running) => {
      const stream = running.open().write(requestHeaders({}, BUFFERED)).write(requestBody('x'));
      await until('it runs', () => running.server.load().deciding === 1);
      stream.call.cancel();
      await until('the abort', () => aborted);
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(running.server.load()).toMatchObject({ openStreams: 0, bufferedBytes: 0 });
      expect(running.counts).not.toHaveProperty('handler_timed_out');
      expect(running.logged.filter((line) => line.startsWith('routing'))).toEqual([]);
    });
  });

  test('at a retry → the attempt fails rather than go to an endpoint of another model', async () => {
    await using({ rewriteFor: async () => Promise.reject(new Error('x')) }, {}, async (running) => {
      const stream = running.open('retry').write(requestHeaders({}, BUFFERED)).write(requestBody('x'));
      expect(await stream.ended).toBe(status.UNAVAILABLE);
    });
  });
});

describe('a hook that throws', () => {
  const boom = (): never => {
    throw new Error('boom');
  };

  test('responseHeaders: the response passes without our headers', async () => {
    await using({ responseHeaders: boom }, {}, async (running) => {
      const stream = running.open().write(responseHeaders());
      expect(await stream.next()).toEqual({ response: 'response_headers', response_headers: { response: {} } });
      expect(running.counts).toMatchObject({ handler_failed: 1 });
    });
  });

  test('finished and observe: nobody notices', async () => {
    await using({ finished: boom, observe: boom, route: async () => forwardTo('m', 'c') }, {}, async (running) => {
      const stream = running.open();
      await post(stream);
      expect(await stream.end()).toBe(status.OK);
      const observing = running.open('observe').write(responseHeaders());
      expect(await observing.end()).toBe(status.OK);
      expect(running.counts).toMatchObject({ handler_failed: 2 });
    });
  });

  test('needsBody: the stream fails', async () => {
    await using({ needsBody: boom }, {}, async (running) => {
      expect(await running.open().write(requestHeaders({}, BUFFERED)).ended).toBe(status.UNAVAILABLE);
      expect(running.server.load().bufferedBytes).toBe(0);
    });
  });
});

describe('limits', () => {
  const small = { maxBodyBytes: 1 << 20 };

  test('a declared body over the limit is refused before it travels', async () => {
    await using({}, small, async (running) => {
      const stream = running.open().write(requestHeaders({ 'content-length': String((1 << 20) + 1) }, BUFFERED));
      expect(await stream.next()).toMatchObject({ immediate_response: { status: { code: 413 } } });
    });
  });

  test('a body over the limit is refused when it comes', async () => {
    await using({}, small, async (running) => {
      const answer = await post(running.open(), 'x'.repeat((1 << 20) + 1));
      expect(answer).toMatchObject({ immediate_response: { status: { code: 413 } } });
      expect(running.server.load().bufferedBytes).toBe(0);
    });
  });

  test('a message that cannot hold such a body ends the stream with an error', async () => {
    await using({}, small, async (running) => {
      const stream = running
        .open()
        .write(requestHeaders({}, BUFFERED))
        .write(requestBody(Buffer.alloc(3 << 20)));
      expect(await stream.ended).toBe(status.RESOURCE_EXHAUSTED);
      expect(running.server.load().bufferedBytes).toBe(0);
    });
  });

  test('headers over 1 MiB', async () => {
    await using({}, {}, async (running) => {
      const stream = running.open().write(requestHeaders({ cookie: 'x'.repeat(1 << 20) }, BUFFERED));
      expect(await stream.next()).toMatchObject({ immediate_response: { status: { code: 431 } } });
    });
  });

  test('more bodies than the budget holds: 503 with retry-after, and room again afterwards', async () => {
    const release = gate<RouteOutcome<string>>();
    await using({ route: () => release.promise }, { ...small, maxBufferedBytes: 2 << 20 }, async (running) => {
      const length = { 'content-length': String(900 << 10) };
      const first = running.open().write(requestHeaders(length, BUFFERED));
      const second = running.open().write(requestHeaders(length, BUFFERED));
      await Promise.all([first.next(), second.next()]);
      const third = running.open().write(requestHeaders(length, BUFFERED));
      const refused = (await third.next()).immediate_response;
      expect(refused.status).toEqual({ code: 503 });
      expect(setHeaders(refused.headers)).toMatchObject({ 'retry-after': '1' });
      expect(running.counts).toMatchObject({ overloaded: 1 });
      // Undeclared bodies are counted as they come.
      const chunked = running.open().write(requestHeaders());
      await chunked.next();
      for (let index = 0; index < 4; index++) chunked.write(requestBody(Buffer.alloc(100 << 10), false));
      await until('the refusal', () => chunked.answers.some(({ response }) => response === 'immediate_response'));
      first.call.cancel();
      second.call.cancel();
      await until('room again', () => running.server.load().bufferedBytes === 0);
      expect((await running.open().write(requestHeaders(length, BUFFERED)).next()).response).toBe('request_headers');
    });
  });

  test('tiny chunks cost more than their bytes', async () => {
    await using({}, { maxBodyBytes: 100_000, maxBufferedBytes: 200_000 }, async (running) => {
      const stream = running.open().write(requestHeaders());
      for (let index = 0; index < 1000; index++) stream.write(requestBody('x', false));
      await until('the refusal', () => stream.answers.some(({ response }) => response === 'immediate_response'));
      expect(stream.answers.at(-1)).toMatchObject({ immediate_response: { status: { code: 503 } } });
      expect(running.server.load().bufferedBytes).toBe(0);
    });
  });

  test('a client that sends but does not read is not read either', async () => {
    await using({}, {}, async (running) => {
      // An answer is 9 bytes and the client's window 64 KiB: some 7,000 answers fit, the rest would pile up in the server.
      const client = new Client(`127.0.0.1:${running.port}`, credentials.createInsecure());
      const stream = new TestStream(client, 'route');
      stream.call.pause();
      const read = (): number => running.counts['message_unexpected'] ?? 0;
      for (let index = 0; index < 20_000; index++) stream.write(requestBody('x'));
      await until('it reads', () => read() > 0);
      let before = -1;
      while (read() !== before) {
        before = read();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      expect(read()).toBeLessThan(15_000);
      stream.call.resume();
      await until('the rest', () => stream.answers.length === 20_000, 15_000);
      client.close();
    });
  });
});
