import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { compileTenants, findTenant } from '../../../src/decision/tenant.ts';
import { registryOf } from './fixture.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');

function tell(tenants: object, headers: Record<string, string>): string {
  const { config } = registryOf({
    vllm_endpoints: [{ name: 'a', address: 'a.test', port: 1, models: ['m'] }],
    tenants: { list: [{ name: 'one', api_key_sha256: [hash('sk-1')] }, { name: 'two' }], ...tenants },
  });
  const found = findTenant(compileTenants(config.tenants), new Map(Object.entries(headers)));
  return found.kind === 'found' ? `${found.tenant.name} by ${found.source}` : found.kind;
}

describe('findTenant', () => {
  test.each([
    [{}, { authorization: 'Bearer sk-1' }, 'one by api_key'],
    [{}, { authorization: 'bearer   sk-1 ' }, 'one by api_key'],
    [{}, { authorization: 'Bearer sk-2' }, 'none'],
    [{}, { authorization: 'Basic sk-1' }, 'none'],
    [{}, { authorization: hash('sk-1') }, 'none'],
    [{}, { 'x-tenant': 'two' }, 'none'],
    [{ from_header: 'X-Tenant' }, { 'x-tenant': 'two' }, 'two by header'],
    [{ from_header: 'X-Tenant' }, { 'x-tenant': 'TWO' }, 'none'],
    [{ from_header: 'X-Tenant' }, { 'x-tenant': 'two', authorization: 'Bearer sk-1' }, 'one by api_key'],
    [{ default: 'two' }, {}, 'two by default'],
    [{ default: 'two', from_header: 'x-tenant' }, { 'x-tenant': 'stranger' }, 'two by default'],
    [{ default: 'two', from_header: 'x-tenant', unknown: 'deny' }, { 'x-tenant': 'stranger' }, 'denied'],
    [{ default: 'two', from_header: 'x-tenant', unknown: 'deny' }, {}, 'two by default'],
    [{ unknown: 'deny' }, {}, 'denied'],
    [{ list: [], unknown: 'deny' }, {}, 'none'],
  ])('%j with %j: %s', (tenants, headers, expected) => expect(tell(tenants, headers)).toBe(expected));
});
