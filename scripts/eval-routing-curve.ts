/** Cost–quality curves of a choice between two models, and the figures that sum them up. Pure. */

/** Requests in the order in which a strategy gives them to the large model; those of one group are equal to it. */
export interface Ranked {
  readonly order: readonly number[];
  /** Position after the last request of each group, rising; the last one is the number of requests. */
  readonly groupEnds: readonly number[];
}

/** Quality (mean score) against the share of requests that go to the large model, as the corners of a polyline from share 0 to share 1. */
export interface Curve {
  readonly shares: readonly number[];
  readonly quality: readonly number[];
}

/**
 * The figures of Ong et al., RouteLLM (2024). The performance gap recovered at a share x is (quality(x) − small) / (large − small).
 */
export interface Summary {
  /** Average performance gap recovered over all shares: 0.5 for a random mix; more than 1 is possible. */
  readonly apgr: number;
  /** Least share, in per cent, at which half of the gap is recovered. */
  readonly cpt50: number;
  /** The same for four fifths of it. */
  readonly cpt80: number;
}

/** A seeded stream of numbers in 0..1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Highest score first. */
export function rankByScore(score: readonly number[]): Ranked {
  const order = score.map((_, index) => index).sort((one, two) => at(score, two) - at(score, one));
  const groupEnds = order.flatMap((request, index) => {
    const next = order[index + 1];
    return next === undefined || at(score, next) !== at(score, request) ? [index + 1] : [];
  });
  return { order, groupEnds };
}

/**
 * The curve of a ranking. Requests that are equal to the strategy count as sent in random order: the curve is straight over them, so no luck
 * of the draw is in it. `gain` is how much better the large model's answer scored, `base` the small model's mean score; `weights` counts
 * requests more than once, or not at all, for the bootstrap (1 each).
 */
export function curveOf(
  { order, groupEnds }: Ranked,
  gain: readonly number[],
  base: number,
  weights: readonly number[] | null = null,
): Curve {
  const total = weights === null ? order.length : weights.reduce((sum, times) => sum + times, 0);
  const shares = [0];
  const quality = [base];
  let position = 0;
  let weight = 0;
  let sum = 0;
  for (const end of groupEnds) {
    for (; position < end; position += 1) {
      const request = order[position] ?? 0;
      const times = weights === null ? 1 : at(weights, request);
      weight += times;
      sum += times * at(gain, request);
    }
    shares.push(weight / total);
    quality.push(base + sum / total);
  }
  return { shares, quality };
}

/** Quality at a share, 0..1. */
export function qualityAt({ shares, quality }: Curve, share: number): number {
  const index = shares.findIndex((one) => one >= share);
  if (index <= 0) return at(quality, 0);
  const width = at(shares, index) - at(shares, index - 1);
  const part = width === 0 ? 1 : (share - at(shares, index - 1)) / width;
  return at(quality, index - 1) + part * (at(quality, index) - at(quality, index - 1));
}

/** Sums a curve up. Not a number where both models score the same. */
export function summarize({ shares, quality }: Curve): Summary {
  const first = at(quality, 0);
  const whole = at(quality, quality.length - 1) - first;
  let area = 0;
  for (let index = 1; index < shares.length; index += 1) {
    const width = at(shares, index) - at(shares, index - 1);
    area += width * ((at(quality, index) + at(quality, index - 1)) / 2 - first);
  }
  const shareFor = (wanted: number): number => {
    const goal = first + wanted * whole;
    const index = quality.findIndex((value) => value >= goal);
    if (index <= 0) return index === 0 ? 0 : Number.NaN;
    const part = (goal - at(quality, index - 1)) / (at(quality, index) - at(quality, index - 1));
    return 100 * (at(shares, index - 1) + part * (at(shares, index) - at(shares, index - 1)));
  };
  return { apgr: area / whole, cpt50: shareFor(0.5), cpt80: shareFor(0.8) };
}

/** A value and its 95 % percentile interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The percentile interval of draws (2.5 % and 97.5 %); draws that are not numbers are left out. */
export function intervalOf(value: number, draws: readonly number[]): Interval {
  const sorted = draws.filter((draw) => Number.isFinite(draw)).sort((one, two) => one - two);
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { value, low: quantile(0.025), high: quantile(0.975) };
}

/** How often each of n requests is drawn when n are drawn with replacement. */
export function bootstrapWeights(n: number, random: () => number): readonly number[] {
  const weights = new Array<number>(n).fill(0);
  for (let draw = 0; draw < n; draw += 1) {
    const request = Math.floor(random() * n);
    weights[request] = at(weights, request) + 1;
  }
  return weights;
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
