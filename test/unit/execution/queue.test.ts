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
    waiting.wait(priority, soon(), NEVER).then((isRoom) => order.push(`${name} ${isRoom}`));
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
  expect(await low).toBe(false);
  expect(await waiting.wait(1, soon(), NEVER)).toBe(false);
  waiting.release();
  expect(await high).toBe(true);
  expect(shed).toHaveLength(2);
});

test('the deadline, a client that hangs up, and no queue at all', async () => {
  const { waiting } = open(5);
  expect(await waiting.wait(0, performance.now() + 30, NEVER)).toBe(false);
  expect(await waiting.wait(0, performance.now() - 1, NEVER)).toBe(false);
  const abort = new AbortController();
  const gone = waiting.wait(0, soon(), abort.signal);
  abort.abort();
  expect(await gone).toBe(false);
  expect(await waiting.wait(0, soon(), abort.signal)).toBe(false);
  expect(waiting.length).toBe(0);
  expect(await open(0).waiting.wait(9, soon(), NEVER)).toBe(false);
  waiting.release();
});
