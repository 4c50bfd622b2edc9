import type { Registry } from '../config/registry.ts';
import { compiledPolicy } from '../decision/compile.ts';
import { findTenant } from '../decision/tenant.ts';

/** How important a request is when there is not room for all: its tenant's number, else 0. */
export function priorityOf(registry: Registry, headers: ReadonlyMap<string, string>): number {
  const { priorities } = registry.config.overload;
  if (Object.keys(priorities).length === 0) return 0;
  const found = findTenant(compiledPolicy(registry).tenants, headers);
  const name = found.kind === 'found' ? found.tenant.name : null;
  return name !== null && Object.hasOwn(priorities, name) ? (priorities[name] ?? 0) : 0;
}
