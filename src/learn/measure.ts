import { calibrationError, type Judged } from './calibrate.ts';

/** Counts and rates of one label over held-out rows. Precision and recall are null without rows to measure them on. */
export interface LabelScore {
  readonly label: string;
  readonly rows: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number;
  /** Probability below which the label is not given, 0..1. */
  readonly threshold: number;
}

/** An interval of 95 %. */
export interface Rate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Scores {
  readonly rows: number;
  readonly accuracy: Rate;
  readonly macroF1: number;
  /** Expected calibration error over 15 bins, 0..1. */
  readonly ece: number;
  readonly labels: readonly LabelScore[];
  /** [truth][predicted]. */
  readonly confusion: readonly (readonly number[])[];
}

/** Plain scores of judged rows, without thresholds applied; macro-F1 is the mean over the labels that have rows. */
export function measure(judged: readonly Judged[], labels: readonly string[], thresholds: readonly number[]): Scores {
  const confusion = labels.map(() => labels.map(() => 0));
  for (const { truth, predicted } of judged) {
    const row = confusion[truth];
    if (row !== undefined) row[predicted] = (row[predicted] ?? 0) + 1;
  }
  const scores = labels.map((label, index): LabelScore => {
    const right = confusion[index]?.[index] ?? 0;
    const rows = sum(confusion[index] ?? []);
    const given = sum(confusion.map((row) => row[index] ?? 0));
    return {
      label,
      rows,
      precision: given === 0 ? null : right / given,
      recall: rows === 0 ? null : right / rows,
      f1: rows + given === 0 ? 0 : (2 * right) / (rows + given),
      threshold: thresholds[index] ?? 0,
    };
  });
  const present = scores.filter(({ rows }) => rows > 0);
  return {
    rows: judged.length,
    accuracy: rate(judged.filter(({ predicted, truth }) => predicted === truth).length, judged.length),
    macroF1: present.length === 0 ? 0 : sum(present.map(({ f1 }) => f1)) / present.length,
    ece: calibrationError(judged),
    labels: scores,
    confusion,
  };
}

/** What the thresholds leave: how many rows get a category, how many of those are right, and where the rest falls. */
export interface Coverage {
  readonly targetPrecision: number;
  /** Share of the rows of a category that get an answer other than "other". */
  readonly coverage: Rate;
  /** Share of all answers other than "other" that are right; null without answers. */
  readonly precision: Rate | null;
  /** Share of the rows of "other" that get "other" or no category; null without such rows. */
  readonly otherKept: Rate | null;
}

/** `thresholdsOf` gives the thresholds for the row at that position: those that were fitted without it. */
export function measureCoverage(
  judged: readonly Judged[],
  thresholdsOf: (position: number) => readonly number[],
  other: number | null,
  targetPrecision: number,
): Coverage {
  const answered = judged.map(
    ({ predicted, confidence }, position) =>
      predicted !== other && confidence >= (thresholdsOf(position)[predicted] ?? 0),
  );
  const counted = { inside: 0, insideAnswered: 0, outside: 0, outsideKept: 0, right: 0 };
  for (const [position, { truth, predicted }] of judged.entries()) {
    const isAnswered = answered[position] === true;
    if (truth === other) {
      counted.outside += 1;
      if (!isAnswered) counted.outsideKept += 1;
    } else {
      counted.inside += 1;
      if (isAnswered) counted.insideAnswered += 1;
    }
    if (isAnswered && truth === predicted) counted.right += 1;
  }
  const answers = answered.filter(Boolean).length;
  return {
    targetPrecision,
    coverage: rate(counted.insideAnswered, counted.inside),
    precision: answers === 0 ? null : rate(counted.right, answers),
    otherKept: counted.outside === 0 ? null : rate(counted.outsideKept, counted.outside),
  };
}

/** A share with its Wilson score interval of 95 %; 0 with the interval 0..1 without rows. */
export function rate(hits: number, rows: number): Rate {
  if (rows === 0) return { value: 0, low: 0, high: 1 };
  const z = 1.959964;
  const share = hits / rows;
  const centre = share + (z * z) / (2 * rows);
  const spread = z * Math.sqrt((share * (1 - share)) / rows + (z * z) / (4 * rows * rows));
  const scale = 1 + (z * z) / rows;
  return { value: share, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
