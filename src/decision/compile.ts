import type { Registry } from '../config/registry.ts';
import { NO_OUTCOMES, type Outcomes } from '../outcomes/table.ts';
import { compileRules, type CompiledRules } from './rules/match.ts';
import { buildScoreTable, type ScoreTable } from './score-table.ts';
import { compileTenants, type TenantDirectory } from './tenant.ts';

/** What the decision looks up, made once for each config. */
export interface CompiledPolicy {
  readonly rules: CompiledRules;
  readonly tenants: TenantDirectory;
  readonly scores: ScoreTable;
}

const compiled = new WeakMap<Registry, CompiledPolicy>();

/** The compiled form of a registry. The first call for a registry compiles it (milliseconds with hundreds of patterns), later ones look it up. */
export function compiledPolicy(registry: Registry): CompiledPolicy {
  const known = compiled.get(registry);
  if (known !== undefined) return known;
  const { rules, tenants } = registry.config;
  const made: CompiledPolicy = {
    rules: compileRules(rules),
    tenants: compileTenants(tenants),
    scores: buildScoreTable(registry.config.categories),
  };
  compiled.set(registry, made);
  return made;
}

const learnt = new WeakMap<Outcomes, { readonly registry: Registry; readonly policy: CompiledPolicy }>();

/**
 * The compiled form with scores that follow the operator's grades, where `outcomes.use` says so. Made once for each table: a new grade makes a
 * new table, and the next decision pays for models × categories.
 */
export function learntPolicy(registry: Registry, outcomes: Outcomes = NO_OUTCOMES): CompiledPolicy {
  const policy = compiledPolicy(registry);
  const { use, prior_strength: priorStrength } = registry.config.outcomes;
  if (!use || outcomes.size === 0) return policy;
  const known = learnt.get(outcomes);
  if (known?.registry === registry) return known.policy;
  const scores = buildScoreTable(registry.config.categories, { outcomes, priorStrength });
  const made = { registry, policy: { ...policy, scores } };
  learnt.set(outcomes, made);
  return made.policy;
}
