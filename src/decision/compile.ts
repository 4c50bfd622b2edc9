import type { Registry } from '../config/registry.ts';
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
