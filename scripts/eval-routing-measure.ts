/** Runs the strategies on the test questions and measures them, with paired bootstrap intervals. */
import {
  bootstrapWeights,
  curveOf,
  intervalOf,
  rankByScore,
  randomFrom,
  summarize,
  type Curve,
  type Interval,
  type Ranked,
  type Summary,
} from './eval-routing-curve.ts';
import type { Grades, Splits } from './eval-routing-data.ts';
import { gradedBoth, strategiesFor, type Pair, type Strategy } from './eval-routing-strategies.ts';

/** What ours is held against. */
export const RIVALS = ['category prior', 'prompt length'] as const;
export type Rival = (typeof RIVALS)[number];

export interface Measured {
  readonly name: string;
  readonly knows: string;
  readonly role: Strategy['role'];
  readonly apgr: Interval;
  readonly cpt50: Interval;
  readonly cpt80: Interval;
  /** APGR minus that of each rival, over the same draws. */
  readonly over: Readonly<Record<Rival, Interval>>;
}

export interface PairResult {
  readonly pair: Pair;
  readonly questions: number;
  readonly small: number;
  readonly large: number;
  readonly strategies: readonly (Measured & { readonly curve: Curve })[];
}

/** The mean over many pairs. */
export interface ManyResult {
  readonly pairs: number;
  readonly strategies: readonly Omit<Measured, 'cpt50' | 'cpt80'>[];
}

interface Prepared {
  readonly pair: Pair;
  readonly small: readonly number[];
  readonly gain: readonly number[];
  readonly strategies: readonly (Strategy & { readonly ranked: Ranked })[];
}

function prepare(pair: Pair, splits: Splits, grades: Grades, seed: number): Prepared {
  const rows = gradedBoth(splits.test, pair, grades);
  const questions = rows.map(({ question }) => question);
  return {
    pair,
    small: rows.map(({ small }) => small),
    gain: rows.map(({ small, large }) => large - small),
    strategies: strategiesFor(pair, questions, splits, grades, seed).map((strategy) => ({
      ...strategy,
      ranked: rankByScore(strategy.scores),
    })),
  };
}

/** Each strategy's curve, with draws of the test questions (null: all of them once). */
function curves({ small, gain, strategies }: Prepared, weights: readonly number[] | null): readonly Curve[] {
  const total = weights === null ? small.length : weights.reduce((sum, times) => sum + times, 0);
  const base = small.reduce((sum, score, index) => sum + score * (weights?.[index] ?? 1), 0) / total;
  return strategies.map(({ ranked }) => curveOf(ranked, gain, base, weights));
}

/** One pair, with `draws` bootstrap draws. */
export function measurePair(
  pair: Pair,
  splits: Splits,
  grades: Grades,
  options: { seed: number; draws: number },
): PairResult {
  const prepared = prepare(pair, splits, grades, options.seed);
  const n = prepared.small.length;
  const random = randomFrom(options.seed);
  const whole = curves(prepared, null);
  const drawn = Array.from({ length: options.draws }, () =>
    curves(prepared, bootstrapWeights(n, random)).map(summarize),
  );
  const values = whole.map(summarize);
  return {
    pair,
    questions: n,
    small: mean(prepared.small),
    large: mean(prepared.small) + mean(prepared.gain),
    strategies: measureAll(prepared.strategies, values, drawn).map((measured, index) => ({
      ...measured,
      curve: whole[index] ?? { shares: [], quality: [] },
    })),
  };
}

/** The mean over pairs: a draw of questions is the same for all of them. */
export function measureMany(
  pairs: readonly Pair[],
  splits: Splits,
  grades: Grades,
  options: { seed: number; draws: number },
): ManyResult {
  const random = randomFrom(options.seed);
  const n = splits.test.length;
  const position = new Map(splits.test.map(({ id }, index) => [id, index]));
  const draws = Array.from({ length: options.draws }, () => bootstrapWeights(n, random));
  const sums: Summary[][][] = [];
  let first: readonly Strategy[] = [];
  for (const pair of pairs) {
    const prepared = prepare(pair, splits, grades, options.seed);
    first = prepared.strategies;
    const ids = gradedBoth(splits.test, pair, grades).map(({ question }) => position.get(question.id) ?? 0);
    const weighted = draws.map((weights) => ids.map((index) => weights[index] ?? 0));
    sums.push([null, ...weighted].map((weights) => curves(prepared, weights).map(summarize)));
  }
  const average = (draw: number): Summary[] =>
    first.map((_, strategy) => ({
      apgr: mean(sums.map((pair) => pair[draw]?.[strategy]?.apgr ?? Number.NaN)),
      cpt50: Number.NaN,
      cpt80: Number.NaN,
    }));
  const drawn = draws.map((_, index) => average(index + 1));
  return { pairs: pairs.length, strategies: measureAll(first, average(0), drawn) };
}

function measureAll(
  strategies: readonly Strategy[],
  values: readonly Summary[],
  drawn: readonly (readonly Summary[])[],
): readonly Measured[] {
  const of = (index: number, key: keyof Summary): Interval =>
    intervalOf(
      values[index]?.[key] ?? Number.NaN,
      drawn.map((draw) => draw[index]?.[key] ?? Number.NaN),
    );
  const over = (index: number, rival: Rival): Interval => {
    const other = strategies.findIndex(({ name }) => name === rival);
    const difference = (summaries: readonly Summary[]) =>
      (summaries[index]?.apgr ?? Number.NaN) - (summaries[other]?.apgr ?? Number.NaN);
    return intervalOf(difference(values), drawn.map(difference));
  };
  return strategies.map(({ name, knows, role }, index) => ({
    name,
    knows,
    role,
    apgr: of(index, 'apgr'),
    cpt50: of(index, 'cpt50'),
    cpt80: of(index, 'cpt80'),
    over: { 'category prior': over(index, 'category prior'), 'prompt length': over(index, 'prompt length') },
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
