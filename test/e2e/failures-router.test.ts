/** The router killed and hung under load: every request is answered as `failure_mode` says, and routing comes back by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Exchange } from './harness-client.ts';
import { startStack, type Stack } from './harness.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { closedLoad, steadyLoad, tally, type LoadResult } from './harness-load.ts';
import { sleep } from './harness-wait.ts';

const config = (mode: string): string => `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }
  - { name: eb1, address: 127.0.0.1, port: '\${PORT_B1}', models: [model-b] }
  - { name: eb2, address: localhost, port: '\${PORT_B2}', models: [model-b] }
default_model: model-a
categories:
  - { name: math, model_scores: [{ model: model-b, score: 0.9 }] }
failure_mode: ${mode}
`;
const sims = [
  { name: 'a', models: ['model-a'] },
  { name: 'b1', models: ['model-b'] },
  { name: 'b2', models: ['model-b'] },
];
/** Requests a second. */
const RATE = 80;
/** Aliases and concrete models in turn; the simulated endpoints refuse a body for another model. */
const MODELS = ['auto', 'model-b', 'vllm-sr/auto', 'MoM', 'model-a'];
const isAlias = (n: number): boolean => !MODELS[n % MODELS.length]!.startsWith('model-');

describeWithEnvoy.each(['open', 'closed'])('failure_mode %s', (mode) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config: config(mode), sims });
    // A router that just started is slow: code is compiled, connections are opened.
    await closedLoad(ask, 4, { count: 100 });
  }, 60_000);
  afterAll(() => stack.stop());

  const ask = (n: number): Promise<Exchange> =>
    stack.send({
      body: { model: MODELS[n % MODELS.length], messages: [{ role: 'user', content: `What is ${n} + ${n}?` }] },
    });
  /** Keeps the load up while `events` happen; gives the time of each and all answers. */
  async function under(events: () => Promise<void>): Promise<LoadResult> {
    let over = false;
    const load = steadyLoad(ask, RATE, { stop: () => over });
    await events();
    over = true;
    return load;
  }

  /** What holds for every request, whatever happened to the router. */
  function expectEveryAnswer({ results }: LoadResult): void {
    expect(results.filter(({ failure }) => failure !== null)).toEqual([]);
    const allowed = (n: number): number[] => (isAlias(n) && mode === 'closed' ? [200, 503] : [200]);
    const wrong = results.filter(({ status }, n) => !allowed(n).includes(status));
    expect(tally(wrong.map(({ status, body }) => `${status} ${body}`))).toEqual({});
    results.forEach(({ status, json }, n) => {
      if (status === 503) expect(json.error.code).toMatch(/^router_/);
      else if (!isAlias(n)) expect(json.model).toBe(MODELS[n % MODELS.length]);
    });
    const lost = results.filter(
      ({ headers, status }, n) => isAlias(n) && status === 200 && headers['x-switchyard-decision'] === 'fallback',
    );
    for (const { json } of lost) expect(json.model).toBe('model-a');
    if (mode === 'closed') expect(lost).toEqual([]);
  }
  const wasRouted = ({ headers }: Exchange): boolean =>
    ['auto', 'model_specified'].includes(headers['x-switchyard-decision'] ?? '');
  /** How the answers that the router had no part in came about. */
  const unrouted = (answers: readonly Exchange[]): Record<string, number> =>
    tally(
      answers
        .filter((answer) => !wasRouted(answer))
        .map(({ status, headers }) => `${status} ${headers['x-switchyard-decision'] ?? 'undecided'}`),
    );
  const between = ({ results }: LoadResult, fromMs: number, toMs = Infinity) =>
    results.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs);

  test('killed and started again', async () => {
    await stack.watched(async () => {
      let [killedAt, readyAt] = [0, 0];
      const load = await under(async () => {
        await sleep(1500);
        killedAt = performance.now();
        await stack.killRouter();
        await sleep(1500);
        await stack.restartRouter();
        readyAt = performance.now();
        await sleep(2500);
      });
      expectEveryAnswer(load);
      const before = load.results.filter(({ sentAtMs, ms }) => sentAtMs + ms < killedAt - 10);
      expect(before.length).toBeGreaterThan(50);
      expect(unrouted(before)).toEqual({});
      const dead = between(load, killedAt + 50, killedAt + 1400);
      expect(dead.some(wasRouted)).toBe(false);
      expect(Math.max(...dead.map(({ ms }) => ms))).toBeLessThan(500);
      const back = between(load, readyAt + 1000);
      expect(back.length).toBeGreaterThan(100);
      expect(unrouted(back)).toEqual({});
    })();
  }, 60_000);

  test('hung and let go on', async () => {
    await stack.watched(async () => {
      let [pausedAt, resumedAt] = [0, 0];
      const load = await under(async () => {
        await sleep(1000);
        pausedAt = performance.now();
        stack.pauseRouter();
        await sleep(4000);
        stack.resumeRouter();
        resumedAt = performance.now();
        await sleep(3000);
      });
      expectEveryAnswer(load);
      // Until the health check has found it out, a request waits for it.
      expect(Math.max(...load.results.map(({ ms }) => ms))).toBeLessThan(2700);
      const known = between(load, pausedAt + 2300, resumedAt - 50);
      expect(known.length).toBeGreaterThan(100);
      expect(Math.max(...known.map(({ ms }) => ms))).toBeLessThan(500);
      expect(unrouted(between(load, resumedAt + 2000))).toEqual({});
    })();
  }, 60_000);
});
