import { createHash } from 'node:crypto';
import type { TenantConfig, TenantsConfig } from '../config/schema-policy.ts';

/** The tenants of one config by what tells them. */
export interface TenantDirectory {
  readonly settings: TenantsConfig;
  readonly byName: ReadonlyMap<string, TenantConfig>;
  readonly byKeyHash: ReadonlyMap<string, TenantConfig>;
}

export type TenantFinding =
  | { readonly kind: 'found'; readonly tenant: TenantConfig; readonly source: 'api_key' | 'header' | 'default' }
  | { readonly kind: 'none' }
  /** Nobody that is listed, where `tenants.unknown` says deny. */
  | { readonly kind: 'denied' };

export function compileTenants(settings: TenantsConfig): TenantDirectory {
  return {
    settings,
    byName: new Map(settings.list.map((tenant) => [tenant.name, tenant])),
    byKeyHash: new Map(settings.list.flatMap((tenant) => tenant.api_key_sha256.map((hash) => [hash, tenant] as const))),
  };
}

/**
 * Who is asking. An API key (bearer token) whose SHA-256 is listed comes first, then the header, if the config trusts one, then the
 * default. No header is read that the config does not name. The key itself is neither kept nor shown.
 */
export function findTenant(directory: TenantDirectory, headers: ReadonlyMap<string, string>): TenantFinding {
  const { settings, byName, byKeyHash } = directory;
  if (settings.list.length === 0) return { kind: 'none' };
  const token = byKeyHash.size === 0 ? null : bearerToken(headers);
  const keyed = token === null ? undefined : byKeyHash.get(createHash('sha256').update(token).digest('hex'));
  if (keyed !== undefined) return { kind: 'found', tenant: keyed, source: 'api_key' };
  const name = settings.from_header === undefined ? undefined : headers.get(settings.from_header.toLowerCase());
  const named = name === undefined ? undefined : byName.get(name);
  if (named !== undefined) return { kind: 'found', tenant: named, source: 'header' };
  const isStranger = name !== undefined || settings.default === undefined;
  if (settings.unknown === 'deny' && isStranger) return { kind: 'denied' };
  const standard = settings.default === undefined ? undefined : byName.get(settings.default);
  return standard === undefined ? { kind: 'none' } : { kind: 'found', tenant: standard, source: 'default' };
}

function bearerToken(headers: ReadonlyMap<string, string>): string | null {
  return /^bearer +(\S+)$/i.exec(headers.get('authorization')?.trim() ?? '')?.[1] ?? null;
}
