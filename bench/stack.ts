import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { findEnvoy } from '../src/cli/envoy-binary.ts';
import { startSim } from '../src/sim/sim.ts';

/** The router and one Envoy with three listeners: through the router, past it, and the endpoint that both lead to. */
export interface BenchStack {
  readonly routedUrl: string;
  readonly directUrl: string;
  /** Past the router to the simulated endpoint, for streams; through the router it is the model `bench-stream`. */
  readonly directStreamUrl: string;
  /** From the start of the process to the answer of /ready, in milliseconds. */
  readonly readyMs: number;
  readonly router: ChildProcess;
  readonly envoy: ChildProcess;
  readonly apiUrl: string;
  /** Log lines of the router, counted by event. */
  readonly events: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const MAIN = 'dist/cli/main.js';

export async function startBenchStack(): Promise<BenchStack> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  const [listen, direct, directStream, upstream, admin, grpc, api, metrics] = (await freePorts(8)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const sim = await startSim({ models: [STREAM_MODEL], port: 0 });
  const config = join(folder, 'config.yaml');
  writeFileSync(config, dump(routerConfig(upstream, sim.port)));
  const started = performance.now();
  const events = new Map<string, number>();
  const router = spawn(
    process.execPath,
    [MAIN, 'serve', '--config', config, '--grpc', at(grpc), '--http', at(api), '--metrics', at(metrics)],
    { stdio: ['ignore', 'inherit', 'pipe'] },
  );
  countEvents(router, events);
  await until(`http://${at(api)}/ready`);
  const readyMs = performance.now() - started;

  const printed = execFileSync(process.execPath, [
    MAIN,
    'envoy',
    '--config',
    config,
    '--listen',
    at(listen),
    '--admin',
    at(admin),
    '--grpc',
    at(grpc),
    '--http',
    at(api),
  ]);
  const bootstrap = load(printed.toString()) as Bootstrap;
  bootstrap.static_resources.listeners.push(
    listener('direct', direct, { match: { prefix: '/' }, route: { cluster: 'bench_upstream', timeout: '0s' } }),
    listener('direct_stream', directStream, {
      match: { prefix: '/' },
      route: { cluster: 'bench_stream', timeout: '0s' },
    }),
    listener('upstream', upstream, {
      match: { prefix: '/' },
      direct_response: { status: 200, body: { inline_string: ANSWER } },
      response_headers_to_add: [
        { header: { key: 'content-type', value: 'application/json' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
      ],
    }),
  );
  bootstrap.static_resources.clusters.push(cluster('bench_upstream', upstream), cluster('bench_stream', sim.port));
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const found = findEnvoy(process.env);
  if (found.kind !== 'found') throw new Error('no Envoy: npm run envoy:install');
  const envoy = spawn(found.path, ['-c', file, '--disable-hot-restart', '--log-level', 'warning'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await until(`http://${at(admin)}/ready`);
  await until(`http://${at(listen)}/v1/models`);
  // The first poll for endpoints comes within the refresh interval.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return {
    routedUrl: `http://${at(listen)}/v1/chat/completions`,
    directUrl: `http://${at(direct)}/v1/chat/completions`,
    directStreamUrl: `http://${at(directStream)}/v1/chat/completions`,
    apiUrl: `http://${at(api)}`,
    readyMs,
    router,
    envoy,
    events,
    stop: async () => {
      await Promise.all([stop(envoy), stop(router), sim.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const STREAM_MODEL = 'bench-stream';

function cluster(name: string, port: number): object {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    circuit_breakers: { thresholds: [{ max_connections: 65536, max_requests: 65536, max_pending_requests: 65536 }] },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

interface Bootstrap {
  static_resources: { listeners: unknown[]; clusters: unknown[] };
}

const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 0,
  model: 'bench-small',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

function routerConfig(upstream: number, stream: number): object {
  const endpoint = (name: string, port = upstream): object => ({ name, address: '127.0.0.1', port, models: [name] });
  const categories = ['math', 'physics', 'computer science', 'law', 'health', 'business', 'history', 'other'];
  return {
    vllm_endpoints: [endpoint('bench-small'), endpoint('bench-large'), endpoint(STREAM_MODEL, stream)],
    model_config: { 'bench-large': { reasoning_family: 'qwen3' } },
    default_model: 'bench-small',
    // Long enough that a loaded machine degrades nothing: what is measured is the work, not the giving up.
    timeouts: { decision: '5s' },
    categories: categories.map((name) => ({
      name,
      system_prompt: `You are an expert in ${name}. Answer precisely and say what you assume.`,
      model_scores: [
        { model: 'bench-large', score: 0.9, use_reasoning: true },
        { model: 'bench-small', score: 0.6 },
      ],
    })),
  };
}

function listener(name: string, port: number, route: object): object {
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              stat_prefix: name,
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                },
              ],
              route_config: { virtual_hosts: [{ name, domains: ['*'], routes: [route] }] },
            },
          },
        ],
      },
    ],
  };
}

function countEvents(router: ChildProcess, events: Map<string, number>): void {
  let rest = '';
  router.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = /"event":"(\w+)"/.exec(line)?.[1] ?? 'none';
      events.set(event, (events.get(event) ?? 0) + 1);
      if (line.includes('"level":"error"') || line.includes('"level":"fatal"')) process.stderr.write(`${line}\n`);
    }
  });
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function until(url: string, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const status = await new Promise<number>((resolve) => {
      http
        .get(url, (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
        .on('error', () => resolve(0));
    });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${url} did not answer within ${withinMs} ms`);
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 8000).unref();
  });
}

/** CPU seconds that a process has used and its memory, from /proc. */
export function usageOf(child: ChildProcess): {
  readonly cpuS: number;
  readonly rssMiB: number;
  readonly peakMiB: number;
} {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kib = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return {
    cpuS: (Number(stat[11]) + Number(stat[12])) / 100,
    rssMiB: kib('VmRSS') / 1024,
    peakMiB: kib('VmHWM') / 1024,
  };
}
