import { expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { RouteOutcome } from '../../src/extproc/machine.ts';
import { EXT_PROC_SERVICE } from '../../src/extproc/protocol.ts';
import { createExtProcServer } from '../../src/extproc/server.ts';
import { BUFFERED, checkHealth, connect, requestBody, requestHeaders, watchHealth } from './client.ts';
import { forwardTo, gate, start, until } from './harness.ts';

test('health: Check follows setServing, for the server and for the service', async () => {
  const running = await start({});
  try {
    expect(await checkHealth(running.client)).toBe('SERVING');
    expect(await checkHealth(running.client, EXT_PROC_SERVICE)).toBe('SERVING');
    running.server.setServing(false);
    expect(await checkHealth(running.client)).toBe('NOT_SERVING');
    await expect(checkHealth(running.client, 'other')).rejects.toMatchObject({ code: status.NOT_FOUND });
  } finally {
    await running.stop();
  }
});

test('health: not serving until told', async () => {
  const quiet = { debug: () => undefined, warn: () => undefined, error: () => undefined };
  const server = createExtProcServer<string>({
    handlers: { route: async () => forwardTo('m') },
    log: quiet,
    counters: { increment: () => undefined },
    maxBodyBytes: 1024,
  });
  const client = connect(await server.listen('127.0.0.1:0'));
  expect(await checkHealth(client)).toBe('NOT_SERVING');
  client.close();
  await server.close(100);
});

test('health: Watch tells each change and ends with the server', async () => {
  const running = await start({});
  const watch = watchHealth(running.client);
  const other = watchHealth(running.client, 'other');
  await until('the first status', () => watch.statuses.length === 1 && other.statuses.length === 1);
  running.server.setServing(true);
  running.server.setServing(false);
  running.server.setServing(true);
  await until('both changes', () => watch.statuses.length === 3);
  other.cancel();
  await running.server.close(1000);
  expect(await watch.ended).toBe(status.OK);
  expect(watch.statuses).toEqual(['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  expect(other.statuses).toEqual(['SERVICE_UNKNOWN']);
  running.client.close();
});

test('close lets a running request finish and takes no new one', async () => {
  const release = gate<RouteOutcome<string>>();
  const running = await start({ route: () => release.promise });
  const stream = running.open().write(requestHeaders({}, BUFFERED)).write(requestBody('{}'));
  await until('it runs', () => running.server.load().deciding === 1);
  let closed = false;
  const closing = running.server.close(5000).then(() => (closed = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(closed).toBe(false);
  const fresh = connect(running.port);
  await expect(checkHealth(fresh)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  release.open(forwardTo('m'));
  await stream.next();
  expect((await stream.next()).request_body.response.body_mutation).toBeDefined();
  expect(await stream.end()).toBe(status.OK);
  await closing;
  fresh.close();
  running.client.close();
});

test('close cuts what is left after the grace time', async () => {
  const running = await start({ route: () => new Promise(() => undefined) });
  const stream = running.open().write(requestHeaders({}, BUFFERED)).write(requestBody('{}'));
  await until('it runs', () => running.server.load().deciding === 1);
  const from = Date.now();
  await running.server.close(200);
  expect(Date.now() - from).toBeLessThan(2000);
  expect(await stream.ended).not.toBe(status.OK);
  running.client.close();
});

test('a port that is taken is an error that says so', async () => {
  const running = await start({});
  const second = createExtProcServer<string>({
    handlers: { route: async () => forwardTo('m') },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    counters: { increment: () => undefined },
    maxBodyBytes: 1024,
  });
  await expect(second.listen(`127.0.0.1:${running.port}`)).rejects.toMatchObject({ code: 'GRPC_LISTEN_FAILED' });
  await second.close(0);
  await running.stop();
});
