import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { Registry } from '../../../src/config/registry.ts';
import { envoyBootstrap, envoyYaml } from '../../../src/envoy/bootstrap.ts';
import { poolCluster, poolMembers } from '../../../src/envoy/clusters.ts';
import { describeWithEnvoy } from '../../e2e/harness-describe.ts';
import { envoyPath } from '../../e2e/harness-envoy.ts';
import { registryOf } from './registry-of.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
/** The defaults of `switchyard envoy`. */
const ADDRESSES = {
  listen: { host: '0.0.0.0', port: 8801 },
  admin: { host: '127.0.0.1', port: 9901 },
  grpc: { host: '127.0.0.1', port: 50051 },
  http: { host: '127.0.0.1', port: 8080 },
};
const CA_FILE = fileURLToPath(new URL('../../e2e/harness-tls/ca.pem', import.meta.url));
const GOLDEN = 'envoy/envoy.yaml';

test('envoy/envoy.yaml is what is printed for config/example.yaml (UPDATE_GOLDEN=1 writes it)', () => {
  const printed = envoyYaml({ registry: registryOf(read('config/example.yaml')), ...ADDRESSES });
  if (process.env['UPDATE_GOLDEN'] === '1')
    writeFileSync(fileURLToPath(new URL(`../../../${GOLDEN}`, import.meta.url)), printed);
  expect(printed).toBe(read(GOLDEN));
});

test('the YAML says the same as the object', () => {
  const registry = registryOf(read('config/seed.yaml'));
  expect(load(envoyYaml({ registry, ...ADDRESSES }))).toEqual(
    JSON.parse(JSON.stringify(envoyBootstrap({ registry, ...ADDRESSES }))),
  );
});

test('no secret gets into it', () => {
  process.env['TEST_BOOTSTRAP_KEY'] = 'do-not-print-me';
  const registry = registryOf(
    'vllm_endpoints: [{ name: a, address: a, port: 1, models: [m], api_key_env: TEST_BOOTSTRAP_KEY }]',
  );
  const printed = envoyYaml({ registry, ...ADDRESSES });
  expect(printed).toContain('TEST_BOOTSTRAP_KEY');
  expect(printed).not.toContain('do-not-print-me');
});

test.each([
  ['no limits: nobody waits for room', '', '2.5s'],
  ['limits: a wait for room is no hung router', 'max_in_flight_per_model: 4, ', '32.5s'],
  ['no queue: what finds no room is refused at once', 'max_in_flight_per_model: 4, queue: 0, ', '2.5s'],
])('%s', (_, limits, timeout) => {
  const registry = registryOf(`
vllm_endpoints: [{ name: a, address: 10.0.0.1, port: 1, models: [m] }]
timeouts: { decision: 500ms }
overload: { ${limits}queue_timeout: 30s }`);
  expect(JSON.stringify(envoyBootstrap({ registry, ...ADDRESSES }))).toContain(`"message_timeout":"${timeout}"`);
});

test('timeouts and limits of the config are in it', () => {
  const registry = registryOf(`
vllm_endpoints: [{ name: a, address: 10.0.0.1, port: 1, models: [m] }]
timeouts: { decision: 400ms, first_byte: 7s, connect: 2s, total: 90s }
limits: { request_body: 5MiB }`);
  const printed = JSON.stringify(envoyBootstrap({ registry, ...ADDRESSES }));
  expect(printed).toContain('"message_timeout":"2.4s"');
  expect(printed).toContain('"per_try_timeout":"7s"');
  expect(printed).toContain('"timeout":"90s","idle_timeout":"600s"');
  expect(printed).toContain('"connect_timeout":"2s"');
  expect(printed).toContain('"request_body_buffer_limit":5242880');
});

describeWithEnvoy('envoy --mode validate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-validate-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  /** What Envoy says of a bootstrap: exit code and output, warnings of deprecated fields included. */
  function validate(text: string): { status: number | null; output: string } {
    const file = join(folder, 'envoy.yaml');
    writeFileSync(file, text);
    const { status, stdout, stderr } = spawnSync(envoyPath(), ['--mode', 'validate', '-l', 'warning', '-c', file], {
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }
  const OK = { status: 0, output: expect.not.stringMatching(/deprecated|error|critical/i) };
  /** The bootstrap with the pool put in, so that Envoy checks what it would get from the router. */
  function withPool(registry: Registry): string {
    const addresses = new Map(
      [...registry.endpoints.values()].map(({ name, port }, n) => [
        name,
        [`10.0.0.${n + 1}:${port}`, `[fd00::${n + 1}]:${port}`],
      ]),
    );
    const pool = { ...poolCluster(poolMembers(registry, addresses), 1000, CA_FILE), '@type': undefined };
    const bootstrap = JSON.parse(JSON.stringify(envoyBootstrap({ registry, ...ADDRESSES, caFile: CA_FILE })));
    bootstrap.static_resources.clusters.push(pool);
    return JSON.stringify(bootstrap);
  }

  test('the golden file', () => expect(validate(read(GOLDEN))).toEqual(OK));

  test.each(['config/seed.yaml', 'config/compose.yaml', 'config/example.yaml'])('%s with its pool', (file) => {
    expect(validate(withPool(registryOf(read(file))))).toEqual(OK);
  });

  test('a config that uses everything', () => {
    const registry = registryOf(`
vllm_endpoints:
  - { name: tls, address: api.example.com, port: 443, models: [a], tls: {}, api_key_env: KEY, health_check_path: /health, weight: 7 }
  - { name: sni, address: 10.0.0.1, port: 8443, models: [a, b], tls: { sni: x.example.com } }
  - { name: v6, address: 'fd00::1', port: 8000, models: [b] }
  - { name: drained, address: 10.0.0.3, port: 8000, models: [c], weight: 0 }
  - { name: odd, address: 10.0.0.4, port: 8000, models: ['Modell "ä" \\n', "it's", '名前', 'a/b:c@d', ']]', '%REQ(x)%'] }
model_config: { a: { served_model_name: 'ser"ved' } }
default_model: a
auto_model_name: 'Any "name"'
failure_mode: closed
timeouts: { total: 10m }`);
    expect(validate(withPool(registry))).toEqual(OK);
  });

  test('routers reached by name, as in containers', () => {
    const registry = registryOf(read('config/seed.yaml'));
    const at = { ...ADDRESSES, grpc: { host: 'switchyard', port: 50051 }, http: { host: 'switchyard', port: 8080 } };
    expect(validate(envoyYaml({ registry, ...at }))).toEqual(OK);
  });
});
