import { expect, test } from '@jest/globals';
import { poolCluster, poolMembers } from '../../../src/envoy/clusters.ts';
import { fallbackCluster, fallbackTargets } from '../../../src/envoy/fallback.ts';
import type { JsonObject } from '../../../src/envoy/xds.ts';
import { registryOf } from './registry-of.ts';

const registry = registryOf(`
vllm_endpoints:
  - { name: plain, address: 10.0.0.1, port: 8000, models: [a], weight: 3 }
  - { name: named, address: gpu-1.internal, port: 80, models: [a], health_check_path: /health }
  - { name: secure, address: api.example.com, port: 443, models: [a], tls: {}, api_key_env: EXAMPLE_KEY }
  - { name: inner, address: 10.0.0.2, port: 8443, models: [b], tls: { sni: model.internal } }
  - { name: v6, address: 'fd00::1', port: 8000, models: [b], tls: {} }
  - { name: drained, address: 10.0.0.9, port: 8000, models: [a, c], weight: 0 }
  - { name: odd, address: 10.0.0.3, port: 8000, models: ['a/b', 'a b'] }
`);
const addresses = new Map([
  ['plain', ['10.0.0.1:8000']],
  ['named', ['10.1.0.1:80', '10.1.0.2:80']],
  ['secure', ['93.184.216.34:443']],
  ['inner', ['10.0.0.2:8443']],
  ['v6', ['[fd00::1]:8000']],
  ['drained', ['10.0.0.9:8000']],
]);

interface LbEndpoint {
  endpoint: {
    hostname: string;
    address: { socket_address: { address: string; port_value: number } };
    health_check_config?: object;
  };
  load_balancing_weight: number;
  metadata: { filter_metadata: Record<string, Record<string, string>> };
}
const endpointsOf = (cluster: JsonObject): LbEndpoint[] =>
  (cluster['load_assignment'] as unknown as { endpoints: { lb_endpoints: LbEndpoint[] }[] }).endpoints[0]!.lb_endpoints;
const socketOf = ({ endpoint }: LbEndpoint): string =>
  `${endpoint.address.socket_address.address} ${endpoint.address.socket_address.port_value}`;

test('the pool holds every resolved address; drained and unresolved endpoints are not in it', () => {
  const pool = poolCluster(poolMembers(registry, addresses), 1000, '/ca.pem');
  expect(endpointsOf(pool).map((one) => [socketOf(one), one.endpoint.hostname])).toEqual([
    ['10.0.0.1 8000', '10.0.0.1:8000'],
    ['10.1.0.1 80', 'gpu-1.internal'],
    ['10.1.0.2 80', 'gpu-1.internal'],
    ['93.184.216.34 443', 'api.example.com'],
    ['10.0.0.2 8443', '10.0.0.2:8443'],
    ['fd00::1 8000', '[fd00::1]:8000'],
  ]);
});

test('answers are shown to the router only where a config has cascades, before their attempt is noted as over', () => {
  const filtersOf = (hasCascade: boolean): readonly string[] => {
    const pool = JSON.stringify(poolCluster(poolMembers(registry, addresses), 1000, '/ca.pem', { hasCascade }));
    return [...pool.matchAll(/"name":"(switchyard\.\w+)"/g)].map(([, name = '']) => name);
  };
  expect(filtersOf(false)).toEqual(['switchyard.attempts', 'switchyard.retry']);
  expect(filtersOf(true)).toEqual(['switchyard.attempts', 'switchyard.cascade', 'switchyard.retry']);
});

test('each endpoint with TLS is checked against its own name; an address is no SNI', () => {
  const pool = poolCluster(poolMembers(registry, addresses), 1000, '/ca.pem');
  const matches = pool['transport_socket_matches'] as {
    match: { tls: string };
    transport_socket: { typed_config: JsonObject };
  }[];
  const contexts = new Map(matches.map(({ match, transport_socket }) => [match.tls, transport_socket.typed_config]));
  const tlsOf = (index: number): JsonObject | undefined =>
    contexts.get(endpointsOf(pool)[index]!.metadata.filter_metadata['envoy.transport_socket_match']?.['tls'] ?? '');
  expect(tlsOf(0)).toBeUndefined();
  expect(tlsOf(3)).toMatchObject({
    sni: 'api.example.com',
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: '/ca.pem' },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'api.example.com' } }],
      },
    },
  });
  expect(tlsOf(4)).toMatchObject({ sni: 'model.internal' });
  expect(tlsOf(5)).not.toHaveProperty('sni');
  expect(JSON.stringify(tlsOf(5))).toContain('{"san_type":"IP_ADDRESS","matcher":{"exact":"fd00::1"}}');
});

test('two endpoints at one address are one host', () => {
  const twice = registryOf(`
vllm_endpoints:
  - { name: a, address: localhost, port: 8000, models: [m] }
  - { name: b, address: 127.0.0.1, port: 8000, models: [n] }`);
  const members = poolMembers(twice, new Map([['a', ['127.0.0.1:8000']], ['b', ['127.0.0.1:8000']]])); // prettier-ignore
  expect(members.map(({ endpoint }) => endpoint.name)).toEqual(['a']);
});

test('fallback: one cluster a model and key, with plain and unique names', () => {
  const targets = fallbackTargets(registry);
  expect(
    targets.map(({ cluster, apiKeyEnv, weight, endpoints }) => [cluster, apiKeyEnv, weight, endpoints.length]),
  ).toEqual([
    ['fallback_a', null, 4, 2],
    ['fallback_a_2', 'EXAMPLE_KEY', 1, 1],
    ['fallback_b', null, 2, 2],
    ['fallback_a_b', null, 1, 1],
    ['fallback_a_b_2', null, 1, 1],
  ]);
});

test('fallback: endpoints keep their weight, names are left to DNS, and only who has a path is checked', () => {
  const [first] = fallbackTargets(registry);
  const cluster = fallbackCluster(first!, 250, '/ca.pem');
  expect(cluster).toMatchObject({
    type: 'STRICT_DNS',
    connect_timeout: '0.25s',
    health_checks: [{ http_health_check: { path: '/health' } }],
  });
  const [plain, named] = endpointsOf(cluster);
  expect([socketOf(plain!), plain!.load_balancing_weight]).toEqual(['10.0.0.1 8000', 3]);
  expect(plain!.endpoint.health_check_config).toEqual({ disable_active_health_check: true });
  expect(socketOf(named!)).toBe('gpu-1.internal 80');
  expect(named!.endpoint.health_check_config).toBeUndefined();
});
