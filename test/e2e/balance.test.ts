/** Eight replicas of one model: even load, conversations that stay where they are, a slow one that gets less. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { steadyLoad, tally } from './harness-load.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep } from './harness-wait.ts';

const NAMES = Array.from({ length: 8 }, (_, index) => `r${index}`);
const config = (extra: string): string => `
vllm_endpoints:
${NAMES.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [model-a] }`).join('\n')}
timeouts: { decision: 5s }
${extra}`;
const PER_SECOND = 100;

describeWithEnvoy('eight replicas', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: config(''),
      sims: NAMES.map((name) => ({ name, models: ['model-a'], keep: 2000, behaviour: { delayMs: 40 } })),
    });
    await Promise.all(NAMES.map(() => stack.chat('model-a')));
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));

  const counts = (): number[] => NAMES.map((name) => stack.sim(name).requests.length);
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
  const variation = (numbers: readonly number[]): number => {
    const average = mean(numbers);
    return Math.sqrt(mean(numbers.map((n) => (n - average) ** 2))) / average;
  };
  const ask = (content: string, more: object = {}) =>
    stack.send({ body: { model: 'model-a', messages: [{ role: 'user', content }], ...more } });

  test('equal replicas get equal load', async () => {
    await stack.watched(async () => {
      const run = await steadyLoad((n) => ask(`question ${n}`), PER_SECOND, { count: 1500 });
      expect(tally(run.results.map(({ status }) => status))).toEqual({ '200': 1500 });
      process.stderr.write(`balance: ${counts().join(' ')}, CV ${(variation(counts()) * 100).toFixed(1)} %\n`);
      expect(variation(counts())).toBeLessThan(0.1);
    })();
  }, 60_000);

  test('a slow replica gets less, in proportion', async () => {
    await stack.watched(async () => {
      stack.sim('r0').behave({ delayMs: 400 });
      await steadyLoad((n) => ask(`slow ${n}`), 150, { count: 1200 });
      stack.sim('r0').behave({ delayMs: 40 });
      const [slow = 0, ...others] = counts();
      process.stderr.write(`slow replica: ${slow} of a mean of ${mean(others).toFixed(0)} at the others\n`);
      expect(slow).toBeLessThan(mean(others) * 0.6);
      expect(slow).toBeGreaterThan(0);
    })();
  }, 60_000);

  test('a conversation stays on its replica, under one common system prompt; nobody gets more than 1.25 times the mean', async () => {
    await stack.watched(async () => {
      const TURNS = 4;
      const CONVERSATIONS = 400;
      const messages = (conversation: number, turn: number) => [
        { role: 'system', content: 'You are a helpful assistant of the same long prompt for everybody. '.repeat(20) },
        ...Array.from({ length: turn }, (_, past) => [
          { role: 'user', content: `conversation ${conversation}, turn ${past}` },
          { role: 'assistant', content: `answer ${past}` },
        ]).flat(),
        { role: 'user', content: `conversation ${conversation}, turn ${turn}` },
      ];
      // Conversations overlap: each begins a little after the one before, and its turns follow half a second apart.
      const talks = Array.from({ length: CONVERSATIONS }, async (_, conversation) => {
        await sleep(conversation * 40);
        for (let turn = 0; turn < TURNS; turn += 1) {
          const answer = await stack.send({
            body: { model: 'model-a', messages: messages(conversation, turn) },
            headers: { 'x-request-id': `talk-${conversation}-${turn}` },
          });
          expect(answer.status).toBe(200);
          await sleep(500);
        }
      });
      await Promise.all(talks);
      const home = new Map<string, string>();
      for (const name of NAMES) {
        for (const { headers } of stack.sim(name).requests) home.set(headers['x-request-id'] ?? '', name);
      }
      let stayed = 0;
      for (let conversation = 0; conversation < CONVERSATIONS; conversation += 1) {
        for (let turn = 1; turn < TURNS; turn += 1) {
          if (home.get(`talk-${conversation}-${turn}`) === home.get(`talk-${conversation}-${turn - 1}`)) stayed += 1;
        }
      }
      const share = stayed / (CONVERSATIONS * (TURNS - 1));
      const most = Math.max(...counts()) / mean(counts());
      process.stderr.write(
        `affinity: ${(share * 100).toFixed(1)} % stayed; ${counts().join(' ')}, most ${most.toFixed(2)} times the mean\n`,
      );
      expect(share).toBeGreaterThanOrEqual(0.95);
      expect(most).toBeLessThanOrEqual(1.25);
    })();
  }, 90_000);
});
