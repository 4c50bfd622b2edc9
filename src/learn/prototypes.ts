import { matrix, normalize, rowOf, type Matrix } from './matrix.ts';
import type { Linear, Samples } from './regression.ts';

/** The mean of each label's vectors, scaled to length 1: [labels × dims]. The row of a label without examples is zero. */
export function fitPrototypes({ features, truths, labels }: Samples): Matrix {
  const means = matrix(labels, features.columns);
  for (const [row, truth] of truths.entries()) {
    const mean = rowOf(means, truth);
    const vector = rowOf(features, row);
    for (let column = 0; column < mean.length; column += 1) {
      mean[column] = (mean[column] ?? 0) + (vector[column] ?? 0);
    }
  }
  for (let label = 0; label < labels; label += 1) normalize(rowOf(means, label));
  return means;
}

/** How much of each goes into the head. */
export interface Blend {
  /** Share of the regression's logits: 1, or 0 for prototypes alone. */
  readonly regression: 0 | 1;
  /** Factor of the cosine with the prototype. */
  readonly prototypes: number;
}

/** The cosine is linear in a vector of length 1, so the blend is one linear head again. */
export function blended(regression: Linear, prototypes: Matrix, blend: Blend, temperature: number): Linear {
  const weights = matrix(prototypes.rows, prototypes.columns);
  for (let index = 0; index < weights.values.length; index += 1) {
    const sum =
      blend.regression * (regression.weights.values[index] ?? 0) + blend.prototypes * (prototypes.values[index] ?? 0);
    weights.values[index] = sum / temperature;
  }
  return { weights, bias: regression.bias.map((value) => (blend.regression * value) / temperature) };
}
