import type { LinearHead } from '../ml/linear-head.ts';
import { judge, type Judged } from './calibrate.ts';
import { OTHER, type Example } from './categories.ts';
import { crossValidate, FOLDS, type CrossValidation } from './cross-validate.ts';
import { fromVectors, rowOf } from './matrix.ts';
import { measure, measureCoverage, type Coverage, type Scores } from './measure.ts';
import { blended, fitPrototypes } from './prototypes.ts';
import { fitRegression, type Samples } from './regression.ts';
import { fitThresholds } from './thresholds.ts';

export interface LearnInput {
  readonly labels: readonly string[];
  readonly examples: readonly Example[];
  /** Sentence embeddings, one an example. */
  readonly embeddings: readonly ArrayLike<number>[];
  /** Share of a category's answers that must be right, 0..1. */
  readonly targetPrecision: number;
  /** Called with the share that is done, 0..1. */
  readonly onProgress?: (done: number) => void;
}

export interface Learnt {
  /** Temperature folded in. */
  readonly head: LinearHead;
  readonly temperature: number;
  /** By label, 0..1. */
  readonly thresholds: readonly number[];
  /** On rows that were held out, with temperatures that were fitted without them. */
  readonly scores: Scores;
  readonly coverage: Coverage;
  /** Each example as the model that did not see it judges it. */
  readonly judged: readonly Judged[];
  readonly validation: CrossValidation;
}

/** The cross-validation takes this share of the time: five fits of four fifths, and one of all. */
const VALIDATION_SHARE = 0.85;

/** Learns a head for the user's categories from embeddings, and measures it by cross-validation. The same examples give the same head. */
export function learn(input: LearnInput): Learnt {
  const { labels, examples, targetPrecision, onProgress = () => undefined } = input;
  const samples: Samples = {
    features: fromVectors(input.embeddings),
    truths: examples.map(({ label }) => label),
    labels: labels.length,
  };
  const validation = crossValidate(samples, (done) => onProgress(done * VALIDATION_SHARE));
  const { logits, heldOutTemperatures, folds, temperature } = validation;
  const judged = samples.truths.map((truth, row) => judge(rowOf(logits, row), truth, heldOutTemperatures[row] ?? 1));
  const place = labels.indexOf(OTHER);
  const other = place < 0 ? null : place;
  const options = { labels: labels.length, other, targetPrecision };
  const thresholds = fitThresholds(judged, options);
  const heldOut = Array.from({ length: FOLDS }, (_, fold) =>
    fitThresholds(
      judged.filter((_one, row) => folds[row] !== fold),
      options,
    ),
  );
  const thresholdsOf = (row: number) => heldOut[folds[row] ?? 0] ?? [];
  const { weights, bias } = blended(
    fitRegression(samples, validation.strength),
    fitPrototypes(samples),
    validation.blend,
    temperature,
  );
  onProgress(1);
  return {
    head: { weights: Float32Array.from(weights.values), bias: Float32Array.from(bias) },
    temperature,
    thresholds,
    scores: measure(judged, labels, thresholds),
    coverage: measureCoverage(judged, thresholdsOf, other, targetPrecision),
    judged,
    validation,
  };
}
