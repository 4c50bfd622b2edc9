import type { Limits, Rejection } from './decision.ts';
import type { Estimate, Estimates } from './estimate.ts';

/** A limit that a model breaks, or can't be shown to keep because the number is unknown. */
export interface BrokenLimit extends Rejection {
  readonly limit: keyof Limits;
}

/** Slack for rounding: a model whose estimate equals a limit keeps it. */
const TOLERANCE = 1e-12;

const NONE: readonly BrokenLimit[] = [];

/** Each limit that the estimates break, quality first. */
export function brokenLimits(
  estimates: Estimates,
  limits: Limits,
  stage: 'caller' | 'objective',
): readonly BrokenLimit[] {
  const { qualityFloor, maxCostUsd, maxLatencyMs, maxTtftMs } = limits;
  const broken = [
    belowFloor(estimates.quality.value, qualityFloor, stage),
    over(COST, estimates.costUsd, maxCostUsd, stage),
    over(LATENCY, estimates.latencyMs, maxLatencyMs, stage),
    over(TTFT, estimates.ttftMs, maxTtftMs, stage),
  ].filter((one) => one !== null);
  return broken.length === 0 ? NONE : broken;
}

interface Ceiling {
  readonly limit: keyof Limits;
  readonly code: string;
  readonly what: string;
  readonly unit: string;
}

const COST: Ceiling = { limit: 'maxCostUsd', code: 'cost', what: 'cost', unit: 'USD' };
const LATENCY: Ceiling = { limit: 'maxLatencyMs', code: 'latency', what: 'latency', unit: 'ms' };
const TTFT: Ceiling = { limit: 'maxTtftMs', code: 'ttft', what: 'time to the first token', unit: 'ms' };

function belowFloor(quality: number, floor: number | null, stage: BrokenLimit['stage']): BrokenLimit | null {
  if (floor === null || quality >= floor - TOLERANCE) return null;
  const detail = `expected quality ${round(quality)} is below ${floor}`;
  return { stage, reason: 'below_quality_floor', detail, limit: 'qualityFloor' };
}

function over(
  ceiling: Ceiling,
  estimate: Estimate,
  most: number | null,
  stage: BrokenLimit['stage'],
): BrokenLimit | null {
  if (most === null) return null;
  const { limit, code, what, unit } = ceiling;
  if (estimate.value === null) {
    const detail = `expected ${what} is not known (${estimate.source}) and the limit is ${most} ${unit}`;
    return { stage, reason: `${code}_unknown`, detail, limit };
  }
  if (estimate.value <= most * (1 + TOLERANCE)) return null;
  const detail = `expected ${what} of ${round(estimate.value)} ${unit} is over ${most}`;
  return { stage, reason: `over_${code}`, detail, limit };
}

/** Four significant digits, for people. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
