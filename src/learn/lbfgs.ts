import { dot } from './matrix.ts';

/** Value of a function at `point`; writes its gradient into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  readonly maxIterations: number;
  /** Ends when no part of the gradient is larger. */
  readonly tolerance: number;
}

export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Pairs that the curvature is estimated from; more gains little and costs memory. */
const MEMORY = 10;
/** Least decrease of a step as a share of what the slope promises (Armijo). */
const DECREASE = 1e-4;
const MAX_HALVINGS = 30;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly rho: number;
}

/**
 * Minimises a smooth convex function by limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4) with a line
 * search that halves. No chance in it: the same start gives the same end.
 */
export function minimize(objective: Objective, start: Float64Array, options: LbfgsOptions): Minimum {
  let point: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(point.length);
  let value = objective(point, gradient);
  const pairs: Pair[] = [];
  for (let iteration = 0; iteration < options.maxIterations; iteration += 1) {
    if (largest(gradient) <= options.tolerance) return { point, value, iterations: iteration, converged: true };
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    // The first step has no curvature to go by: a unit of length.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let next = moved(point, direction, length);
    const nextGradient = new Float64Array(point.length);
    let nextValue = objective(next, nextGradient);
    for (let halving = 0; nextValue > value + DECREASE * length * slope; halving += 1) {
      // No step goes down any more: the end of what double precision can tell.
      if (halving === MAX_HALVINGS) return { point, value, iterations: iteration, converged: false };
      length /= 2;
      next = moved(point, direction, length);
      nextValue = objective(next, nextGradient);
    }
    remember(pairs, moved(next, point, -1), moved(nextGradient, gradient, -1));
    [point, gradient, value] = [next, nextGradient, nextValue];
  }
  return { point, value, iterations: options.maxIterations, converged: largest(gradient) <= options.tolerance };
}

/** Minus the estimated inverse Hessian times the gradient: the two-loop recursion. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const weights: number[] = [];
  for (const { step, change, rho } of [...pairs].reverse()) {
    const weight = rho * dot(step, direction);
    weights.push(weight);
    add(direction, change, -weight);
  }
  const newest = pairs.at(-1);
  if (newest !== undefined) {
    const scale = 1 / (newest.rho * dot(newest.change, newest.change));
    for (let index = 0; index < direction.length; index += 1) direction[index] = (direction[index] ?? 0) * scale;
  }
  for (const { step, change, rho } of pairs) {
    add(direction, step, (weights.pop() ?? 0) - rho * dot(change, direction));
  }
  return direction;
}

/** Keeps a pair only where the function curves upwards, so that each direction goes down. */
function remember(pairs: Pair[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (curvature <= 1e-12 * dot(change, change)) return;
  pairs.push({ step, change, rho: 1 / curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

function moved(point: Float64Array, direction: Float64Array, length: number): Float64Array {
  const next = point.slice();
  add(next, direction, length);
  return next;
}

function add(target: Float64Array, source: Float64Array, scale: number): void {
  for (let index = 0; index < target.length; index += 1) {
    target[index] = (target[index] ?? 0) + scale * (source[index] ?? 0);
  }
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
