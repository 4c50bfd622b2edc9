/** What the nearest graded questions on the embedding say. */
import type { Question } from './eval-routing-data.ts';

/** Neighbours that vote; from the first reasonable choice, not tuned on the test questions. */
const NEIGHBOURS = 40;
/** Grades that the mean of all neighbours weighs as much as. */
const NEIGHBOUR_PRIOR = 10;

export interface Neighbour {
  readonly question: Question;
  readonly small: number | null;
  readonly large: number | null;
}

/** The mean score of each model over its nearest graded questions, drawn towards its mean over all of them. */
export function neighbourGaps(test: readonly Question[], known: readonly Neighbour[]): readonly number[] {
  const overall = {
    small: mean(known.flatMap(({ small }) => (small === null ? [] : [small]))),
    large: mean(known.flatMap(({ large }) => (large === null ? [] : [large]))),
  };
  const byId = new Map(known.map((one) => [one.question.id, one]));
  const pool = known.map(({ question }) => question);
  return test.map((question) => {
    const near = nearest(question, pool);
    const expected = (side: 'small' | 'large') => {
      const votes: number[] = [];
      for (const id of near) {
        const score = byId.get(id)?.[side] ?? null;
        if (score !== null) votes.push(score);
        if (votes.length === NEIGHBOURS) break;
      }
      const sum = votes.reduce((total, vote) => total + vote, 0);
      return (sum + NEIGHBOUR_PRIOR * overall[side]) / (votes.length + NEIGHBOUR_PRIOR);
    };
    return expected('large') - expected('small');
  });
}

const orders = new Map<string, readonly string[]>();

/** Ids of the pool, nearest first, as far as two models' neighbours need; remembered, since every pair asks for the same. */
function nearest(question: Question, pool: readonly Question[]): readonly string[] {
  const key = [pool.length, pool[0]?.id, pool.at(-1)?.id, question.id].join(' ');
  const known = orders.get(key);
  if (known !== undefined) return known;
  const order = pool
    .map(({ id, embedding }) => ({ id, similarity: dot(question.embedding, embedding) }))
    .sort((one, two) => two.similarity - one.similarity)
    .slice(0, NEIGHBOURS * 5)
    .map(({ id }) => id);
  orders.set(key, order);
  return order;
}

function dot(one: Float32Array, two: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] ?? 0) * (two[index] ?? 0);
  return sum;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
