import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { applyHead, parseHead, printHead } from '../../../src/ml/linear-head.ts';
import { parseManifest } from '../../../src/ml/manifest.ts';

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });

test('what is printed is read again, to the last bit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(float),
      (labels, dims, stream) => {
        const take = (count: number) => Float32Array.from({ length: count }, () => (stream.next().value as number) + 0);
        const head = { weights: take(labels * dims), bias: take(labels) };
        const outcome = parseHead(printHead(head), { labels, dims });
        if (outcome.kind === 'invalid') throw new Error(outcome.problem);
        // JSON has no −0, which adds nothing.
        expect(outcome.head.weights.every((value, index) => value === head.weights[index])).toBe(true);
        expect(outcome.head.bias.every((value, index) => value === head.bias[index])).toBe(true);
      },
    ),
  );
});

test('logits are weights times embedding plus bias', () => {
  const head = { weights: Float32Array.of(1, 2, 3, -1, 0, 0.5), bias: Float32Array.of(10, 20) };
  expect([...applyHead(head, [1, 1, 2])]).toEqual([19, 20]);
  expect(() => applyHead(head, [1, 1])).toThrow('the head is not [2, 2]');
});

test.each([
  ['{', 'not JSON'],
  ['null', 'bias: 2 finite numbers are needed'],
  ['{"bias":[1,2]}', 'weights: 2 rows are needed'],
  ['{"bias":[1,2],"weights":[[1,2,3],[1,2]]}', 'weights[1]: 3 finite numbers are needed'],
  ['{"bias":[1,1e300],"weights":[[1,2,3],[1,2,3]]}', 'bias: 2 finite numbers are needed'],
  ['{"bias":[1,2],"weights":[[1,2,"3"],[1,2,3]]}', 'weights[0]: 3 finite numbers are needed'],
])('%s is refused', (text, problem) => {
  expect(parseHead(text, { labels: 2, dims: 3 })).toMatchObject({
    kind: 'invalid',
    problem: expect.stringContaining(problem),
  });
});

test('a manifest may carry a head and thresholds; both are checked', async () => {
  const manifest = JSON.parse(await readFile('models/switchyard-minilm/manifest.json', 'utf8'));
  manifest.files.category_head = { path: 'category_head.json', sha256: 'a'.repeat(64), bytes: 1000 };
  manifest.outputs.category.thresholds = manifest.outputs.category.labels.map(() => 0.5);
  expect(parseManifest(manifest).kind).toBe('valid');
  manifest.outputs.category.thresholds[0] = 1.5;
  manifest.outputs.category.thresholds.pop();
  manifest.files.category_head.path = '../head.json';
  delete manifest.outputs.embedding;
  const outcome = parseManifest(manifest);
  expect(outcome).toMatchObject({
    kind: 'invalid',
    problems: [
      'files.category_head.path: "../head.json"; a relative path inside the model\'s folder is needed',
      'outputs.category.thresholds[0]: 1.5; at most 1',
      'outputs.category.thresholds: 13 for 14 labels',
      'outputs.embedding: missing; files.category_head reads the embedding',
    ],
  });
});
