import { fitTemperature, logLoss } from './calibrate.ts';
import { nearDuplicateGroups, stratifiedFolds } from './folds.ts';
import { matrix, pickRows, timesTransposed, type Matrix } from './matrix.ts';
import { fitPrototypes, type Blend } from './prototypes.ts';
import { fitRegression, logitsOf, type Linear, type Samples } from './regression.ts';

export const FOLDS = 5;
/** Weak to strong; on vectors of length 1 the best is rarely outside. */
const STRENGTHS = [10, 40];
const ONE_STRENGTH = [40];
/** Beyond this many numbers in the table of logits, trying strengths would take minutes: the usual best is taken. */
const MAX_CELLS_TRIED = 100_000;
const BLENDS: readonly Blend[] = [
  { regression: 1, prototypes: 0 },
  { regression: 1, prototypes: 2 },
  { regression: 1, prototypes: 8 },
  { regression: 0, prototypes: 20 },
];

/** What the cross-validation chose, and what it saw of rows that were held out. */
export interface CrossValidation {
  readonly strength: number;
  readonly blend: Blend;
  /** Logits [rows × labels] of each row from the model that was trained without its fold, before any temperature. */
  readonly logits: Matrix;
  readonly folds: readonly number[];
  /** Rows that share a group of near-duplicates with another row. */
  readonly nearDuplicates: number;
  /** By row: the temperature that the other folds give, so that no row calibrates itself. */
  readonly heldOutTemperatures: readonly number[];
  /** The temperature that all held-out logits give; for the head. */
  readonly temperature: number;
  /** Held-out log loss in nats, at its own best temperature, of each candidate. */
  readonly tried: readonly { readonly strength: number; readonly blend: Blend; readonly logLoss: number }[];
}

/**
 * Five-fold cross-validation, stratified by label, near-duplicates kept together. Chooses the strength of the regression and its blend with the
 * prototypes by held-out log loss. `step` is called after each fold with the share that is done, 0..1.
 */
export function crossValidate(samples: Samples, step: (done: number) => void = () => undefined): CrossValidation {
  const { features, truths, labels } = samples;
  const groups = nearDuplicateGroups(features, truths);
  const folds = stratifiedFolds(truths, groups, FOLDS);
  const strengths = features.rows * labels <= MAX_CELLS_TRIED ? STRENGTHS : ONE_STRENGTH;
  const byStrength = strengths.map(() => matrix(features.rows, labels));
  const cosines = matrix(features.rows, labels);
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const inside = indicesWhere(folds, (other) => other !== fold);
    const outside = indicesWhere(folds, (other) => other === fold);
    const training: Samples = {
      features: pickRows(features, inside),
      truths: inside.map((row) => truths[row] ?? 0),
      labels,
    };
    const held = pickRows(features, outside);
    putRows(cosines, outside, timesTransposed(held, fitPrototypes(training)));
    let solution: Linear | undefined;
    for (const [index, strength] of strengths.entries()) {
      // The neighbour's solution is a short way off.
      solution = fitRegression(training, strength, solution);
      const table = byStrength[index];
      if (table !== undefined) putRows(table, outside, logitsOf(solution, held));
      step((fold + (index + 1) / strengths.length) / FOLDS);
    }
  }
  const all = truths.map((_, row) => row);
  const tried = strengths.flatMap((strength, index) =>
    BLENDS.filter((blend) => blend.regression === 1 || index === 0).map((blend) => {
      const logits = mixed(byStrength[index] ?? cosines, cosines, blend);
      const temperature = fitTemperature(logits, truths, all);
      return { strength, blend, logits, temperature, logLoss: logLoss(logits, truths, all, temperature) };
    }),
  );
  const best = tried.reduce((one, two) => (two.logLoss < one.logLoss ? two : one));
  const heldOut = Array.from({ length: FOLDS }, (_, fold) =>
    fitTemperature(
      best.logits,
      truths,
      indicesWhere(folds, (other) => other !== fold),
    ),
  );
  return {
    strength: best.strength,
    blend: best.blend,
    logits: best.logits,
    folds,
    nearDuplicates: inGroups(groups),
    heldOutTemperatures: folds.map((fold) => heldOut[fold] ?? 1),
    temperature: best.temperature,
    tried: tried.map(({ strength, blend, logLoss: loss }) => ({ strength, blend, logLoss: loss })),
  };
}

function mixed(regression: Matrix, cosines: Matrix, blend: Blend): Matrix {
  const values = regression.values.map(
    (value, index) => blend.regression * value + blend.prototypes * (cosines.values[index] ?? 0),
  );
  return { ...regression, values };
}

function putRows(target: Matrix, rows: readonly number[], source: Matrix): void {
  for (const [index, row] of rows.entries()) {
    target.values.set(
      source.values.subarray(index * source.columns, (index + 1) * source.columns),
      row * target.columns,
    );
  }
}

function indicesWhere(values: readonly number[], test: (value: number) => boolean): readonly number[] {
  return values.flatMap((value, index) => (test(value) ? [index] : []));
}

function inGroups(groups: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return groups.filter((group) => (sizes.get(group) ?? 0) > 1).length;
}
