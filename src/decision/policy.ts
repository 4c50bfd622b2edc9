import type { ModelEntry } from '../config/registry.ts';
import type { EndpointConfig, RouterConfig } from '../config/schema.ts';
import type { PolicyConfig, TenantConfig } from '../config/schema-policy.ts';
import type { PiiFinding } from '../signals/pii/finding.ts';
import type { Rejection } from './decision.ts';

/** One level of policy and where it stands in the config. All levels bind together: none can widen another. */
interface PolicyLevel {
  readonly where: string;
  readonly policy: PolicyConfig;
}

/** What binds one request on every hop. */
export interface Policy {
  readonly levels: readonly PolicyLevel[];
  /** The caller may see the decision. The most specific level that says anything counts. */
  readonly allowTrace: boolean;
  /** The caller may choose the objective. False on any level means no. */
  readonly callerObjective: boolean;
}

export function policyOf(config: RouterConfig, tenant: TenantConfig | null): Policy {
  const levels: PolicyLevel[] = [{ where: 'policy', policy: config.policy }];
  if (tenant !== null) levels.push({ where: `tenants.${tenant.name}`, policy: tenant.policy });
  return {
    levels,
    allowTrace: levels.findLast(({ policy }) => policy.allow_trace !== undefined)?.policy.allow_trace ?? false,
    callerObjective: levels.every(({ policy }) => policy.caller_objective !== false),
  };
}

/** Why policy keeps a model from this request, its allow and deny lists and regions considered. */
export function policyRejections(model: ModelEntry, policy: Policy): readonly Rejection[] {
  const rejections: Rejection[] = [];
  const reject = (reason: string, detail: string) => rejections.push({ stage: 'policy', reason, detail });
  for (const { where, policy: level } of policy.levels) {
    if (level.allow_models?.includes(model.name) === false) reject('not_allowed', `${where}.allow_models lacks it`);
    if (level.deny_models.includes(model.name)) reject('denied', `${where}.deny_models names it`);
  }
  const active = model.endpoints.filter(({ weight }) => weight > 0);
  if (active.length > 0 && !active.some((endpoint) => isInRegion(endpoint, policy))) {
    reject('region', 'none of its endpoints is in an allowed region');
  }
  return rejections;
}

/** Whether the endpoint lies in a region of every level that names any. Without a region of its own it lies in none. */
export function isInRegion(endpoint: EndpointConfig, policy: Policy): boolean {
  return policy.levels.every(({ policy: level }) => matchesRegion(endpoint, level.allowed_regions ?? null));
}

/** "eu" takes in "eu", "eu-west-1" and "EU-North"; null takes in everything. */
export function matchesRegion(endpoint: EndpointConfig, regions: readonly string[] | null): boolean {
  if (regions === null) return true;
  const own = endpoint.region?.toLowerCase();
  if (own === undefined) return false;
  return regions.some((region) => own === region.toLowerCase() || own.startsWith(`${region.toLowerCase()}-`));
}

/** Kinds of personal data that were found with enough confidence, each once, in alphabetical order. */
export function piiKinds(findings: readonly PiiFinding[], minConfidence: number): readonly string[] {
  const kinds = findings.filter(({ confidence }) => confidence >= minConfidence).map(({ kind }) => kind);
  return [...new Set(kinds)].sort();
}

/** The kinds that a model may not receive. A model whose policy allows by default may receive all. */
export function forbiddenKinds(model: ModelEntry, kinds: readonly string[]): readonly string[] {
  const policy = model.config.pii_policy;
  if (policy === undefined || policy.allow_by_default) return [];
  const allowed = new Set(policy.pii_types_allowed.map((kind) => kind.toUpperCase()));
  return kinds.filter((kind) => !allowed.has(kind.toUpperCase()));
}
