import { expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { createHandlers } from '../../src/handlers.ts';
import { createLog } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { registryOf } from './decision/fixture.ts';
import { worldOf } from './world.ts';

const world = worldOf(
  registryOf({
    vllm_endpoints: [{ name: 'one', address: '127.0.0.1', port: 8000, models: ['general'] }],
    model_config: { general: {} },
  }),
);

/** Routes one request; `write` gets each log line. */
async function routeOne(write: (line: string) => void) {
  const metrics = createMetrics({ processMetrics: false });
  const { log } = createLog({ level: 'info', destination: { write } });
  const handlers = createHandlers({ world: () => world, metrics, log, clock: () => 0, onUsage: () => undefined });
  const outcome = await handlers.route({
    headers: new Map([
      [':path', '/v1/chat/completions'],
      ['x-request-id', 'r1'],
    ]),
    body: Buffer.from('{"model":"auto","messages":[{"role":"user","content":"math: 2 + 2"}]}'),
    attributes: new Map(),
    metadata: new Map(),
    signal: new AbortController().signal,
  });
  return { outcome, metrics };
}

test('the line of a decision is written after the answer, in the next turn', async () => {
  const lines: string[] = [];
  const { outcome } = await routeOne((line) => lines.push(line));
  expect(outcome.kind).toBe('forward');
  expect(lines).toEqual([]);
  await turn();
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { event: 'routing_decision', request_id: 'r1', selected_model: 'general' },
  ]);
});

test('a log that is broken altogether does not end the router either', async () => {
  const { outcome, metrics } = await routeOne(() => {
    throw new Error('no room');
  });
  await turn();
  expect(outcome.kind).toBe('forward');
  expect((await metrics.expose()).text).toContain('switchyard_failures_total{where="record",policy="none"} 1');
});

test('a telling that breaks is counted, and ends neither the request nor the router', async () => {
  const lines: string[] = [];
  const { outcome, metrics } = await routeOne((line) => {
    if (line.includes('routing_decision')) throw new Error('no room');
    lines.push(line);
  });
  await turn();
  expect(outcome.kind).toBe('forward');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ event: 'record_failed', level: 'error' }]);
  expect(lines.join('')).not.toContain('no room');
  expect((await metrics.expose()).text).toContain('switchyard_failures_total{where="record",policy="none"} 1');
});
