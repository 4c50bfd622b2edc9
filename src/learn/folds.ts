import { dot, rowOf, type Matrix } from './matrix.ts';

/** Cosine from which two examples count as near-duplicates ("cancel my order" and "cancel my order please"). */
export const NEAR_DUPLICATE = 0.95;
/** Dimensions that are compared before the rest is bounded. */
const HEAD_DIMS = 96;

/**
 * A group for each row: near-duplicates of one label, and what hangs together through them, share one. They must stay on one side of a
 * split, or the score is that of a memory. Rows of different labels are never joined. Compares all pairs within a label.
 */
export function nearDuplicateGroups(features: Matrix, truths: readonly number[]): readonly number[] {
  const parents = truths.map((_, row) => row);
  const rests = truths.map((_, row) => restNorm(rowOf(features, row)));
  for (const members of membersOf(truths).values()) {
    for (const [place, one] of members.entries()) {
      const vector = rowOf(features, one);
      for (const two of members.slice(0, place)) {
        if (isNear(vector, rowOf(features, two), (rests[one] ?? 0) * (rests[two] ?? 0))) join(parents, one, two);
      }
    }
  }
  return parents.map((_, row) => rootOf(parents, row));
}

/** Cosine of unit vectors against the bound; the later dimensions are read only when they could still decide (Cauchy–Schwarz). */
function isNear(one: Float64Array, two: Float64Array, mostOfRest: number): boolean {
  let sum = 0;
  const head = Math.min(HEAD_DIMS, one.length);
  for (let column = 0; column < head; column += 1) sum += (one[column] ?? 0) * (two[column] ?? 0);
  if (sum + mostOfRest < NEAR_DUPLICATE) return false;
  return sum + dot(one.subarray(head), two.subarray(head)) >= NEAR_DUPLICATE;
}

function restNorm(vector: Float64Array): number {
  const rest = vector.subarray(HEAD_DIMS);
  return Math.sqrt(dot(rest, rest));
}

function rootOf(parents: number[], row: number): number {
  let root = row;
  while (parents[root] !== root) root = parents[root] ?? root;
  // Later look-ups of the same chain take one step.
  parents[row] = root;
  return root;
}

function join(parents: number[], one: number, two: number): void {
  const [a, b] = [rootOf(parents, one), rootOf(parents, two)];
  parents[Math.max(a, b)] = Math.min(a, b);
}

/**
 * A fold 0..folds − 1 for each row, so that each label is spread as evenly as its groups allow and no group is cut. Large groups are placed
 * first, each where its label has fewest rows; labels begin at different folds, so that small ones do not all fall into the first.
 */
export function stratifiedFolds(
  truths: readonly number[],
  groups: readonly number[],
  folds: number,
): readonly number[] {
  const assigned = truths.map(() => 0);
  for (const [label, members] of membersOf(truths)) {
    const filled = new Array<number>(folds).fill(0);
    const byGroup = [...membersOf(members.map((row) => groups[row] ?? row)).values()];
    byGroup.sort((one, two) => two.length - one.length);
    for (const places of byGroup) {
      let best = label % folds;
      for (let step = 1; step < folds; step += 1) {
        const fold = (label + step) % folds;
        if ((filled[fold] ?? 0) < (filled[best] ?? 0)) best = fold;
      }
      filled[best] = (filled[best] ?? 0) + places.length;
      for (const place of places) assigned[members[place] ?? 0] = best;
    }
  }
  return assigned;
}

/** Positions by value, in order of appearance. */
function membersOf(values: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const members = new Map<number, number[]>();
  for (const [position, value] of values.entries()) {
    const list = members.get(value);
    if (list === undefined) members.set(value, [position]);
    else list.push(position);
  }
  return members;
}
