import type { Judged } from './calibrate.ts';

export interface ThresholdOptions {
  readonly labels: number;
  /** Index of "other", which needs no threshold: it is where the rest falls; null when the data have none. */
  readonly other: number | null;
  /** Share of the answers of a label that must be right, 0..1. */
  readonly targetPrecision: number;
}

/** Examples that the precision of all labels together weighs against a label's own: a handful of rows proves little. */
const PRIOR_ROWS = 10;
/** Without examples of "other" nothing shows what a stranger looks like: a label keeps this share of its own right answers, and gives up the rest. */
const KEPT_SHARE = 0.95;

/**
 * By label, the least probability from which its answers reach the target precision, 0..1. The precision at a threshold is that of the label's
 * own answers, drawn towards that of all answers by ten rows' worth. A label that reaches the target nowhere gets the threshold where it
 * comes closest. Without "other" each threshold is also at least the 5th percentile of the label's right answers.
 */
export function fitThresholds(judged: readonly Judged[], options: ThresholdOptions): readonly number[] {
  const descending = [...judged].sort((one, two) => two.confidence - one.confidence);
  const pooled = pooledPrecision(descending);
  return Array.from({ length: options.labels }, (_, label) => {
    if (label === options.other) return 0;
    const own = descending.filter(({ predicted }) => predicted === label);
    const precise = preciseFrom(own, pooled, options.targetPrecision);
    return options.other === null ? Math.max(precise, keepsShare(own)) : precise;
  });
}

/** Precision of all answers at or above a confidence. */
function pooledPrecision(descending: readonly Judged[]): (confidence: number) => number {
  const confidences = descending.map(({ confidence }) => confidence);
  const right = new Float64Array(descending.length + 1);
  for (const [index, one] of descending.entries()) right[index + 1] = (right[index] ?? 0) + hit(one);
  return (confidence) => {
    let low = 0;
    let high = confidences.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((confidences[middle] ?? 0) >= confidence) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 1 : (right[low] ?? 0) / low;
  };
}

function preciseFrom(own: readonly Judged[], pooled: (confidence: number) => number, target: number): number {
  let right = 0;
  let lowest: number | null = null;
  let best = { precision: -1, confidence: 0 };
  for (const [index, one] of own.entries()) {
    right += hit(one);
    // A threshold takes in all of equal confidence.
    if (own[index + 1]?.confidence === one.confidence) continue;
    const precision = (right + PRIOR_ROWS * pooled(one.confidence)) / (index + 1 + PRIOR_ROWS);
    if (precision >= target) lowest = index === own.length - 1 ? 0 : one.confidence;
    if (precision > best.precision) best = { precision, confidence: one.confidence };
  }
  return lowest ?? best.confidence;
}

function keepsShare(own: readonly Judged[]): number {
  const right = own.filter((one) => hit(one) === 1);
  return right.length === 0 ? 0 : (right[Math.ceil(KEPT_SHARE * right.length) - 1]?.confidence ?? 0);
}

function hit({ predicted, truth }: Judged): number {
  return predicted === truth ? 1 : 0;
}
