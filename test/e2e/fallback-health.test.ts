/** Endpoints that are left alone while they fail, limits, the queue, priorities, and a config that changes under load. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { steadyLoad, tally } from './harness-load.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep, until } from './harness-wait.ts';

interface Info {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly out_for_ms: number;
  readonly in_flight: number;
}

async function infoOf(stack: Stack, name: string): Promise<Info> {
  const answer = await fetch(`${stack.apiUrl}/info/endpoints`);
  const { endpoints } = (await answer.json()) as { endpoints: Info[] };
  return endpoints.find((one) => one.name === name)!;
}

describeWithEnvoy('health', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: a1, address: 127.0.0.1, port: '\${PORT_A1}', models: [model-a] }
  - { name: a2, address: 127.0.0.1, port: '\${PORT_A2}', models: [model-a], health_check_path: /health }
  - { name: b, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
model_config: { model-a: { fallbacks: [model-b] } }
default_model: model-a
timeouts: { first_byte: 400ms, decision: 5s }
health: { ejection: 2s, check_interval: 200ms, check_timeout: 300ms }
affinity: { enabled: false }
`,
      sims: [
        { name: 'a1', models: ['model-a'] },
        { name: 'a2', models: ['model-a'] },
        { name: 'b', models: ['model-b'] },
      ],
    });
    await stack.chat('auto');
  }, 60_000);
  afterAll(() => stack.stop());
  afterEach(async () => {
    for (const name of ['a1', 'a2', 'b']) stack.sim(name).behave({ status: 200, delayMs: 0, retryAfterS: null });
    for (const name of ['a1', 'a2', 'b']) {
      await until(async () => (await infoOf(stack, name)).state === 'up', `${name} to be up`);
      stack.sim(name).forget();
    }
  });

  test('three failures in a row: left alone, tried again after a while, and back', async () => {
    await stack.watched(async () => {
      stack.sim('a1').behave({ status: 500 });
      await until(async () => {
        expect((await stack.chat('auto')).status).toBe(200);
        return (await infoOf(stack, 'a1')).state === 'out';
      }, 'a1 to be out');
      expect(await infoOf(stack, 'a1')).toMatchObject({ reason: '5xx' });
      const failed = stack.sim('a1').requests.length;
      expect(failed).toBeGreaterThanOrEqual(3);
      expect(failed).toBeLessThanOrEqual(5);
      for (let n = 0; n < 10; n += 1) await stack.chat('auto');
      expect(stack.sim('a1').requests.length).toBe(failed);
      expect(stack.events('endpoint_state').at(-1)).toMatchObject({ endpoint: 'a1', state: 'out', reason: '5xx' });
      stack.sim('a1').behave({ status: 200 });
      await until(async () => (await infoOf(stack, 'a1')).state === 'up', 'a1 to be back');
      await until(async () => {
        await stack.chat('auto');
        return stack.sim('a1').requests.length > failed;
      }, 'a1 to get requests');
      const metrics = await (await fetch(`${stack.apiUrl}/metrics`)).text();
      expect(metrics).toMatch(/switchyard_endpoint_changes_total\{endpoint="a1",state="out",reason="5xx"\} \d/);
      expect(metrics).toMatch(/switchyard_attempts_total\{model="model-a",outcome="5xx"\} \d/);
      expect(metrics).toMatch(/switchyard_endpoint_up\{endpoint="a1",address="[^"]+"\} 1/);
      expect(metrics).toMatch(/switchyard_endpoint_in_flight\{endpoint="a1",address="[^"]+"\} \d/);
    })();
  });

  test('one that hangs costs a few requests the time to the first byte, and the others nothing', async () => {
    await stack.watched(async () => {
      stack.sim('a1').behave({ delayMs: 5000 });
      const run = await steadyLoad(() => stack.chat('auto'), 40, { count: 120 });
      expect(tally(run.results.map(({ status }) => status))).toEqual({ '200': 120 });
      const late = run.results.filter(({ ms }) => ms > 350);
      expect(late.length).toBeGreaterThanOrEqual(3);
      expect(late.length).toBeLessThan(25);
    })();
  });

  test('Retry-After is honoured', async () => {
    await stack.watched(async () => {
      stack.sim('a1').behave({ status: 429, retryAfterS: 2 });
      await until(async () => {
        expect((await stack.chat('auto')).status).toBe(200);
        return (await infoOf(stack, 'a1')).state === 'out';
      }, 'a1 to be out');
      stack.sim('a1').behave({ status: 200, retryAfterS: null });
      const info = await infoOf(stack, 'a1');
      expect(info.reason).toBe('retry_after');
      expect(info.out_for_ms).toBeGreaterThan(1500);
      expect(stack.sim('a1').requests.length).toBe(1);
      for (let n = 0; n < 10; n += 1) await stack.chat('auto');
      expect(stack.sim('a1').requests.length).toBe(1);
    })();
  });

  test('a bad health check takes an endpoint out before any request fails', async () => {
    await stack.watched(async () => {
      stack.sim('a2').behave({ status: 503 });
      await until(async () => (await infoOf(stack, 'a2')).state === 'out', 'a2 to be out');
      expect(await infoOf(stack, 'a2')).toMatchObject({ reason: 'health_check' });
      for (let n = 0; n < 10; n += 1) expect((await stack.chat('auto')).headers['x-switchyard-attempts']).toBe('1');
      expect(stack.sim('a2').requests.length).toBe(0);
    })();
  });

  test('with all replicas of the model out, the next model is chosen at once; with all endpoints out, they are tried anyway', async () => {
    await stack.watched(async () => {
      for (const name of ['a1', 'a2']) stack.sim(name).behave({ status: 500 });
      const isOut = async (name: string) => (await infoOf(stack, name)).state !== 'up';
      await until(async () => {
        await stack.chat('auto');
        return (await isOut('a1')) && (await isOut('a2'));
      }, 'both to be out');
      const answer = await stack.chat('auto');
      expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'model-b']);
      // A model that was asked for by name has nobody else: its endpoints' own error is the answer.
      const named = await stack.chat('model-a');
      expect([named.status, (named.json as { error: { type: string } }).error.type]).toEqual([500, 'SimulatedError']);
    })();
  });
});

describeWithEnvoy('limits', () => {
  let stack: Stack;
  const NAMES = ['a', 'b'] as const;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
  - { name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }
  - { name: eb, address: 127.0.0.1, port: '\${PORT_B}', models: [model-b] }
model_config: { model-a: { fallbacks: [model-b] } }
default_model: model-a
timeouts: { decision: 5s }
affinity: { enabled: false }
tenants: { from_header: x-tenant, list: [{ name: gold }, { name: basic }] }
overload: { max_in_flight_per_endpoint: 2, queue: 2, queue_timeout: 600ms, priorities: { gold: 10, basic: 1 } }
`,
      sims: NAMES.map((name) => ({ name, models: [`model-${name}`] })),
    });
    await stack.chat('auto');
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));

  const slow = (ms: number) => ({ 'x-sim-delay-ms': String(ms) });
  const atOnce = async (count: number, model: string, headers: Record<string, string>) =>
    Promise.all(Array.from({ length: count }, () => stack.chat(model, {}, headers)));

  test('an alias spills over to the next admissible model', async () => {
    await stack.watched(async () => {
      const answers = await atOnce(4, 'auto', slow(300));
      expect(tally(answers.map(({ headers }) => headers['x-vsr-selected-model'] ?? ''))).toEqual({ 'model-a': 2, 'model-b': 2 }); // prettier-ignore
      expect(answers.every(({ ms }) => ms < 580)).toBe(true);
    })();
  });

  test('a named model waits for room, then gets 429 with Retry-After; nobody exceeds the limit', async () => {
    await stack.watched(async () => {
      const answers = await atOnce(4, 'model-a', slow(350));
      expect(tally(answers.map(({ status }) => status))).toEqual({ '200': 4 });
      expect(answers.filter(({ ms }) => ms > 650)).toHaveLength(2);
      const more = await atOnce(7, 'model-a', slow(2000));
      expect(tally(more.map(({ status }) => status))).toEqual({ '200': 2, '429': 5 });
      const turned = more.filter(({ status }) => status === 429);
      expect(turned[0]!.headers['retry-after']).toBe('1');
      expect(turned[0]!.json).toMatchObject({ error: { code: 'router_overloaded', type: 'rate_limit_error' } });
      await until(async () => (await infoOf(stack, 'ea')).in_flight === 0, 'all to be over');
    })();
  });

  test('the more important tenant takes the place of a less important one in the queue', async () => {
    await stack.watched(async () => {
      const ask = (tenant: string) => stack.chat('model-a', {}, { ...slow(450), 'x-tenant': tenant });
      const running = [ask('basic'), ask('basic')];
      await sleep(60);
      const waiting = [ask('basic'), ask('basic')];
      await sleep(60);
      const gold = [ask('gold'), ask('gold')];
      const statuses = async (asked: readonly Promise<{ status: number }>[]) =>
        (await Promise.all(asked)).map(({ status }) => status);
      expect(await statuses(running)).toEqual([200, 200]);
      expect(await statuses(gold)).toEqual([200, 200]);
      expect(await statuses(waiting)).toEqual([429, 429]);
    })();
  });

  test('a client that hangs up leaves its place', async () => {
    await stack.watched(async () => {
      const abort = new AbortController();
      const body = { model: 'model-a', messages: [{ role: 'user', content: 'x' }] };
      const gone = [1, 2].map(() => stack.send({ body, headers: slow(5000), signal: abort.signal }));
      await until(async () => (await infoOf(stack, 'ea')).in_flight === 2, 'both to be under way');
      abort.abort();
      await Promise.all(gone);
      await until(async () => (await infoOf(stack, 'ea')).in_flight === 0, 'both to be gone');
      expect((await stack.chat('model-a')).status).toBe(200);
    })();
  });
});

describeWithEnvoy('a long wait for room', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints: [{ name: ea, address: 127.0.0.1, port: '\${PORT_A}', models: [model-a] }]
default_model: model-a
timeouts: { decision: 200ms }
overload: { max_in_flight_per_model: 1, queue: 4, queue_timeout: 3s }
`,
      sims: [{ name: 'a', models: ['model-a'] }],
    });
    await stack.chat('model-a');
  }, 60_000);
  afterAll(() => stack.stop());

  test('ends in an answer or in 429, and never in the failure mode', async () => {
    await stack.watched(async () => {
      // The second has room after 2.5 s, longer than any request without limits may take; the third finds none in time.
      const ask = () => stack.chat('model-a', {}, { 'x-sim-delay-ms': '2500' });
      const answers = await Promise.all([ask(), ask(), ask()]);
      expect(tally(answers.map(({ status }) => status))).toEqual({ '200': 2, '429': 1 });
      expect(answers.find(({ status }) => status === 429)?.json).toMatchObject({
        error: { code: 'router_overloaded' },
      });
    })();
  }, 30_000);
});

describeWithEnvoy('a config that changes', () => {
  test('endpoints are added, drained and removed under load without a failed request', async () => {
    const endpoint = (name: string, more = ''): string =>
      `  - { name: ${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [model-a]${more} }\n`;
    const config = (endpoints: string): string => `vllm_endpoints:\n${endpoints}timeouts: { decision: 5s }\n`;
    const stack = await startStack({
      config: config(endpoint('a') + endpoint('b')),
      sims: ['a', 'b', 'c'].map((name) => ({ name, models: ['model-a'], keep: 5000, behaviour: { delayMs: 30 } })),
    });
    let isOver = false;
    try {
      await stack.watched(async () => {
        const load = steadyLoad((n) => stack.chat('auto', { stream: n % 4 === 0, n }), 100, { stop: () => isOver });
        const change = async (endpoints: string): Promise<void> => {
          const before = stack.events('config_reloaded').length;
          writeFileSync(stack.router.configFile, config(endpoints));
          await until(() => stack.events('config_reloaded').length > before, 'the new config');
          await sleep(1500);
        };
        const since = async (name: string): Promise<number> => {
          const before = stack.sim(name).requests.length;
          await sleep(1000);
          return stack.sim(name).requests.length - before;
        };
        await sleep(1000);
        await change(endpoint('a') + endpoint('b') + endpoint('c'));
        expect(await since('c')).toBeGreaterThan(10);
        await change(endpoint('a') + endpoint('b', ', weight: 0') + endpoint('c'));
        expect(await since('b')).toBe(0);
        expect(await infoOf(stack, 'b')).toMatchObject({ state: 'drained' });
        await change(endpoint('c'));
        expect(await since('a')).toBe(0);
        isOver = true;
        const { results } = await load;
        expect(tally(results.map(({ status, failure }) => `${status} ${failure ?? 'whole'}`))).toEqual({
          '200 whole': results.length,
        });
        expect(tally(results.map(({ headers }) => headers['x-switchyard-attempts'] ?? 'unrouted'))).toEqual({
          '1': results.length,
        });
        expect(readFileSync(stack.router.configFile, 'utf8')).toContain('name: c');
      })();
    } finally {
      isOver = true;
      await stack.stop();
    }
  }, 60_000);
});
