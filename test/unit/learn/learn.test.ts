import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseCategories } from '../../../src/learn/categories.ts';
import { embedAll } from '../../../src/learn/embed.ts';
import { learn, type Learnt, type LearnInput } from '../../../src/learn/learn.ts';
import { occupant, writeModelFolder } from '../../../src/learn/model-folder.ts';
import { reportJson, reportText } from '../../../src/learn/report.ts';
import { parseRows } from '../../../src/learn/rows.ts';
import { viewCategory } from '../../../src/decision/category.ts';
import { createEncoder, type RunningEncoder } from '../../../src/ml/encoder.ts';
import { argmax } from '../../../src/ml/heads.ts';
import { applyHead } from '../../../src/ml/linear-head.ts';

const BASE = 'models/switchyard-minilm';
const DATA = 'test/fixtures/intents.jsonl';
/**
 * scikit-learn's LogisticRegression (C = 40, lbfgs) on the same embeddings and folds: docs/own-categories.md. The encoder's training
 * decides where both stand; this floor holds the arithmetic to it.
 */
const SCIKIT_LEARN = 0.701;
const TWO_POINTS = 0.02;

describe('categories of the user’s own, on the model that ships', () => {
  let input: LearnInput;
  let learnt: Learnt;
  let encoder: RunningEncoder;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-learn-'));
    const parsed = parseRows(await readFile(DATA, 'utf8'));
    const chosen = parsed.kind === 'good' ? chooseCategories(parsed.rows) : null;
    if (chosen?.kind !== 'good') throw new Error('the fixture is spoilt');
    encoder = await createEncoder({ bundleDir: BASE, useCpu: true, memoBytes: 0 });
    const embedded = await embedAll(
      chosen.examples.map(({ text }) => text),
      encoder,
    );
    if (embedded.kind === 'failed') throw new Error(embedded.reason);
    input = { ...chosen, embeddings: embedded.embeddings, targetPrecision: 0.9 };
    learnt = learn(input);
  }, 120_000);
  afterAll(async () => {
    await encoder.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('are as good as scikit-learn’s logistic regression, calibrated, and precise where they answer', () => {
    const { scores, coverage } = learnt;
    expect(scores.rows).toBe(780);
    expect(scores.accuracy.value).toBeGreaterThan(SCIKIT_LEARN - TWO_POINTS);
    expect(scores.ece).toBeLessThan(0.05);
    expect(coverage.precision?.value).toBeGreaterThan(0.85);
    expect(coverage.coverage.value).toBeGreaterThan(0.4);
    expect(coverage.otherKept?.value).toBeGreaterThan(0.9);
  });

  test('the same examples give the same head', () => {
    const labels = input.labels.slice(0, 3);
    const few = {
      ...input,
      labels,
      examples: input.examples.slice(0, 120),
      embeddings: input.embeddings.slice(0, 120),
    };
    const progress: number[] = [];
    const again = learn({ ...few, onProgress: (done) => progress.push(done) });
    expect(again.head).toEqual(learn(few).head);
    expect(progress.at(-1)).toBe(1);
    expect([...progress].sort((one, two) => one - two)).toEqual(progress);
  });

  test('the folder is a model like any other: its head answers from the same pass, and its thresholds hold', async () => {
    const out = join(folder, 'mine');
    const report = { learnt, labels: input.labels, examples: input.examples, warnings: [], withTexts: false };
    const base = encoder.info();
    await writeModelFolder({
      out,
      base,
      learnt,
      labels: input.labels,
      dataName: 'intents.jsonl',
      report: reportJson(report),
    });
    expect(await occupant(out)).toBe('trained');
    const mine = await createEncoder({ bundleDir: out, useCpu: true, workers: 1 });
    try {
      expect(mine.labels).toEqual(input.labels);
      // The base's table of tokens would answer with the base's categories.
      expect(Object.keys(mine.info().manifest.files)).toEqual([
        'model',
        'tokenizer',
        'tokenizer_config',
        'category_head',
      ]);
      expect(mine.glance).toBeUndefined();
      const text = 'what time do you open on saturday';
      const outcome = await mine.encode(text, { deadlineMs: 10_000 });
      const plain = await encoder.encode(text, { deadlineMs: 10_000 });
      if (outcome.kind === 'failed' || plain.kind === 'failed') throw new Error('no encoding');
      const { encoding } = outcome;
      expect(mine.labels[argmax(encoding.categoryProbabilities)]).toBe('opening_hours');
      expect(encoding.embedding).toEqual(plain.encoding.embedding);
      expect(encoding.difficulty).toEqual(plain.encoding.difficulty);
      const logits = applyHead(learnt.head, encoding.embedding ?? []);
      expect(argmax(Array.from(logits))).toBe(argmax(encoding.categoryProbabilities));
      expect(mine.labelThresholds).toHaveLength(input.labels.length);
    } finally {
      await mine.close();
    }
  }, 60_000);

  test('the report holds every figure and no text; the terminal’s shows examples', () => {
    const report = { learnt, labels: input.labels, examples: input.examples, warnings: ['w'], withTexts: false };
    const printed = JSON.stringify(reportJson(report));
    for (const { text } of input.examples.filter(({ text }) => text.length > 12)) expect(printed).not.toContain(text);
    expect(JSON.stringify(reportJson({ ...report, withTexts: true }))).toContain('"texts":["');
    const shown = reportText(report);
    expect(shown).toMatch(/^accuracy {3}\d\d\.\d % \(\d\d\.\d–\d\d\.\d\)$/m);
    expect(shown).toMatch(/^ {4}line \d+: [a-z]/m);
  });

  test('what stands in the way of a folder is seen', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'notes.txt'), 'mine');
    expect(await occupant(other)).toBe('something_else');
    expect(await occupant(BASE)).toBe('something_else');
    expect(await occupant(join(folder, 'nothing'))).toBe('nothing');
    expect(await occupant(join(other, 'notes.txt'))).toBe('something_else');
  });
});

test('a label below its own threshold is no category, whatever the config says', () => {
  const registry = {
    categories: new Map(),
    config: {
      classifier: { category_model: { threshold: 0 } },
      reasoning_decision: { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2 },
    },
  };
  const view = (thresholds: readonly number[]) =>
    viewCategory(
      {
        labels: ['a', 'b'],
        labelThresholds: thresholds,
        encoding: { categoryProbabilities: [0.3, 0.7] },
      } as unknown as Parameters<typeof viewCategory>[0],
      registry as unknown as Parameters<typeof viewCategory>[1],
    );
  expect(view([0.9, 0.7])).toMatchObject({ name: 'b', top: 'b', confidence: 0.7 });
  expect(view([0, 0.71])).toMatchObject({ name: '', top: 'b', confidence: 0.7 });
});
