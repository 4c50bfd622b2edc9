import type { ModelEntry } from '../config/registry.ts';
import type { EstimatesConfig } from '../config/schema-policy.ts';
import type { Limits, ObjectiveKind, ScorePart } from './decision.ts';
import type { Estimate, Estimates } from './estimate.ts';
import { type BrokenLimit, brokenLimits } from './limits.ts';
import type { Objective, Weights } from './objective.ts';
import type { ScoreEntry } from './score-table.ts';

/** An admissible model with everything that it is compared by. */
export interface Contender {
  readonly model: ModelEntry;
  readonly estimates: Estimates;
  /** Its entry in the category that was found; null without a category or an entry. */
  readonly entry: ScoreEntry | null;
  readonly isDefault: boolean;
}

export interface Ranked extends Contender {
  /** Higher is better; null when the objective knows nothing of the model: it then comes after all that have a score. */
  readonly score: number | null;
  readonly parts: readonly ScorePart[];
  /** The operator's limits that it breaks. */
  readonly broken: readonly BrokenLimit[];
}

export interface Ranking {
  /** Best first. Never shorter than the contenders. */
  readonly order: readonly Ranked[];
  /** Limits that nobody kept and that were given up. */
  readonly relaxed: readonly (keyof Limits)[];
  /** The limits left nobody and may not be given up. */
  readonly unmet: boolean;
}

type Compare = (a: Ranked, b: Ranked) => number;

/** Which limits are given up together, the least important first, and what counts when they are. */
const RELAXATIONS: readonly { readonly limits: readonly (keyof Limits)[]; readonly then: Compare }[] = [
  { limits: ['maxTtftMs', 'maxLatencyMs'], then: (a, b) => lowest(latencyOf(a), latencyOf(b)) },
  { limits: ['maxCostUsd'], then: (a, b) => lowest(a.estimates.costUsd.value, b.estimates.costUsd.value) },
  { limits: ['qualityFloor'], then: (a, b) => b.estimates.quality.value - a.estimates.quality.value },
];

/**
 * Orders the contenders by the objective; contenders come in the config's order, which settles ties. Those that break an operator's limit come
 * last. When all do, limits are given up one group after the other (latency, cost, quality) until somebody is left, who is then chosen by
 * coming nearest to the last limit given up: so a higher floor never lowers the expected quality of the choice.
 */
export function rank(contenders: readonly Contender[], objective: Objective, settings: EstimatesConfig): Ranking {
  const { kind, limits } = objective.view;
  const scored = contenders.map((contender): Ranked => {
    const { model, estimates, entry, isDefault } = contender;
    const { score, parts } = scoreOf(contender, kind, objective.weights, settings);
    return { model, estimates, entry, isDefault, score, parts, broken: brokenLimits(estimates, limits, 'objective') };
  });
  const better = kind === 'category' ? byCategory : byScore;
  const sorted = [...scored].sort(better);
  const given = new Set<keyof Limits>();
  const relaxed: (keyof Limits)[] = [];
  const keeps = (one: Ranked) => one.broken.every(({ limit }) => given.has(limit));
  let compare: Compare = better;
  for (const step of RELAXATIONS) {
    if (sorted.some(keeps)) break;
    const set = step.limits.filter((limit) => limits[limit] !== null);
    if (set.length === 0) continue;
    if (objective.unmet === 'refuse') return { order: sorted, relaxed: [], unmet: sorted.length > 0 };
    for (const limit of set) given.add(limit);
    relaxed.push(...set);
    compare = (a, b) => step.then(a, b) || better(a, b);
  }
  const left = sorted.filter(keeps).sort(compare);
  return { order: [...left, ...sorted.filter((one) => !keeps(one))], relaxed, unmet: false };
}

/** Listed in the category before the default model before the rest; by score, ties to the entry listed first. */
function byCategory(a: Ranked, b: Ranked): number {
  if (a.entry !== null && b.entry !== null) return b.entry.score - a.entry.score || a.entry.index - b.entry.index;
  if (a.entry !== null || b.entry !== null) return a.entry !== null ? -1 : 1;
  if (a.isDefault !== b.isDefault) return a.isDefault ? -1 : 1;
  return b.estimates.quality.value - a.estimates.quality.value;
}

/** The known before the unknown, then by score, then by expected quality. */
function byScore(a: Ranked, b: Ranked): number {
  return lowest(negated(a.score), negated(b.score)) || b.estimates.quality.value - a.estimates.quality.value;
}

function negated(value: number | null): number | null {
  return value === null ? null : 0 - value;
}

/** Order by rising value, the unknown last. */
function lowest(a: number | null, b: number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a - b;
}

function latencyOf({ estimates }: Ranked): number | null {
  return estimates.latencyMs.value ?? estimates.ttftMs.value;
}

type Scored = Pick<Ranked, 'score' | 'parts'>;

function scoreOf(contender: Contender, kind: ObjectiveKind, weights: Weights, settings: EstimatesConfig): Scored {
  const { estimates, entry } = contender;
  const quality = { name: 'quality', value: estimates.quality.value, source: estimates.quality.source };
  const cost = part('cost_usd', estimates.costUsd);
  const latency = part('latency_ms', estimates.latencyMs);
  switch (kind) {
    case 'category': {
      const listed: ScorePart =
        entry === null
          ? { name: 'category_score', value: null, source: 'not listed in the category' }
          : { name: 'category_score', value: entry.score, source: entry.source };
      return { score: entry?.score ?? null, parts: [listed, quality, cost, latency] };
    }
    case 'quality':
      return { score: quality.value, parts: [quality, cost, latency] };
    case 'cost':
      return { score: negated(cost.value), parts: [cost, quality, latency] };
    case 'latency':
      return { score: negated(latency.value), parts: [latency, quality, cost] };
    case 'balanced': {
      const parts = [
        weighted('quality', estimates.quality.value, weights.quality, estimates.quality.source),
        weighted('cost', halving(cost.value, settings.reference_cost_usd), weights.cost, cost.source),
        weighted('latency', halving(latency.value, settings.reference_latency_ms), weights.latency, latency.source),
      ];
      const sum = parts.reduce((total, { value }) => total + (value ?? 0), 0);
      return { score: sum, parts: [...parts, quality, cost, latency] };
    }
  }
}

function part(name: string, { value, source }: Estimate): ScorePart {
  return { name, value, source };
}

/** A part of the balanced score; an unknown number earns nothing. */
function weighted(name: string, value: number | null, weight: number, source: string): ScorePart {
  return { name: `balanced_${name}`, value: (value ?? 0) * weight, source };
}

/** 1 for nothing, ½ at the reference, towards 0 beyond: a scale that doesn't depend on who else is compared. */
function halving(value: number | null, reference: number): number | null {
  return value === null ? null : 1 / (1 + value / reference);
}
