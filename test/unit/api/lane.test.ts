import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLane } from '../../../src/api/lane.ts';
import { createBodyBudget } from '../../../src/api/read-body.ts';

const NEVER = new AbortController().signal;

test('works run at most `width` at a time, first come first served', async () => {
  const lane = createLane({ width: 2, maxWaiting: 10 });
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (name: number) => () => {
    begun.push(name);
    return new Promise<number>((resolve) => ends.push(() => resolve(name)));
  };
  const all = [0, 1, 2, 3].map((name) => lane.run(work(name), NEVER));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([0, 1]);
  expect(lane.waiting()).toBe(2);
  ends[1]?.();
  await all[1];
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await all[2];
  ends[3]?.();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  expect(lane.waiting()).toBe(0);
});

test('past the limit there is no waiting', async () => {
  const lane = createLane({ width: 1, maxWaiting: 1 });
  let release = (): void => undefined;
  const first = lane.run(() => new Promise<void>((resolve) => (release = resolve)), NEVER);
  const second = lane.run(async () => 'second', NEVER);
  expect(await lane.run(async () => 'third', NEVER)).toBeNull();
  release();
  await first;
  expect(await second).toBe('second');
});

test('who hangs up leaves the line, and a work that throws gives its turn back', async () => {
  const lane = createLane({ width: 1, maxWaiting: 5 });
  const gone = new AbortController();
  let release = (): void => undefined;
  const first = lane.run(() => new Promise<void>((resolve) => (release = resolve)), NEVER);
  const waiting = lane.run(async () => 'never', gone.signal);
  gone.abort();
  expect(await waiting).toBeNull();
  expect(lane.waiting()).toBe(0);
  release();
  await first;
  await expect(lane.run(() => Promise.reject(new Error('no')), NEVER)).rejects.toThrow('no');
  expect(await lane.run(async () => 'next', NEVER)).toBe('next');
  expect(await lane.run(async () => 'aborted before', gone.signal)).toBeNull();
});

test('whatever comes, no more than `width` run, none is lost, and the lane ends empty', async () => {
  const job = fc.record({ ms: fc.nat(3), fails: fc.boolean(), abortsAfter: fc.option(fc.nat(3)) });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 20 }), fc.integer({ min: 1, max: 4 }), async (jobs, width) => {
      const lane = createLane({ width, maxWaiting: 8 });
      let running = 0;
      let settled = 0;
      await Promise.allSettled(
        jobs.map(async ({ ms, fails, abortsAfter }) => {
          const controller = new AbortController();
          if (abortsAfter !== null) setTimeout(() => controller.abort(), abortsAfter);
          try {
            await lane.run(async () => {
              running += 1;
              expect(running).toBeLessThanOrEqual(width);
              await new Promise((resolve) => setTimeout(resolve, ms));
              running -= 1;
              if (fails) throw new Error('no');
            }, controller.signal);
          } finally {
            settled += 1;
          }
        }),
      );
      expect([running, settled, lane.waiting()]).toEqual([0, jobs.length, 0]);
    }),
    { numRuns: 50 },
  );
});

test('the body budget is taken and given back', () => {
  const budget = createBodyBudget(10);
  expect(budget.take(6)).toBe(true);
  expect(budget.take(5)).toBe(false);
  expect(budget.take(4)).toBe(true);
  budget.give(6);
  expect(budget.take(5)).toBe(true);
});
