/** A model whose endpoints all fail under load: how much more than the clients' own requests reaches them. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { closedLoad, tally } from './harness-load.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep, until } from './harness-wait.ts';

const NAMES = ['a1', 'a2', 'a3'] as const;
const COUNT = 300;
const config = (budget: string, port: (name: string) => string): string => `
vllm_endpoints:
${NAMES.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: ${port(name)}, models: [model-a] }`).join('\n')}
timeouts: { decision: 5s }
fallback: { max_attempts: 3, ${budget} }
health: { consecutive_errors: 1000, min_requests: 100000, ejection: 1ms, max_ejection: 1ms }
affinity: { enabled: false }
`;
const fromEnv = (name: string): string => `'\${PORT_${name.toUpperCase()}}'`;

describeWithEnvoy('the retry budget', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: config('retry_budget: 0.2, min_retries: 1', fromEnv),
      // Each failure takes a while, as those of an overloaded endpoint do: repeats and requests are under way together.
      sims: NAMES.map((name) => ({
        name,
        models: ['model-a'],
        keep: 10_000,
        behaviour: { status: 503, delayMs: 250 },
      })),
    });
    await stack.chat('model-a');
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));

  const received = (): number => NAMES.reduce((sum, name) => sum + stack.sim(name).requests.length, 0);
  /** What Envoy counts of the pool. */
  const counted = async (name: string): Promise<number> => {
    const stats = await stack.envoy.admin(`/stats?filter=^cluster.pool.${name}$`);
    return Number(/: (\d+)/.exec(stats)?.[1] ?? 0);
  };
  /** Attempts a request and refusals of another one, while 30 requests are always under way. */
  const underLoad = async (): Promise<{ attempts: number; refused: number }> => {
    const refusedBefore = await counted('upstream_rq_retry_overflow');
    const { results } = await closedLoad(() => stack.chat('model-a'), 30, { count: COUNT });
    const typeOf = (json: unknown): string => (json as { error: { type: string } }).error.type;
    expect(tally(results.map(({ status, json }) => `${status} ${typeOf(json)}`))).toEqual({
      '503 SimulatedError': COUNT,
    });
    // A busy machine may keep the router from deciding in time: such a request has one attempt, on another route.
    const undecided = results.filter(({ headers }) => headers['x-switchyard-decision'] === 'fallback').length;
    expect(undecided).toBeLessThan(COUNT / 2);
    const refused = (await counted('upstream_rq_retry_overflow')) - refusedBefore;
    return { attempts: (received() - undecided) / (COUNT - undecided), refused: refused / (COUNT - undecided) };
  };

  test('an outage stays one: repeats are a fifth of what is under way, and every failure is answered as it is', async () => {
    await stack.watched(async () => {
      const { attempts, refused } = await underLoad();
      process.stderr.write(`retry budget of 0.2: ${attempts.toFixed(2)} attempts a request\n`);
      // With a share s of repeats among all that is under way there are 1 / (1 - s) attempts a request: 1.25, and a little at the ends.
      expect(attempts).toBeLessThanOrEqual(1.3);
      expect(attempts).toBeGreaterThan(1.02);
      expect(refused).toBeGreaterThan(0.7);
    })();
  }, 60_000);

  test('it is the budget that does it: without it each request is tried three times', async () => {
    await stack.watched(async () => {
      const port = (name: string): string => String(stack.sim(name).port);
      const before = stack.events('config_reloaded').length;
      writeFileSync(stack.router.configFile, config('retry_budget: 1, min_retries: 10000', port));
      await until(() => stack.events('config_reloaded').length > before, 'the new config');
      // Envoy polls for its clusters.
      await sleep(1500);
      const { attempts, refused } = await underLoad();
      process.stderr.write(`no retry budget: ${attempts.toFixed(2)} attempts a request\n`);
      expect([attempts, refused]).toEqual([3, 0]);
    })();
  }, 60_000);
});
