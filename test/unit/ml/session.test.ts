import { afterEach, expect, test } from '@jest/globals';
import { openSession, type Session, type SessionOptions } from '../../../src/ml/session.ts';

const open: Session[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
});

const WIDTHS = { category: 14, difficulty: 4, jailbreak: false, embedding: 384 };

async function session(options: Partial<SessionOptions> = {}): Promise<{ session: Session; warnings: string[] }> {
  const warnings: string[] = [];
  const made = await openSession({
    modelPath: 'models/switchyard-minilm/model_int8.onnx',
    providers: ['cpu'],
    widths: WIDTHS,
    warn: (message) => warnings.push(message),
    ...options,
  });
  open.push(made);
  return { session: made, warnings };
}

const row = (length: number) => [101, ...Array.from({ length: length - 2 }, (_, index) => 2000 + index), 102];

test('gives one row of each output a text', async () => {
  const { session: cpu, warnings } = await session();
  const [first, second, ...rest] = await cpu.run([row(8), row(20)]);
  expect(rest).toEqual([]);
  for (const raw of [first, second]) {
    expect([raw?.category.length, raw?.difficulty?.length, raw?.embedding?.length]).toEqual([14, 4, 384]);
    expect(raw?.jailbreakLogit).toBeNull();
    expect(Math.hypot(...(raw?.embedding ?? []))).toBeCloseTo(1, 4);
  }
  expect(warnings).toEqual([]);
});

test('the same tokens give the same numbers, whatever ran before', async () => {
  const { session: cpu } = await session();
  const before = await cpu.run([row(12)]);
  await cpu.run([row(250)]);
  expect(await cpu.run([row(12)])).toEqual(before);
});

test('outputs that the manifest does not name are not asked for', async () => {
  const { session: cpu } = await session({ widths: { ...WIDTHS, difficulty: null, embedding: null } });
  const [raw] = await cpu.run([row(8)]);
  expect([raw?.difficulty, raw?.embedding]).toEqual([null, null]);
});

test('without CUDA the CPU is taken, and the warning says why', async () => {
  const { session: fallen, warnings } = await session({ providers: ['cuda', 'cpu'] });
  // On a machine with the CUDA libraries the first choice loads, and there is nothing to warn of.
  const fellBack = [expect.stringMatching(/^execution provider cuda cannot be loaded: .+; using cpu$/)];
  expect(warnings).toEqual(fallen.provider === 'cuda' ? [] : fellBack);
  expect(await fallen.run([row(8)])).toHaveLength(1);
});

test.each<readonly [string, Partial<SessionOptions>, RegExp]>([
  ['a file that is no model', { modelPath: 'package.json' }, /execution provider cpu cannot be loaded/],
  [
    'an output that the graph lacks',
    { modelPath: 'test/fixtures/category-only.onnx' },
    /the graph has no output difficulty, embedding/,
  ],
])('%s is refused', async (_, options, message) => {
  await expect(session(options)).rejects.toMatchObject({
    code: 'MODEL_LOAD_FAILED',
    message: expect.stringMatching(message),
  });
});

test('a row of another width than the manifest says fails the pass', async () => {
  const { session: cpu } = await session({ widths: { ...WIDTHS, category: 13 } });
  await expect(cpu.run([row(8)])).rejects.toThrow('output category is not float32 [1, 13]');
});
