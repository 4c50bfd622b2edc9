/** Endpoints that die, hang and come back at random, and a router that is killed once, under steady load. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seeded } from '../../bench/prompts.ts';
import { startSim, type Sim } from '../../src/sim/sim.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { steadyLoad, tally } from './harness-load.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep, until } from './harness-wait.ts';

const SECONDS = 60;
const PER_SECOND = 110;
const SEED = 11;

/** Three replicas of the default model, which fail, and one endpoint of another model, which does not. */
const MORTAL = ['a1', 'a2', 'a3'] as const;
const config = `
vllm_endpoints:
${MORTAL.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [model-a] }`).join('\n')}
  - { name: b, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
model_config: { model-a: { fallbacks: [model-b] } }
default_model: model-a
# The endpoints share a process with the load: a stall of theirs must not look like one that hangs.
timeouts: { first_byte: 1500ms, connect: 1s, decision: 5s }
health: { ejection: 500ms, max_ejection: 4s, check_timeout: 1s }
affinity: { enabled: false }
`;

describeWithEnvoy('chaos', () => {
  let stack: Stack;
  const reborn: Sim[] = [];
  beforeAll(async () => {
    stack = await startStack({
      config,
      sims: [
        ...MORTAL.map((name) => ({ name, models: ['model-a'], keep: 1 })),
        { name: 'b', models: ['model-b'], keep: 1 },
      ],
    });
    for (let n = 0; n < 20; n += 1) await stack.chat('auto');
  }, 60_000);
  afterAll(async () => {
    for (const sim of reborn) await sim.close();
    await stack.stop();
  });

  test(`${SECONDS} s at ${PER_SECOND}/s: 99.9 % are answered, nobody by the wrong model`, async () => {
    await stack.watched(async () => {
      const random = seeded(SEED);
      const sims = new Map(MORTAL.map((name) => [name, stack.sim(name)] as const));
      const bodies = (): string[] =>
        [...reborn, ...MORTAL.map((name) => stack.sim(name)), stack.sim('b')].flatMap((sim) =>
          [...sim.counts.keys()].map((model) => `${sim.name.slice(0, 1)}:${model}`),
        );
      const did: string[] = [];
      let isOver = false;

      /** One endpoint at a time is dead or hung for up to two seconds; now and then two are. */
      async function trouble(): Promise<void> {
        while (!isOver) {
          const count = random() < 0.25 ? 2 : 1;
          const shuffled = [...MORTAL].sort(() => random() - 0.5).slice(0, count);
          const kind = random() < 0.5 ? 'killed' : 'hung';
          did.push(`${kind} ${shuffled.join('+')}`);
          for (const name of shuffled) {
            if (kind === 'hung') sims.get(name)!.behave({ delayMs: 20_000 });
            else await sims.get(name)!.close();
          }
          await sleep(500 + random() * 1500);
          for (const name of shuffled) {
            if (kind === 'hung') sims.get(name)!.behave({ delayMs: 0 });
            else {
              const sim = await startSim({ name, models: ['model-a'], keep: 1, port: sims.get(name)!.port });
              reborn.push(sim);
              sims.set(name, sim);
            }
          }
          await sleep(300 + random() * 1000);
          if (!restarted && performance.now() - startedAt > (SECONDS * 1000) / 2) {
            restarted = true;
            did.push('router killed');
            await stack.killRouter();
            await stack.restartRouter();
            // Without the router Envoy knows no other model to turn to: the endpoints' trouble begins again when it is back.
            const isRouted = async () => (await stack.chat('auto')).headers['x-switchyard-attempts'] !== undefined;
            await until(isRouted, 'requests to be routed again');
          }
        }
      }
      let restarted = false;
      const startedAt = performance.now();
      const troubled = trouble();
      const run = await steadyLoad(
        (n) => stack.chat(n % 10 === 0 ? 'model-a' : 'auto', { stream: n % 5 === 0, n }),
        PER_SECOND,
        { stop: () => performance.now() - startedAt > SECONDS * 1000 },
      );
      isOver = true;
      await troubled;

      const ok = run.results.filter(({ status, failure }) => status === 200 && failure === null);
      const outcomes = tally(run.results.map(({ status, failure }) => `${status} ${failure ?? 'whole'}`));
      const late = run.results.map(({ ms }) => ms).sort((x, y) => x - y);
      process.stderr.write(
        `chaos: ${run.results.length} requests in ${run.seconds.toFixed(1)} s, ${did.length} events, ${JSON.stringify(outcomes)}, ` +
          `attempts ${JSON.stringify(tally(ok.map(({ headers }) => headers['x-switchyard-attempts'] ?? 'unrouted')))}, ` +
          `p50 ${late[Math.floor(late.length * 0.5)]?.toFixed(1)} p99 ${late[Math.floor(late.length * 0.99)]?.toFixed(0)} ms\n`,
      );
      expect(run.results.length / run.seconds).toBeGreaterThan(100);
      expect(did).toContain('router killed');
      expect(ok.length / run.results.length).toBeGreaterThanOrEqual(0.999);
      // What each endpoint was sent is for the model that it serves.
      expect([...new Set(bodies())].sort()).toEqual(['a:model-a', 'b:model-b']);
      // And what the client was told is who answered.
      const lies = ok.filter(({ headers, body }) => {
        const told = headers['x-vsr-selected-model'];
        return told !== undefined && !body.includes(`"model":"${told}"`);
      });
      expect(lies).toEqual([]);
      expect(stack.events('endpoint_state').length).toBeGreaterThan(5);
    })();
  }, 180_000);
});
