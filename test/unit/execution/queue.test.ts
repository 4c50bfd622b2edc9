import { expect, test } from '@jest/globals';
import { createWaiting } from '../../../src/execution/queue.ts';

const NEVER = new AbortController().signal;
const open = (maxLength: number) => {
  const shed: number[] = [];
  const waiting = createWaiting({
    clock: () => performance.now(),
    maxLength: () => maxLength,
    onShed: () => void shed.push(1),
  });
  return { waiting, shed };
};
const soon = (): number => performance.now() + 5000;

test('the more important first, equals in their order', async () => {
  const { waiting } = open(10);
  const order: string[] = [];
  const wait = (name: string, priority: number) =>
    waiting.wait(priority, soon(), NEVER).then((turn) => order.push(`${name} ${turn !== null}`));
  const all = [wait('low', 0), wait('high', 5), wait('low too', 0), wait('high too', 5)];
  for (let n = 0; n < 4; n += 1) waiting.release();
  await Promise.all(all);
  expect(order).toEqual(['high true', 'high too true', 'low true', 'low too true']);
  expect(waiting.length).toBe(0);
});

test('a full queue sheds its least important, or the newcomer', async () => {
  const { waiting, shed } = open(1);
  const low = waiting.wait(0, soon(), NEVER);
  const high = waiting.wait(1, soon(), NEVER);
  expect(await low).toBeNull();
  expect(await waiting.wait(1, soon(), NEVER)).toBeNull();
  waiting.release();
  expect(await high).not.toBeNull();
  expect(shed).toHaveLength(2);
});

test('the deadline, a client that hangs up, and no queue at all', async () => {
  const { waiting } = open(5);
  expect(await waiting.wait(0, performance.now() + 30, NEVER)).toBeNull();
  expect(await waiting.wait(0, performance.now() - 1, NEVER)).toBeNull();
  const abort = new AbortController();
  const gone = waiting.wait(0, soon(), abort.signal);
  abort.abort();
  expect(await gone).toBeNull();
  expect(await waiting.wait(0, soon(), abort.signal)).toBeNull();
  expect(waiting.length).toBe(0);
  expect(await open(0).waiting.wait(9, soon(), NEVER)).toBeNull();
  waiting.release();
});

test('room that the first can not use goes to the next, and the first keeps its place', async () => {
  const { waiting } = open(3);
  const first = waiting.wait(0, soon(), NEVER);
  const second = waiting.wait(0, soon(), NEVER);
  const third = waiting.wait(0, soon(), NEVER);
  waiting.release();
  const again = waiting.wait(0, soon(), NEVER, await first);
  const turn = await second;
  expect(turn).not.toBeNull();
  expect(waiting.length).toBe(2);
  waiting.release();
  expect(await again).not.toBeNull();
  waiting.release();
  expect(await third).not.toBeNull();
});

test('one release lets a few try, the next one goes on with the others', async () => {
  const { waiting } = open(100);
  const tries: number[] = [];
  let stop = false;
  const stubborn = async (name: number): Promise<void> => {
    let turn = await waiting.wait(0, soon(), new AbortController().signal);
    while (turn !== null && !stop) {
      tries.push(name);
      turn = await waiting.wait(0, soon(), new AbortController().signal, turn);
    }
  };
  const all = Array.from({ length: 50 }, (_, name) => stubborn(name));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  waiting.release();
  await settled();
  expect(tries).toEqual(Array.from({ length: 32 }, (_, name) => name));
  waiting.release();
  await settled();
  expect(new Set(tries).size).toBe(50);
  expect(waiting.length).toBe(50);
  stop = true;
  for (let n = 0; n < 50; n += 1) waiting.release();
  await Promise.all(all);
});
