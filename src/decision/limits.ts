import type { Limits, Rejection } from './decision.ts';
import type { Estimate, Estimates } from './estimate.ts';

/** Slack for rounding: a model whose estimate equals a limit keeps it. */
const TOLERANCE = 1e-12;

/** Each limit that the estimates break, or that can't be shown to be kept because the number is unknown. */
export function brokenLimits(
  estimates: Estimates,
  limits: Limits,
  stage: 'caller' | 'objective',
): readonly (Rejection & { readonly limit: keyof Limits })[] {
  const broken: (Rejection & { readonly limit: keyof Limits })[] = [];
  const { qualityFloor, maxCostUsd, maxLatencyMs, maxTtftMs } = limits;
  const quality = estimates.quality.value;
  if (qualityFloor !== null && quality < qualityFloor - TOLERANCE) {
    const detail = `expected quality ${round(quality)} is below ${qualityFloor}`;
    broken.push({ stage, reason: 'below_quality_floor', detail, limit: 'qualityFloor' });
  }
  const atMost = (limit: keyof Limits, most: number | null, estimate: Estimate, what: string, unit: string) => {
    if (most === null) return;
    if (estimate.value === null) {
      const detail = `expected ${what} is not known (${estimate.source}) and the limit is ${most} ${unit}`;
      broken.push({ stage, reason: `${UNKNOWN[limit]}_unknown`, detail, limit });
    } else if (estimate.value > most * (1 + TOLERANCE)) {
      const detail = `expected ${what} of ${round(estimate.value)} ${unit} is over ${most}`;
      broken.push({ stage, reason: `over_${UNKNOWN[limit]}`, detail, limit });
    }
  };
  atMost('maxCostUsd', maxCostUsd, estimates.costUsd, 'cost', 'USD');
  atMost('maxLatencyMs', maxLatencyMs, estimates.latencyMs, 'latency', 'ms');
  atMost('maxTtftMs', maxTtftMs, estimates.ttftMs, 'time to the first token', 'ms');
  return broken;
}

const UNKNOWN: Readonly<Record<keyof Limits, string>> = {
  qualityFloor: 'quality',
  maxCostUsd: 'cost',
  maxLatencyMs: 'latency',
  maxTtftMs: 'ttft',
};

/** Four significant digits, for people. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
