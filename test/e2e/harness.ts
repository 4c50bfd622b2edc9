/**
 * A whole stack for one test file: simulated endpoints, a router, and its own real Envoy with the bootstrap that `switchyard envoy` prints.
 * All ports are free ones; what the processes print is kept and shown only when a test fails (`watched`).
 */
import { createServer } from 'node:http';
import { load } from '../../src/config/load.ts';
import type { Registry } from '../../src/config/registry.ts';
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts';
import type { JsonObject } from '../../src/envoy/xds.ts';
import { startSim, type Sim, type SimOptions } from '../../src/sim/sim.ts';
import { exchange, type Exchange, type ExchangeOptions } from './harness-client.ts';
import { startEnvoy, type RunningEnvoy } from './harness-envoy.ts';
import { startRouter, type RouterKind, type RunningRouter } from './harness-router.ts';
import { until } from './harness-wait.ts';

export interface StackOptions {
  /** The router's YAML. `${PORT_NAME}` stands for the port of the simulated endpoint NAME (upper case, `-` as `_`). */
  readonly config: string;
  readonly sims: readonly (Omit<SimOptions, 'port'> & { readonly name: string })[];
  /** process: `dist/cli/main.js serve`. fake: harness-fake-router.ts in a process of its own. none: nothing listens there. Default process. */
  readonly router?: RouterKind;
  /** For the config, the router and Envoy. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables that Envoy alone gets, or (empty) does not get. */
  readonly envoyEnv?: Readonly<Record<string, string>>;
  /** Changes the bootstrap before Envoy starts. */
  readonly editBootstrap?: (bootstrap: JsonObject) => JsonObject;
  readonly caFile?: string;
}

export interface Stack {
  /** http://127.0.0.1:port of Envoy. */
  readonly envoyUrl: string;
  readonly adminUrl: string;
  /** The router's API. */
  readonly apiUrl: string;
  readonly envoy: RunningEnvoy;
  readonly router: RunningRouter;
  readonly registry: Registry;
  /** A simulated endpoint by name; throws when there is none. */
  sim(name: string): Sim;
  /** One request through Envoy. */
  send(options: ExchangeOptions): Promise<Exchange>;
  /** A chat request through Envoy: `model`, one user message, and whatever else. */
  chat(model: string, extra?: object, headers?: Record<string, string>): Promise<Exchange>;
  /** Everything that the processes printed. */
  logs(): string;
  /** The router's log lines with this event, oldest first. */
  events(event: string): readonly Record<string, unknown>[];
  routingDecisions(): readonly Record<string, unknown>[];
  killRouter(): Promise<void>;
  /** SIGSTOP: it stays connected and answers nothing. */
  pauseRouter(): void;
  resumeRouter(): void;
  /** Starts it again on the same ports; resolves when it is ready. */
  restartRouter(): Promise<void>;
  /** Wraps a test: what the processes printed is shown when it fails. */
  watched(test: () => Promise<void>): () => Promise<void>;
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const sims = new Map<string, Sim>();
  const opened: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of opened.splice(0).reverse()) await part.stop();
  };
  try {
    const env: Record<string, string> = { ...options.env };
    for (const spec of options.sims) {
      const sim = await startSim({ ...spec, port: 0 });
      sims.set(spec.name, sim);
      opened.push({ stop: () => sim.close() });
      env[`PORT_${spec.name.toUpperCase().replaceAll('-', '_')}`] = String(sim.port);
    }
    const registry = registryOf(options.config, env);
    const [grpcPort, httpPort] = [await freePort(), await freePort()];
    const router = await startRouter({
      kind: options.router ?? 'process',
      config: options.config,
      env,
      grpcPort,
      httpPort,
    });
    opened.push(router);
    const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
    const bootstrap = envoyBootstrap({
      registry,
      listen: at(0),
      admin: at(0),
      grpc: at(grpcPort),
      http: at(httpPort),
      ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    });
    const envoy = await startEnvoy(options.editBootstrap?.(bootstrap) ?? bootstrap, { ...env, ...options.envoyEnv });
    opened.push(envoy);
    const routerIsHealthy = async (): Promise<boolean> =>
      /^router::[^\n]*::health_flags::healthy$/m.test(await envoy.admin('/clusters')) &&
      (await envoy.admin('/clusters')).includes('pool::');
    if (router.kind !== 'none') await until(routerIsHealthy, 'Envoy to have the router and the pool');

    const send = (request: ExchangeOptions): Promise<Exchange> => exchange(envoy.url, request);
    const logs = (): string => `--- router\n${router.logs()}\n--- envoy\n${envoy.logs()}`;
    const events = (event: string): readonly Record<string, unknown>[] => linesWith(router.logs(), event);
    return {
      envoyUrl: envoy.url,
      adminUrl: envoy.adminUrl,
      apiUrl: `http://127.0.0.1:${httpPort}`,
      envoy,
      router,
      registry,
      sim: (name) => {
        const sim = sims.get(name);
        if (sim === undefined) throw new Error(`no simulated endpoint ${name}`);
        return sim;
      },
      send,
      chat: (model, extra = {}, headers = {}) =>
        send({ body: { model, messages: [{ role: 'user', content: 'What is 2 + 2?' }], ...extra }, headers }),
      logs,
      events,
      routingDecisions: () => events('routing_decision'),
      killRouter: () => router.kill(),
      pauseRouter: () => router.signal('SIGSTOP'),
      resumeRouter: () => router.signal('SIGCONT'),
      restartRouter: () => router.restart(),
      watched: (test) => async () => {
        try {
          await test();
        } catch (error) {
          process.stderr.write(`${logs().slice(-20_000)}\n`);
          throw error;
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The registry of a config text; throws with all its problems. */
export function registryOf(config: string, env: Readonly<Record<string, string>> = {}): Registry {
  const loaded = load(config, 'test.yaml', env);
  if (loaded.kind === 'loaded') return loaded.registry;
  throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}

function linesWith(text: string, event: string): readonly Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{') || !line.includes(event)) return [];
    try {
      const parsed = JSON.parse(line) as Record<string, unknown>;
      return parsed['event'] === event ? [parsed] : [];
    } catch {
      return [];
    }
  });
}

/** A port that was free a moment ago: a router must come back on its own, so it can't take any. */
/**
 * A free port below those that the system gives to outgoing connections (from 32768 on Linux): one of those could be taken again by a test's own
 * client before the router listens on it.
 */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error('no free port in a hundred tries');
}
