import { rowOf, type Matrix } from './matrix.ts';

/** Temperatures beyond these mean that there is nothing to calibrate. */
const COLDEST = 0.01;
const HOTTEST = 100;
/** Golden-section steps: they narrow ln T from 9.2 to 10⁻⁶. */
const STEPS = 34;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const ECE_BINS = 15;

/** A prediction with its probability and whether it was right. */
export interface Judged {
  readonly predicted: number;
  readonly truth: number;
  /** Probability of `predicted`, 0..1. */
  readonly confidence: number;
}

/** The T that minimises the mean of −log softmax(logits / T)[truth] over `rows` (Guo et al. 2017); 1 without rows. */
export function fitTemperature(logits: Matrix, truths: readonly number[], rows: readonly number[]): number {
  if (rows.length === 0) return 1;
  const loss = (logTemperature: number) => logLoss(logits, truths, rows, Math.exp(logTemperature));
  let low = Math.log(COLDEST);
  let high = Math.log(HOTTEST);
  // The loss is convex in 1 / T, so it has one valley in ln T.
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [leftLoss, rightLoss] = [loss(left), loss(right)];
  for (let step = 0; step < STEPS; step += 1) {
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - GOLDEN * (high - low);
      leftLoss = loss(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + GOLDEN * (high - low);
      rightLoss = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** Mean of −log p(truth) over `rows`, in nats. */
export function logLoss(
  logits: Matrix,
  truths: readonly number[],
  rows: readonly number[],
  temperature: number,
): number {
  let sum = 0;
  for (const row of rows) {
    const values = rowOf(logits, row);
    const most = values.reduce((one, two) => Math.max(one, two), -Infinity);
    let powers = 0;
    for (const value of values) powers += Math.exp((value - most) / temperature);
    sum += Math.log(powers) + (most - (values[truths[row] ?? 0] ?? 0)) / temperature;
  }
  return sum / rows.length;
}

/** The most probable label of one row of logits and its probability; of equals the first. */
export function judge(logits: Float64Array, truth: number, temperature: number): Judged {
  let predicted = 0;
  for (let label = 1; label < logits.length; label += 1) {
    if ((logits[label] ?? 0) > (logits[predicted] ?? 0)) predicted = label;
  }
  const most = logits[predicted] ?? 0;
  let powers = 0;
  for (const value of logits) powers += Math.exp((value - most) / temperature);
  return { predicted, truth, confidence: 1 / powers };
}

/** Expected calibration error, 0..1: over 15 bins of equal width, the gap between mean confidence and accuracy, weighted by rows. */
export function calibrationError(judged: readonly Judged[]): number {
  const gaps = new Float64Array(ECE_BINS);
  for (const { predicted, truth, confidence } of judged) {
    const bin = Math.min(ECE_BINS - 1, Math.floor(confidence * ECE_BINS));
    gaps[bin] = (gaps[bin] ?? 0) + confidence - (predicted === truth ? 1 : 0);
  }
  return judged.length === 0 ? 0 : gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / judged.length;
}
