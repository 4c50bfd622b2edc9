/** Cost–quality curves of a choice between two models, and the figures that sum them up. Pure. */

/** Quality (mean score) at each share of requests that go to the large model. */
export interface Curve {
  /** 101 values, 0..1: quality when 0 %, 1 %, …, 100 % of the requests go to the large model. */
  readonly quality: readonly number[];
}

/**
 * The figures of Ong et al., RouteLLM (2024). The performance gap recovered at a share x is (quality(x) − small) / (large − small).
 */
export interface Summary {
  /** Average performance gap recovered over all shares; 0.5 for a random mix, and more than 1 is possible. */
  readonly apgr: number;
  /** Least share, in per cent, at which half of the gap is recovered. */
  readonly cpt50: number;
  /** The same for four fifths of it. */
  readonly cpt80: number;
}

const STEPS = 100;

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

/**
 * The curve of sending the requests with the highest score to the large model first. Requests with equal scores count as sent in random
 * order: the curve is straight between the ends of such a group, so no luck of the draw is in it.
 *
 * `small` and `large` are what the models' answers scored, `score` how much the strategy wants the large model; all of one length n ≥ 1.
 */
export function curveOf(score: readonly number[], small: readonly number[], large: readonly number[]): Curve {
  const n = score.length;
  const order = Array.from({ length: n }, (_, index) => index).sort((one, two) => at(score, two) - at(score, one));
  // Total gain after the first k requests went to the large model.
  const gain = new Float64Array(n + 1);
  for (let start = 0; start < n;) {
    let end = start + 1;
    let sum = gap(order[start] ?? 0);
    while (end < n && at(score, order[end] ?? 0) === at(score, order[start] ?? 0)) sum += gap(order[end++] ?? 0);
    for (let k = start + 1; k <= end; k += 1) {
      gain[k] = (gain[start] ?? 0) + (sum * (k - start)) / (end - start);
    }
    start = end;
  }
  const base = small.reduce((sum, value) => sum + value, 0) / n;
  return { quality: Array.from({ length: STEPS + 1 }, (_, share) => base + gainAt((share / STEPS) * n) / n) };

  function gap(index: number): number {
    return at(large, index) - at(small, index);
  }

  function gainAt(k: number): number {
    const low = Math.floor(k);
    const high = Math.min(n, low + 1);
    return (gain[low] ?? 0) + (k - low) * ((gain[high] ?? 0) - (gain[low] ?? 0));
  }
}

/** Sums a curve up. Meaningless (not a number) where both models score the same. */
export function summarize({ quality }: Curve): Summary {
  const first = quality[0] ?? Number.NaN;
  const whole = (quality[STEPS] ?? Number.NaN) - first;
  const recovered = quality.map((value) => (value - first) / whole);
  const area = recovered.slice(1).reduce((sum, value, index) => sum + (value + (recovered[index] ?? 0)) / 2, 0);
  return { apgr: area / STEPS, cpt50: shareFor(recovered, 0.5), cpt80: shareFor(recovered, 0.8) };
}

/** Least share, in per cent and interpolated, at which so much of the gap is recovered. */
function shareFor(recovered: readonly number[], wanted: number): number {
  const index = recovered.findIndex((value) => value >= wanted);
  if (index < 0) return Number.NaN;
  if (index === 0) return 0;
  const before = recovered[index - 1] ?? 0;
  const after = recovered[index] ?? 0;
  return index - 1 + (wanted - before) / (after - before);
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

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
