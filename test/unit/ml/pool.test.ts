import { afterEach, expect, test } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { EncoderPool, type EncoderEvents, type PoolOptions, type PoolOutcome } from '../../../src/ml/pool.ts';

const pools: EncoderPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

interface Started {
  readonly pool: EncoderPool;
  readonly batches: number[];
  readonly depths: number[];
  readonly restarts: string[];
  readonly broken: number[];
}

/** A pool over fake workers, ready to take texts. */
async function start(
  options: Partial<Pick<PoolOptions, 'workers' | 'queueLimit' | 'hangMs'>> & { readonly workerData?: object } = {},
): Promise<Started> {
  const batches: number[] = [];
  const depths: number[] = [];
  const restarts: string[] = [];
  const broken: number[] = [];
  const events: Partial<EncoderEvents> = {
    batchSize: (size) => batches.push(size),
    queueDepth: (depth) => depths.push(depth),
    restarts: (reason) => restarts.push(reason),
  };
  const workers = options.workers ?? 1;
  const pool = await new Promise<EncoderPool>((resolve) => {
    let ready = 0;
    const made: EncoderPool = new EncoderPool({
      spawn: () => new Worker('./test/unit/ml/fake-worker.mjs', { workerData: options.workerData ?? {}, execArgv: [] }),
      workers,
      queueLimit: options.queueLimit ?? 100,
      events,
      clock: () => performance.now(),
      ...(options.hangMs === undefined ? {} : { hangMs: options.hangMs }),
      onReady: () => {
        ready += 1;
        if (ready === workers) resolve(made);
      },
      onBroken: (_, pauseMs) => broken.push(pauseMs),
    });
    pools.push(made);
  });
  return { pool, batches, depths, restarts, broken };
}

/** The fake worker reads the ids as letters. */
const submit = (pool: EncoderPool, text: string) =>
  pool.submit({ ids: Array.from(text, (letter) => letter.charCodeAt(0)), truncated: false });
const kindOf = (outcome: PoolOutcome) => (outcome.kind === 'done' ? 'done' : outcome.reason);
const until = async (condition: () => boolean) => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('the condition never came true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test('answers in the order of the questions on one worker', async () => {
  const { pool } = await start();
  const order: string[] = [];
  const texts = ['a', 'bb', 'ccc', 'dddd'];
  await Promise.all(texts.map((text) => submit(pool, text).outcome.then(() => order.push(text))));
  expect(order).toEqual(texts);
});

test('refuses what comes when the queue is full, and takes texts again afterwards', async () => {
  const { pool, depths } = await start({ queueLimit: 3 });
  // Two go to the worker (one is computed, one lies ready), three wait, the rest is refused.
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => submit(pool, 'wait 20').outcome));
  expect(outcomes.map(kindOf)).toEqual([...Array<string>(5).fill('done'), ...Array<string>(3).fill('queue_full')]);
  expect(Math.max(...depths)).toBe(3);
  expect(kindOf(await submit(pool, 'again').outcome)).toBe('done');
  expect(pool.queueDepth).toBe(0);
});

test('a text that is dropped while it waits is never computed', async () => {
  const { pool, batches } = await start();
  const running = [submit(pool, 'wait 30'), submit(pool, 'wait 1')];
  const waiting = submit(pool, 'late');
  expect(waiting.drop()).toBe(true);
  expect(waiting.drop()).toBe(false);
  expect(kindOf(await waiting.outcome)).toBe('dropped');
  await Promise.all(running.map((ticket) => ticket.outcome));
  expect(batches).toEqual([1, 1]);
});

test('a text that a worker has cannot be dropped, and is answered', async () => {
  const { pool } = await start();
  const ticket = submit(pool, 'wait 20');
  expect(ticket.drop()).toBe(false);
  expect(kindOf(await ticket.outcome)).toBe('done');
});

test('on a CPU every text is a pass of its own', async () => {
  const { pool, batches } = await start();
  await Promise.all(Array.from({ length: 10 }, () => submit(pool, 'wait 1').outcome));
  expect(batches).toEqual(Array(10).fill(1));
});

test('on a GPU waiting texts of about one length are joined', async () => {
  const { pool, batches } = await start({ workerData: { provider: 'cuda' } });
  const short = Array.from({ length: 4 }, () => submit(pool, 'wait 5'));
  const long = submit(pool, 'x'.repeat(200));
  const more = Array.from({ length: 20 }, () => submit(pool, 'wait 1'));
  const outcomes = await Promise.all([...short, long, ...more].map((ticket) => ticket.outcome));
  expect(outcomes.map(kindOf)).toEqual(Array(25).fill('done'));
  // Two go at once; then sixteen short ones together without the long one, which leads its own batch with those left.
  expect(batches).toEqual([1, 1, 16, 7]);
});

test('a worker that dies fails what it had, and is back after a pause', async () => {
  const { pool, restarts, broken } = await start();
  const doomed = [submit(pool, 'crash'), submit(pool, 'wait 1')];
  const outcomes = await Promise.all(doomed.map((ticket) => ticket.outcome));
  expect(outcomes.map(kindOf)).toEqual(['encoder_error', 'encoder_error']);
  expect(restarts).toEqual([expect.stringContaining('the fake worker was told to crash')]);
  expect(pool.readyWorkers).toBe(0);
  expect(kindOf(await submit(pool, 'too soon').outcome)).toBe('encoder_unavailable');
  await until(() => pool.readyWorkers === 1);
  expect(kindOf(await submit(pool, 'hello').outcome)).toBe('done');
  expect(broken).toEqual([100]);
});

test('the pause doubles while a worker keeps dying, and starts anew once it has answered', async () => {
  const { pool, broken } = await start();
  for (let round = 0; round < 3; round += 1) {
    await until(() => pool.readyWorkers === 1);
    await submit(pool, 'crash').outcome;
  }
  await until(() => pool.readyWorkers === 1);
  await submit(pool, 'fine').outcome;
  await submit(pool, 'crash').outcome;
  expect(broken).toEqual([100, 200, 400, 100]);
});

test('what waits goes to the other worker when one dies', async () => {
  const { pool } = await start({ workers: 2 });
  const tickets = ['crash', 'wait 30', 'wait 1', 'wait 1', 'a', 'b'].map((text) => submit(pool, text));
  const outcomes = (await Promise.all(tickets.map((ticket) => ticket.outcome))).map(kindOf);
  expect(outcomes[0]).toBe('encoder_error');
  expect(outcomes.slice(4)).toEqual(['done', 'done']);
  expect(outcomes.filter((kind) => kind === 'encoder_error')).toHaveLength(2);
});

test('a worker that hangs is given up', async () => {
  const { pool, restarts } = await start({ hangMs: 100 });
  expect(kindOf(await submit(pool, 'hang').outcome)).toBe('encoder_error');
  expect(restarts).toEqual(['no answer for 100 ms']);
  await until(() => pool.readyWorkers === 1);
  expect(kindOf(await submit(pool, 'hello').outcome)).toBe('done');
});

test('a pass that fails leaves the worker alive', async () => {
  const { pool, restarts } = await start();
  expect(kindOf(await submit(pool, 'fail').outcome)).toBe('encoder_error');
  expect(kindOf(await submit(pool, 'hello').outcome)).toBe('done');
  expect(restarts).toEqual([]);
});

test('closing answers everything that waits, and takes nothing more', async () => {
  const { pool } = await start();
  const tickets = Array.from({ length: 5 }, () => submit(pool, 'wait 10'));
  await pool.close();
  const outcomes = (await Promise.all(tickets.map((ticket) => ticket.outcome))).map(kindOf);
  expect(outcomes.slice(2)).toEqual(Array(3).fill('encoder_unavailable'));
  expect(kindOf(await submit(pool, 'late').outcome)).toBe('encoder_unavailable');
});
