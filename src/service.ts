/**
 * The composition root: the only file that knows all others. Builds the world from a config file, starts the servers, and takes all of it
 * down again.
 */
import { dirname, resolve as resolvePath } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ActivateOutcome, ApiDependencies } from './api/dependencies.ts';
import { createApi, createMetricsApi, listen, type Listening } from './api/server.ts';
import { MAX_ANSWER_BYTES } from './config/fields.ts';
import { formatProblem } from './config/problem.ts';
import { openConfigStore, type ConfigStore } from './config/store.ts';
import type { Registry } from './config/registry.ts';
import type { RouterConfig } from './config/schema.ts';
import { longestWaitMs } from './config/waiting.ts';
import { NOTHING_OBSERVED, observe } from './decision/observations.ts';
import { formatHostPort, type HostPort } from './envoy/address.ts';
import { createPoolFeed } from './envoy/pool-feed.ts';
import { startEncoders } from './encoders.ts';
import { messageOf, RouterError } from './errors.ts';
import { explainIn, explanation } from './explain.ts';
import { createExecution, type Execution, type ExecutionOptions } from './execution/execution.ts';
import type { EndpointView } from './execution/traffic.ts';
import { createResolver } from './execution/resolve.ts';
import { createExtProcServer, type ExtProcCount } from './extproc/server.ts';
import { createHandlers } from './handlers.ts';
import { logEndpointState } from './observability/attempts.ts';
import { showConfig, tellConfigChange } from './observability/config-changes.ts';
import type { Log } from './observability/log.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { lookUpModel } from './model-look.ts';
import { parseRequest } from './openai/parse.ts';
import { openOutcomes, type OutcomeStore } from './outcomes/store.ts';
import { decideWith, signalsOf, type World } from './route.ts';
import { startPiiSearch } from './signals/pii.ts';
import { countTokensExact } from './signals/tokens.ts';

export interface ServiceOptions {
  /** The config file; it is watched. */
  readonly config: string;
  readonly grpc: HostPort;
  readonly http: HostPort;
  /** Null: metrics are served by the API alone. */
  readonly metrics: HostPort | null;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Service {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly metricsPort: number | null;
  /** Finishes what is under way, for GRACE_MS at most, then stops everything. */
  close(): Promise<void>;
}

/**
 * Room above the longest wait for reading and rewriting the largest bodies, and for the second that the search for personal data may take:
 * it must end before this does, since past it the failure mode decides. Envoy gives 2 s above that wait (HUNG_ROUTER_MS).
 */
const PIPELINE_SLACK_MS = 1800;
const GRACE_MS = 5000;

/** Starts everything; resolves when the router can take traffic. Throws RouterError when it can't. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { log, env } = options;
  const clock = (): number => performance.now();
  const startedAt = new Date();
  const metrics = createMetrics({ processMetrics: true });
  const store = await openStore(options);
  const closers: (() => Promise<void> | void)[] = [() => store.close()];
  try {
    const encoder = await startEncoders(store, metrics, log);
    await warmTokenCount(store.current());
    closers.push(() => encoder.close());

    const feed = createPoolFeed({ clock });
    const resolver = createResolver({
      onChange: (addresses) => feed.update(store.current(), addresses),
      onFailure: (host, reason) =>
        log.warn({ event: 'endpoint_unresolved', host, reason }, 'an endpoint has no address'),
    });
    closers.push(() => resolver.close());
    await resolver.watch(store.current().endpoints.values());
    feed.update(store.current(), resolver.addresses);

    const execution = createExecution({
      clock,
      random: Math.random,
      registry: () => store.current(),
      addresses: () => resolver.addresses,
      known: (addresses) => feed.known(addresses),
      ...executionEvents(metrics, log),
    });
    closers.push(() => execution.close());
    metrics.gauge('switchyard_queue_waiting', () => execution.waiting());
    showEndpoints(metrics, execution);

    const outcomes = await openGrades(store.current(), options);
    closers.push(() => outcomes.close());
    let observations = NOTHING_OBSERVED;
    const world = (): World => {
      const registry = store.current();
      return {
        registry,
        encoder: encoder.current(),
        deadlineMs: registry.config.timeouts.decision,
        // Made when it is asked for: most of what asks for the world needs only its config.
        get endpoints() {
          return execution.state();
        },
        dispatcher: execution.dispatcher,
        apiKey: (endpoint) => keyOf(registry, endpoint, env),
        clock,
        nowMs: () => Date.now(),
        observations,
        outcomes: outcomes.table(),
        random: Math.random,
        pause: nextTurn,
      };
    };

    store.subscribe((event) => {
      tellConfigChange(event, log, metrics);
      if (event.kind !== 'config_reloaded') return;
      feed.update(event.registry, resolver.addresses);
      void resolver.watch(event.registry.endpoints.values());
      void encoder.follow(event.registry);
    });
    showConfig(metrics, store.current());

    const grpc = createExtProcServer({
      handlers: createHandlers({
        world,
        metrics,
        log,
        clock,
        onUsage: (usage) => {
          observations = observe(observations, usage);
        },
        onAnswer: (answer) => outcomes.answered(answer),
      }),
      log,
      counters: { increment: (count) => countStream(metrics, count) },
      maxBodyBytes: store.current().config.limits.request_body,
      maxAnswersBytes: MAX_ANSWER_BYTES,
      handlerTimeoutMs: () => longestWaitMs(store.current().config) + PIPELINE_SLACK_MS,
      failureMode: () => store.current().config.failure_mode,
    });
    closers.push(() => grpc.close(GRACE_MS));
    metrics.gauge('switchyard_requests_in_flight', () => grpc.load().deciding);
    metrics.gauge('switchyard_extproc_streams', () => grpc.load().openStreams);
    const grpcPort = await grpc.listen(formatHostPort(options.grpc));

    const dependencies: ApiDependencies = {
      clock,
      now: () => new Date(),
      registry: () => store.current(),
      encoder: () => encoder.current(),
      model: () => encoder.loaded(),
      decideText: (text, signal) => decideText(text, signal, world()),
      explain: async (body, headers, signal) =>
        explanation(await explainIn({ body, path: '/v1/chat/completions', headers }, world(), signal)),
      startPiiSearch,
      activate: (config) => Promise.resolve(activate(store, config)),
      readiness: () => [
        { name: 'encoder', ready: encoder.current().info().readyWorkers > 0, detail: 'no encoder worker is ready' },
      ],
      clusters: (knownVersion) => feed.answer(knownVersion),
      outcomes,
      endpoints: () => execution.view(),
      access: { adminToken: env['SWITCHYARD_ADMIN_TOKEN'] ?? null, host: options.http.host },
      metrics,
      log,
    };
    const http = await listenHttp(createApi(dependencies), options.http, 'http');
    closers.push(() => http.close(GRACE_MS));
    const metricsServer =
      options.metrics === null ? null : await listenHttp(createMetricsApi(dependencies), options.metrics, 'metrics');
    if (metricsServer !== null) closers.push(() => metricsServer.close(GRACE_MS));

    grpc.setServing(true);
    const metricsPort = metricsServer?.port ?? null;
    const startMs = Date.now() - startedAt.getTime();
    log.info(
      {
        event: 'ready',
        grpc_port: grpcPort,
        http_port: http.port,
        metrics_port: metricsPort,
        policy_version: store.current().version,
        start_ms: startMs,
      },
      'ready',
    );
    return { grpcPort, httpPort: http.port, metricsPort, close: () => closeAll(closers) };
  } catch (thrown) {
    await closeAll(closers);
    throw thrown;
  }
}

/** Loads the vocabulary before traffic comes, where a window may ask for a real count: it takes long enough to be noticed. */
async function warmTokenCount(registry: Registry): Promise<void> {
  const hasWindows = [...registry.models.values()].some(({ config }) => config.context_window !== undefined);
  if (hasWindows) await countTokensExact('warm', 1);
}

/** In the opposite order of the start: the servers first, what they use last. */
async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

async function openStore({ config, env, log }: ServiceOptions): Promise<ConfigStore> {
  const opened = await openConfigStore({
    file: config,
    environment: env,
    lookUpModel,
  });
  for (const warning of opened.warnings) log.warn({ event: 'config_warning' }, formatProblem(warning));
  if (opened.kind === 'opened') return opened.store;
  throw new RouterError({
    code: 'CONFIG_INVALID',
    source: 'internal',
    where: config,
    message: `${opened.problems.length} problem(s):\n${opened.problems.map(formatProblem).join('\n')}`,
  });
}

/** The table of grades; its file lies beside the config unless its path says otherwise. */
function openGrades({ config: { outcomes } }: Registry, { config, log }: ServiceOptions): Promise<OutcomeStore> {
  return openOutcomes({
    file: outcomes.file === undefined ? null : resolvePath(dirname(config), outcomes.file),
    onProblem: (problem) => log.error({ event: 'outcomes_file_failed', problem }, 'the table of grades is not on disk'),
  });
}

/** What the request path would decide for a text. Kept beside `route`: it ends where there is no body to rewrite. */
async function decideText(text: string, signal: AbortSignal, world: World) {
  const body = Buffer.from(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text }] }));
  const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
  if (parsed.kind === 'invalid') throw new Error(`a request of our own was refused: ${parsed.error.message}`);
  const { request } = parsed;
  const signals = await signalsOf(request, signal, world, { encoder: true, pii: true });
  return { signals, outcome: decideWith(request, signals, new Map(), world) };
}

function activate(store: ConfigStore, config: RouterConfig): ActivateOutcome {
  const outcome = store.proposeConfig(config);
  if (outcome.kind === 'rejected') return { kind: 'refused', problems: outcome.problems.map(formatProblem) };
  store.activate(outcome.registry, 'api', outcome.warnings);
  return { kind: 'activated', version: store.current().version };
}

/** Read at each request, so that a rotated key in the environment of a restarted process is enough; never logged. */
function keyOf(registry: Registry, endpoint: string, env: ServiceOptions['env']): string | null {
  const variable = registry.endpoints.get(endpoint)?.api_key_env;
  return variable === undefined ? null : (env[variable] ?? null);
}

/** What is said of the endpoints as they come and go. */
function executionEvents(metrics: Metrics, log: Log): Pick<ExecutionOptions, 'onChange' | 'onShed' | 'onStale'> {
  return {
    onChange: (change) => {
      const { endpoint, state, reason } = change;
      logEndpointState(log, change);
      metrics.inc('switchyard_endpoint_changes_total', { endpoint, state, reason: reason ?? 'none' });
    },
    onShed: () => metrics.inc('switchyard_queue_shed_total'),
    onStale: (endpoint, address, ageMs) =>
      log.warn(
        { event: 'endpoint_metrics_stale', endpoint, address, age_ms: Math.round(ageMs) },
        'an endpoint no longer tells its load: only what this router sends it is counted',
      ),
  };
}

/** Read at each scrape: an address that is gone, and has nothing under way any more, leaves no series behind. */
function showEndpoints(metrics: Metrics, execution: Pick<Execution, 'view' | 'leaving'>): void {
  const series = <One extends Pick<EndpointView, 'name' | 'address'>>(
    ones: readonly One[],
    valueOf: (one: One) => number,
  ) => ones.map((one) => ({ labels: { endpoint: one.name, address: one.address }, value: valueOf(one) }));
  // Only what is out, or waits to be tried again, has a reason.
  metrics.gaugeSeries('switchyard_endpoint_up', () =>
    series(execution.view(), ({ reason }) => (reason === null ? 1 : 0)),
  );
  metrics.gaugeSeries('switchyard_endpoint_in_flight', () =>
    series([...execution.view(), ...execution.leaving()], ({ in_flight }) => in_flight),
  );
}

function countStream(metrics: Metrics, count: ExtProcCount): void {
  metrics.inc('switchyard_extproc_streams_total', { event: count });
}

async function listenHttp(api: Parameters<typeof listen>[0], address: HostPort, flag: string): Promise<Listening> {
  try {
    return await listen(api, address);
  } catch (cause) {
    throw new RouterError({
      code: 'HTTP_LISTEN_FAILED',
      source: 'internal',
      where: formatHostPort(address),
      message: `cannot listen: ${messageOf(cause)}`,
      hint: `Free the port, or choose another with --${flag}`,
      cause,
    });
  }
}
