import type { ObjectiveConfig, RuleConfig, TenantConfig } from '../config/schema-policy.ts';
import type { Limits, ObjectiveKind, ObjectiveView } from './decision.ts';
import type { Knobs } from './knobs.ts';

/** How much each part counts in `balanced`; they sum to 1. */
export interface Weights {
  readonly quality: number;
  readonly cost: number;
  readonly latency: number;
}

/** What a choice aims at, with everything that the ranking needs. */
export interface Objective {
  readonly view: Omit<ObjectiveView, 'relaxed'>;
  readonly weights: Weights;
  /** What happens when no candidate keeps the operator's limits. */
  readonly unmet: 'relax' | 'refuse';
  readonly notes: readonly string[];
}

export interface ObjectiveInput {
  readonly configured: ObjectiveConfig;
  readonly tenant: TenantConfig | null;
  readonly rule: RuleConfig | null;
  /** The kind that the alias names (auto:cost), null for a plain one. */
  readonly alias: ObjectiveKind | null;
  readonly knobs: Knobs;
  readonly callerMayChoose: boolean;
}

type ObjectiveObject = Exclude<ObjectiveConfig, string>;

const DEFAULT_WEIGHTS = { quality: 0.6, cost: 0.3, latency: 0.1 };

/**
 * The objective of one request. Of the operator's levels the most specific one that says anything counts, key by key: rule, tenant, config.
 * The caller may choose another kind (body before header before alias), if policy lets it, and add limits; it can't loosen any.
 */
export function resolveObjective(input: ObjectiveInput): Objective {
  const { tenant, rule, knobs, alias } = input;
  const levels: { readonly where: string; readonly objective: ObjectiveObject }[] = [
    { where: input.configured === 'category' ? 'default' : 'objective', objective: asObject(input.configured) },
  ];
  if (tenant?.objective !== undefined) {
    levels.unshift({ where: `tenants.${tenant.name}`, objective: asObject(tenant.objective) });
  }
  if (rule?.then.objective !== undefined) {
    levels.unshift({ where: `rules.${rule.name}`, objective: asObject(rule.then.objective) });
  }
  const first = <Key extends keyof ObjectiveObject>(key: Key): NonNullable<ObjectiveObject[Key]> | null => {
    for (const { objective } of levels) {
      const value = objective[key];
      if (value !== undefined) return value;
    }
    return null;
  };
  const settled = levels.find(({ objective }) => objective.kind !== undefined);
  const asked = knobs.objective ?? (alias === null ? null : { kind: alias, source: 'alias' });
  const chosen = asked !== null && input.callerMayChoose ? asked : null;
  return {
    view: {
      kind: chosen?.kind ?? settled?.objective.kind ?? 'category',
      source: chosen?.source ?? settled?.where ?? 'default',
      limits: {
        qualityFloor: first('quality_floor'),
        maxCostUsd: first('max_cost_usd'),
        maxLatencyMs: first('max_latency_ms'),
        maxTtftMs: first('max_ttft_ms'),
      },
      callerLimits: knobs.limits,
    },
    weights: normalized(first('weights') ?? DEFAULT_WEIGHTS),
    unmet: first('unmet') ?? 'relax',
    notes:
      asked !== null && chosen === null ? [`policy keeps callers from choosing the objective (${asked.kind})`] : [],
  };
}

export function hasLimits(limits: Limits): boolean {
  return Object.values(limits).some((limit) => limit !== null);
}

function asObject(given: ObjectiveConfig): ObjectiveObject {
  return typeof given === 'string' ? { kind: given } : given;
}

/** All weights zero says nothing; then the default ones count. */
function normalized(weights: Weights): Weights {
  const sum = weights.quality + weights.cost + weights.latency;
  if (sum === 0) return normalized(DEFAULT_WEIGHTS);
  return { quality: weights.quality / sum, cost: weights.cost / sum, latency: weights.latency / sum };
}
