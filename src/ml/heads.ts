/** Arithmetic on the rows that the graph's heads give. Pure; entropy and what follows from it live in decision/. */

/** Softmax of logits: probabilities that sum to 1, stable for any finite logits. An empty row stays empty. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Logistic function, 0..1; stable for large logits of either sign. */
export function sigmoid(logit: number): number {
  if (logit >= 0) return 1 / (1 + Math.exp(-logit));
  const power = Math.exp(logit);
  return power / (1 + power);
}

/** True when every value is finite: a graph that overflowed says nothing. */
export function allFinite(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value) => Number.isFinite(value));
}

/** Index of the largest value, the first of equals; -1 for an empty row. */
export function argmax(values: readonly number[]): number {
  let best = -1;
  for (const [index, value] of values.entries()) if (best < 0 || value > (values[best] ?? -Infinity)) best = index;
  return best;
}
