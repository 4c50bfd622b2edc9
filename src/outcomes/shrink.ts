import { type Cell, meanOf } from './table.ts';

/** An expected quality with its uncertainty. */
export interface LearntQuality {
  /** Expected score, 0..1. */
  readonly value: number;
  /** 95 % interval of the expected score, 0..1. */
  readonly low: number;
  readonly high: number;
}

/** Half the width of a 95 % interval in standard deviations. */
const WIDTH = 1.96;

/**
 * The expected quality of a model: the mean of a Beta distribution that starts at `prior` with the weight of `strength` grades and has then
 * seen the cell's grades (Gelman et al., Bayesian Data Analysis, 2.4). A score between 0 and 1 counts as that part of a good answer, which is
 * the widest that grades with this mean could be.
 *
 *     value = (strength · prior + sum of the scores) / (strength + number of grades)
 *
 * Without grades it is the prior, with many it is their mean, and it always lies between the two. A strength of 0 trusts the first grade
 * wholly. The interval is the normal approximation, cut to 0..1; without grades and strength nothing is known: 0..1.
 */
export function shrink(prior: number, strength: number, cell: Cell | null): LearntQuality {
  const count = cell?.count ?? 0;
  const weight = strength + count;
  if (weight === 0) return { value: prior, low: 0, high: 1 };
  const value = cell === null ? prior : (strength * prior + count * meanOf(cell)) / weight;
  const deviation = Math.sqrt((value * (1 - value)) / (weight + 1));
  return { value, low: Math.max(0, value - WIDTH * deviation), high: Math.min(1, value + WIDTH * deviation) };
}
