/**
 * Random connections, message bytes and message orders against a server in its own process, FUZZ_SECONDS long (30). All the while a well-behaved client
 * must be served. FUZZ_SEED runs a failure again.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from '@grpc/grpc-js';
import { BUFFERED, checkHealth, connect, requestBody, requestHeaders, responseHeaders, TestStream } from './client.ts';
import { garbageFrom, generator } from './garbage.ts';
import type { Garbage } from './garbage.ts';
import { until } from './harness.ts';

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 30);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
/** Bodies may take 8 MiB here; the rest is Node itself, its buffers of some hundred connections, and what it does not give back at once. */
const MAX_RSS_MIB = 350;

interface Report {
  readonly port?: number;
  readonly unhandled?: string;
  readonly openStreams?: number;
  readonly deciding?: number;
  readonly bufferedBytes?: number;
  readonly contexts?: number;
  readonly rssMiB?: number;
}

let server: ChildProcess;
let port = 0;
let last: Report = {};
let exited = false;
const unhandled: string[] = [];

beforeAll(async () => {
  server = fork(new URL('./fuzz-server.ts', import.meta.url).pathname, {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  });
  server.on('exit', () => (exited = true));
  server.on('message', (report: Report) => {
    if (report.port !== undefined) port = report.port;
    else if (report.unhandled !== undefined) unhandled.push(report.unhandled);
    else last = report;
  });
  await until('the server listens', () => port !== 0, 15_000);
}, 20_000);
afterAll(() => void server.kill('SIGKILL'));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function report(): Promise<Report> {
  last = {};
  server.send('report');
  await until('a report', () => last.rssMiB !== undefined, 10_000);
  return last;
}

async function rawConnection(garbage: Garbage): Promise<void> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const bytes = garbage.connection();
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + garbage.below(4000);
    socket.write(bytes.subarray(at, next));
    at = next;
    if (garbage.below(3) === 0) await pause(1);
  }
  await pause(garbage.below(20));
  if (garbage.below(2) === 0) socket.destroy();
  else socket.end();
  setTimeout(() => socket.destroy(), 100);
}

async function randomStream(client: Client, garbage: Garbage, raw: boolean): Promise<void> {
  const stream = new TestStream(
    client,
    garbage.pick(['route', 'route', 'retry', 'check', 'observe', undefined, 'x']),
    raw,
  );
  if (garbage.below(10) === 0) stream.call.pause();
  for (let count = garbage.below(12); count >= 0; count--) {
    stream.write(raw ? (garbage.messageBytes() as never) : garbage.message());
    if (garbage.below(4) === 0) await pause(garbage.below(5));
  }
  const how = garbage.below(4);
  if (how === 0) stream.call.cancel();
  else if (how === 1) stream.call.end();
  await Promise.race([stream.ended, pause(garbage.below(150))]);
  stream.call.cancel();
}

/** What every client must be given, whatever the others do. */
async function wellBehaved(): Promise<void> {
  const client = connect(port);
  try {
    expect(await checkHealth(client)).toBe('SERVING');
    const stream = new TestStream(client, 'route').write(requestHeaders({ 'x-sane': '1' }, BUFFERED));
    expect((await stream.next()).response).toBe('request_headers');
    stream.write(requestBody('{"model":"auto"}'));
    expect(String((await stream.next()).request_body.response.body_mutation.body)).toBe('{"model":"m"}');
    stream.write(responseHeaders());
    expect((await stream.next()).response).toBe('response_headers');
    expect(await stream.end()).toBe(0);
  } finally {
    client.close();
  }
}

test(
  `${SECONDS} s of garbage, seed ${SEED}`,
  async () => {
    const ends = Date.now() + SECONDS * 1000;
    const done = { connections: 0, bytes: 0, orders: 0, sane: 0 };
    const running = (): boolean => Date.now() < ends && !exited;
    const connections = async (garbage: Garbage): Promise<void> => {
      while (running()) {
        await rawConnection(garbage);
        done.connections++;
      }
    };
    const streams = async (garbage: Garbage, raw: boolean): Promise<void> => {
      while (running()) {
        // A new connection now and then: resets and bad messages may cost a client its connection.
        const client = connect(port);
        for (let count = 0; count < 50 && running(); count++) {
          await randomStream(client, garbage, raw);
          if (raw) done.bytes++;
          else done.orders++;
        }
        client.close();
      }
    };
    const wellBehavedClients = async (): Promise<void> => {
      while (running()) {
        await wellBehaved();
        done.sane++;
        await pause(200);
      }
    };
    const garbage = (index: number): Garbage => garbageFrom(generator(SEED * 16 + index));
    await Promise.all([
      connections(garbage(0)),
      connections(garbage(1)),
      streams(garbage(2), true),
      streams(garbage(3), true),
      streams(garbage(4), false),
      streams(garbage(5), false),
      streams(garbage(6), false),
      wellBehavedClients(),
    ]);
    expect({ exited, unhandled }).toEqual({ exited: false, unhandled: [] });
    await wellBehaved();
    let state: Report = {};
    for (let tries = 0; tries < 50; tries++) {
      state = await report();
      if (state.openStreams === 0 && state.deciding === 0) break;
      await pause(100);
    }
    // Everything that was begun has been given back.
    expect(state).toMatchObject({ openStreams: 0, deciding: 0, bufferedBytes: 0, contexts: 0 });
    expect(state.rssMiB).toBeLessThan(MAX_RSS_MIB);
    for (const count of Object.values(done)) expect(count).toBeGreaterThan(SECONDS);
    console.info(`fuzz: ${JSON.stringify(done)}, ${Math.round(state.rssMiB ?? 0)} MiB resident`);
  },
  (SECONDS + 60) * 1000,
);
