/** Long runs, for the faults that short ones never meet: resets, leaks, circuit breakers. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seeded } from '../../bench/prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { closedLoad, steadyLoad, tally, type LoadResult } from './harness-load.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';

const config = `
vllm_endpoints:
  - { name: small, address: 127.0.0.1, port: '\${PORT_SMALL}', models: [small] }
  - { name: large, address: 127.0.0.1, port: '\${PORT_LARGE}', models: [large] }
default_model: small
# A machine that also runs the endpoints, Envoy and the clients may be late; the soak counts lost requests, not degraded ones.
timeouts: { decision: 10s }
categories:
  - { name: math, model_scores: [{ model: large, score: 1 }] }
  - { name: physics, model_scores: [{ model: large, score: 1 }] }
`;
const COUNT = 10_000;
const PER_SECOND = 100;
const BURST_MS = 60_000;

describeWithEnvoy('a long run', () => {
  let stack: Stack;
  beforeAll(async () => {
    const keep = 1;
    stack = await startStack({
      config,
      sims: [
        { name: 'small', models: ['small'], keep },
        { name: 'large', models: ['large'], keep },
      ],
    });
  }, 60_000);
  afterAll(() => stack.stop());

  const random = seeded(7);
  const prompts = Object.values(CATEGORY_PROMPTS);
  /** Every prompt is different, so that each request goes through the encoder. */
  const ask = (n: number) =>
    stack.send({
      body: {
        model: 'auto',
        stream: n % 5 === 0,
        messages: [{ role: 'user', content: `${prompts[n % prompts.length]} (${Math.floor(random() * 1e9)})` }],
      },
    });

  /** Nothing failed, nothing passed by the router: every answer carries its decision. */
  function expectAllRouted({ results }: LoadResult): void {
    expect(tally(results.map(({ status, failure }) => `${status} ${failure ?? 'whole'}`))).toEqual({
      '200 whole': results.length,
    });
    expect(tally(results.map(({ headers }) => headers['x-switchyard-decision'] ?? 'none'))).toEqual({
      auto: results.length,
    });
  }

  test(`${COUNT} requests at ${PER_SECOND}/s: none fails, none is unrouted`, async () => {
    await stack.watched(async () => {
      const run = await steadyLoad(ask, PER_SECOND, { count: COUNT });
      expectAllRouted(run);
      expect(run.results).toHaveLength(COUNT);
      expect(COUNT / run.seconds).toBeGreaterThan(PER_SECOND * 0.95);
    })();
  }, 300_000);

  test(`a minute as fast as it goes: none fails, none is unrouted, every usage is seen`, async () => {
    await stack.watched(async () => {
      const seen = stack.events('llm_usage').length;
      const endsAt = performance.now() + BURST_MS;
      const run = await closedLoad(ask, 32, { stop: () => performance.now() > endsAt });
      expectAllRouted(run);
      process.stderr.write(
        `soak: ${Math.round(run.results.length / run.seconds)} requests/s, ${run.results.length} in all\n`,
      );
      await until(() => stack.events('llm_usage').length - seen >= run.results.length, 'a usage line for each', 30_000);
    })();
  }, 300_000);
});
