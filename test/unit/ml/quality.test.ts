import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createEncoder, type RunningEncoder } from '../../../src/ml/encoder.ts';
import { argmax } from '../../../src/ml/heads.ts';
import type { Encoding } from '../../../src/signals/signals.ts';

/** Own prompts that the shipped model was not trained on, written by `python -m switchyard_training held-out`. */
const ROWS_FILE = 'test/unit/ml/quality.rows.jsonl';
/**
 * How far below the manifest's figure a score may lie: the rows are a sample of those that it was measured on (two standard errors are 4
 * points), and other processors round differently (1 point).
 */
const MARGIN = 0.05;
const CALIBRATION_MARGIN = 0.06;
const HARMLESS_FLAGGED_MARGIN = 0.02;
const CONFIDENCE_BINS = 10;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly label: string;
  readonly alt: readonly string[];
  readonly jailbreak: 0 | 1 | null;
}

interface Judged extends Row {
  readonly predicted: string;
  readonly confidence: number;
  readonly attempt: number | null;
}

const share = (rows: readonly Judged[], holds: (row: Judged) => boolean): number =>
  rows.filter(holds).length / rows.length;
const isRight = (row: Judged): boolean => row.predicted === row.label;
const isAccepted = (row: Judged): boolean => isRight(row) || row.alt.includes(row.predicted);

/** Expected calibration error over equal-width bins (Guo et al. 2017). */
function calibrationError(rows: readonly Judged[]): number {
  const bins = new Map<number, Judged[]>();
  for (const row of rows) {
    const bin = Math.min(CONFIDENCE_BINS - 1, Math.floor(row.confidence * CONFIDENCE_BINS));
    bins.set(bin, [...(bins.get(bin) ?? []), row]);
  }
  let error = 0;
  for (const inside of bins.values()) {
    const confidence = inside.reduce((sum, row) => sum + row.confidence, 0) / inside.length;
    error += (inside.length / rows.length) * Math.abs(share(inside, isRight) - confidence);
  }
  return error;
}

let encoder: RunningEncoder;
const judged: Record<'encoder' | 'static', Judged[]> = { encoder: [], static: [] };
const scoreOf = (name: string): number => encoder.info().manifest.scores[name] ?? NaN;

beforeAll(async () => {
  encoder = await createEncoder({ bundleDir: 'models/switchyard-minilm', useCpu: true, workers: 1 });
  const rows = readFileSync(ROWS_FILE, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  const judge = (row: Row, { categoryProbabilities, jailbreak }: Encoding): Judged => {
    const top = argmax(categoryProbabilities);
    const [predicted = '', confidence = 0] = [encoder.labels[top], categoryProbabilities[top]];
    return { ...row, predicted, confidence, attempt: jailbreak };
  };
  for (const row of rows) {
    const outcome = await encoder.encode(row.text, { deadlineMs: 60_000 });
    if (outcome.kind === 'failed') throw new Error(`${row.id}: ${outcome.reason}`);
    judged.encoder.push(judge(row, outcome.encoding));
    const glance = encoder.glance?.(row.text);
    if (glance != null) judged.static.push(judge(row, glance));
  }
}, 120_000);
afterAll(() => encoder.close());

describe('the shipped model on prompts held out from its training', () => {
  test('are enough to say something', () => {
    expect(judged.encoder.length).toBeGreaterThanOrEqual(200);
    expect(new Set(judged.encoder.map((row) => row.label)).size).toBe(encoder.labels.length);
  });

  test('accuracy is what the manifest promises', () => {
    expect(share(judged.encoder, isRight)).toBeGreaterThanOrEqual(scoreOf('own_dev_accuracy') - MARGIN);
    const accepted = scoreOf('own_dev_accuracy_with_alternates') - MARGIN;
    expect(share(judged.encoder, isAccepted)).toBeGreaterThanOrEqual(accepted);
  });

  test('no category is given up for the others', () => {
    const recalls = encoder.labels.map((label) =>
      share(
        judged.encoder.filter((row) => row.label === label),
        isAccepted,
      ),
    );
    const mean = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
    expect(mean).toBeGreaterThanOrEqual(scoreOf('own_dev_macro_f1') - MARGIN);
    expect(Math.min(...recalls)).toBeGreaterThan(0);
  });

  test('confidence means what it says', () => {
    const ceiling = scoreOf('own_dev_calibration_error') + CALIBRATION_MARGIN;
    expect(calibrationError(judged.encoder)).toBeLessThanOrEqual(ceiling);
  });

  test('harmless prompts are left alone at the threshold that the manifest names', () => {
    const threshold = encoder.info().manifest.outputs.jailbreak?.threshold;
    const harmless = judged.encoder.filter((row) => row.jailbreak === 0);
    expect(harmless.length).toBeGreaterThan(100);
    // A model without such a head flags nothing.
    const flagged = threshold === undefined ? 0 : share(harmless, (row) => (row.attempt ?? 1) >= threshold);
    const promised = threshold === undefined ? 0 : scoreOf('jailbreak_flagged_own_dev_harmless');
    expect(flagged).toBeLessThanOrEqual(promised + HARMLESS_FLAGGED_MARGIN);
  });
});

describe('the table of tokens on the same prompts', () => {
  test('accuracy is what the manifest promises', () => {
    expect(judged.static).toHaveLength(judged.encoder.length);
    expect(share(judged.static, isRight)).toBeGreaterThanOrEqual(scoreOf('static_own_dev_accuracy') - MARGIN);
  });

  test('confidence means what it says', () => {
    const ceiling = scoreOf('static_own_dev_calibration_error') + CALIBRATION_MARGIN;
    expect(calibrationError(judged.static)).toBeLessThanOrEqual(ceiling);
  });
});
