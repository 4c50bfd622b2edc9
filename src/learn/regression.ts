import { minimize, type Objective } from './lbfgs.ts';
import { addTransposedTimes, matrix, timesTransposed, type Matrix } from './matrix.ts';

/** What is learnt from: unit vectors [rows × dims] and the label of each row, 0..labels − 1. */
export interface Samples {
  readonly features: Matrix;
  readonly truths: readonly number[];
  readonly labels: number;
}

/** A linear classifier: logits = features · weightsᵀ + bias. */
export interface Linear {
  /** [labels × dims]. */
  readonly weights: Matrix;
  /** [labels]. */
  readonly bias: Float64Array;
}

/** On the fixture in test/, a tenth of this changes no figure by more than a point of chance, and costs half as much time again. */
const OPTIONS = { maxIterations: 200, tolerance: 3e-4 };

/**
 * Multinomial logistic regression with an L2 penalty on the weights, not on the bias: the minimum of
 * mean(−log p(truth)) + ‖weights‖² / (2 · strength · rows), which is scikit-learn's with C = strength. Strictly convex in the weights, so the
 * start (`from`, a solution at another strength; zeros without it) changes the way there and not the end.
 */
export function fitRegression(samples: Samples, strength: number, from?: Linear): Linear {
  const dims = samples.features.columns;
  const size = samples.labels * dims;
  const start = new Float64Array(size + samples.labels);
  if (from !== undefined) {
    start.set(from.weights.values);
    start.set(from.bias, size);
  }
  const { point } = minimize(regressionObjective(samples, strength), start, OPTIONS);
  return split(point, samples.labels, dims);
}

/** The function that `fitRegression` minimises; the point is the weights row by row, then the bias. */
export function regressionObjective({ features, truths, labels }: Samples, strength: number): Objective {
  const dims = features.columns;
  const size = labels * dims;
  const penalty = 1 / (strength * features.rows);
  const scores = matrix(features.rows, labels);
  return (point, gradient) => {
    const { weights, bias } = split(point, labels, dims);
    timesTransposed(features, weights, scores);
    let loss = 0;
    const biasGradient = gradient.subarray(size);
    biasGradient.fill(0);
    for (let row = 0; row < features.rows; row += 1) {
      loss += residuals(
        scores.values.subarray(row * labels, (row + 1) * labels),
        bias,
        truths[row] ?? 0,
        features.rows,
      );
      for (let label = 0; label < labels; label += 1) {
        biasGradient[label] = (biasGradient[label] ?? 0) + (scores.values[row * labels + label] ?? 0);
      }
    }
    let square = 0;
    for (let index = 0; index < size; index += 1) {
      const weight = point[index] ?? 0;
      square += weight * weight;
      gradient[index] = penalty * weight;
    }
    addTransposedTimes(scores, features, { values: gradient.subarray(0, size), rows: labels, columns: dims });
    return loss / features.rows + (penalty / 2) * square;
  };
}

/** Turns one row of scores into (p − truth) / rows in place, and gives −log p(truth). */
function residuals(scores: Float64Array, bias: Float64Array, truth: number, rows: number): number {
  let most = -Infinity;
  for (let label = 0; label < scores.length; label += 1) {
    const score = (scores[label] ?? 0) + (bias[label] ?? 0);
    scores[label] = score;
    if (score > most) most = score;
  }
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - most);
  const logSum = most + Math.log(sum);
  const loss = logSum - (scores[truth] ?? 0);
  for (let label = 0; label < scores.length; label += 1) {
    const probability = Math.exp((scores[label] ?? 0) - logSum);
    scores[label] = (probability - (label === truth ? 1 : 0)) / rows;
  }
  return loss;
}

/** Logits [rows × labels]. */
export function logitsOf({ weights, bias }: Linear, features: Matrix): Matrix {
  const logits = timesTransposed(features, weights);
  for (let index = 0; index < logits.values.length; index += 1) {
    logits.values[index] = (logits.values[index] ?? 0) + (bias[index % bias.length] ?? 0);
  }
  return logits;
}

function split(point: Float64Array, labels: number, dims: number): Linear {
  const size = labels * dims;
  return { weights: { values: point.subarray(0, size), rows: labels, columns: dims }, bias: point.subarray(size) };
}
