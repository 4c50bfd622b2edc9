import { createAdaptorServer } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { refuseManagement } from './access.ts';
import { failure, type Answer } from './answer.ts';
import type { AccessSettings, ApiDependencies } from './dependencies.ts';
import { BATCH_WIDTH } from './encode-texts.ts';
import { createLane } from './lane.ts';
import { createBodyBudget, readJsonBody, type BodyBudget } from './read-body.ts';
import { apiRoutes, metricsRoutes, type Route } from './routes.ts';

/** Parsing this much JSON takes about 20 ms, during which nothing else runs; `limits.request_body` can only make it smaller. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** All bodies together. */
const BODY_BUDGET_BYTES = 64 * 1024 * 1024;
/** Single texts at the encoder at a time, and waiting for it. */
const INTERACTIVE_LANE = { width: 4, maxWaiting: 256 };
/** Texts of batches: two keep two workers busy, and a routed request finds no more than these before it. */
const BACKGROUND_LANE = { width: BATCH_WIDTH, maxWaiting: 256 };

/** An API as a function from Request to Response: tests call it without a socket, `listen` gives it one. */
export type Api = Hono;

/** The classification and configuration API (docs/api.md). */
export function createApi(dependencies: ApiDependencies): Api {
  const lanes = { interactive: createLane(INTERACTIVE_LANE), background: createLane(BACKGROUND_LANE) };
  const waiting = () => lanes.interactive.waiting() + lanes.background.waiting();
  dependencies.metrics.gauge('switchyard_api_lane_waiting', waiting);
  return buildApp({
    ...dependencies,
    routes: apiRoutes(dependencies, lanes),
    maxBodyBytes: () => Math.min(MAX_BODY_BYTES, dependencies.registry().config.limits.request_body),
  });
}

/** GET /metrics (and /health) alone, for a listener that only the scraper reaches. */
export function createMetricsApi(dependencies: Pick<ApiDependencies, 'clock' | 'now' | 'metrics' | 'log'>): Api {
  return buildApp({
    ...dependencies,
    access: { adminToken: null, host: '' },
    routes: metricsRoutes(dependencies),
    maxBodyBytes: () => 0,
  });
}

interface AppSettings {
  readonly routes: readonly Route[];
  readonly access: AccessSettings;
  readonly maxBodyBytes: () => number;
  readonly clock: () => number;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly log: Log;
}

function buildApp(settings: AppSettings): Api {
  const app = new Hono();
  const budget = createBodyBudget(BODY_BUDGET_BYTES);
  for (const path of new Set(settings.routes.map((route) => route.path))) {
    const routes = settings.routes.filter((route) => route.path === path);
    const pattern = path.replace(/\{(\w+)\}/g, ':$1{.+}');
    app.all(pattern, async (context) => {
      const route = routes.find((one) => one.method === methodOf(context));
      return measured(settings, context, path, () =>
        route === undefined ? wrongMethod(path, routes) : handle(route, context, settings, budget),
      );
    });
  }
  app.notFound((context) => measured(settings, context, 'other', () => noRoute(context.req.path)));
  return app;
}

/** HEAD is GET without the body, which the HTTP server leaves out. */
function methodOf(context: Context): string {
  return context.req.method === 'HEAD' ? 'GET' : context.req.method;
}

async function handle(route: Route, context: Context, settings: AppSettings, budget: BodyBudget): Promise<Answer> {
  if (route.management) {
    const refusal = refuseManagement(
      {
        authorization: context.req.header('authorization'),
        hostname: new URL(context.req.url).hostname,
        origin: context.req.header('origin'),
      },
      settings.access,
    );
    if (refusal !== null) return refusal;
  }
  const input = { params: context.req.param(), signal: context.req.raw.signal };
  if (route.body === null) return route.handle({ ...input, body: undefined });
  const body = await readJsonBody(context.req.raw, settings.maxBodyBytes(), budget);
  if (body.kind === 'refused') return body.answer;
  try {
    return await route.handle({ ...input, body: body.value });
  } finally {
    budget.give(body.bytes);
  }
}

/** Runs a handler, turns whatever it throws into a 500 that tells nothing, and counts. */
async function measured(
  settings: AppSettings,
  context: Context,
  route: string,
  work: () => Answer | Promise<Answer>,
): Promise<Response> {
  const start = settings.clock();
  let answer: Answer;
  try {
    answer = await work();
  } catch (thrown) {
    settings.log.error({ event: 'api_error', route, error: messageOf(thrown) }, 'API handler failed');
    answer = failure(500, 'INTERNAL_ERROR', 'The request failed inside the router; its log says more.');
  }
  const ms = settings.clock() - start;
  settings.metrics.inc('switchyard_api_requests_total', { route, status: String(answer.status) });
  settings.metrics.observe('switchyard_api_request_seconds', ms / 1000, { route });
  // Envoy asks for its clusters every second or so: that nothing is new is no line for people who look for something.
  settings.log[answer.status === 304 ? 'trace' : 'debug']({
    event: 'api_request',
    route,
    method: context.req.method,
    status: answer.status,
    duration_ms: ms,
  });
  return respond(answer, settings.now());
}

/** Routes of OpenAI's API: their errors have its codes and members too, so that client libraries understand them. */
function isOpenAi(path: string): boolean {
  return path.startsWith('/v1/');
}

const OPENAI_DETAILS = { type: 'invalid_request_error', param: null };

function wrongMethod(path: string, routes: readonly Route[]): Answer {
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  const message = `This route takes ${allowed}.`;
  const headers = { allow: allowed };
  return isOpenAi(path)
    ? failure(405, 'method_not_supported', message, { headers, details: OPENAI_DETAILS })
    : failure(405, 'METHOD_NOT_ALLOWED', message, { headers });
}

function noRoute(path: string): Answer {
  return isOpenAi(path)
    ? failure(404, 'unknown_url', 'Unknown request URL. GET /v1/models lists the models.', { details: OPENAI_DETAILS })
    : failure(404, 'NOT_FOUND', 'No such route. GET /openapi.json lists them.');
}

function respond(answer: Answer, now: Date): Response {
  // Answers are for the caller alone, and no browser may guess another type for them.
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  const isJson = { ...common, 'content-type': 'application/json' };
  switch (answer.kind) {
    case 'json':
      return new Response(JSON.stringify(answer.value), { status: answer.status, headers: isJson });
    case 'text':
      return new Response(answer.text, {
        status: answer.status,
        headers: { ...common, 'content-type': answer.contentType },
      });
    case 'empty':
      return new Response(null, { status: answer.status, headers: common });
    case 'error': {
      const { code, message, details = {} } = answer;
      const error = { code, message, timestamp: now.toISOString(), ...details };
      return new Response(JSON.stringify({ error }), {
        status: answer.status,
        headers: { ...isJson, ...answer.headers },
      });
    }
  }
}

/** A listening server. */
export interface Listening {
  /** The port that it got; differs from the one asked for when that was 0. */
  readonly port: number;
  /** Stops accepting, lets running requests end for `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** Listens on `host:port` (port 0: any free one). Rejects with the system's error when it can't. */
export function listen(api: Api, address: { readonly host: string; readonly port: number }): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: api.fetch,
    serverOptions: {
      // A request that trickles in holds a connection this long at most.
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      // Longer than load balancers and Envoy keep idle connections is not needed; shorter makes them race.
      keepAliveTimeout: 65_000,
    },
  });
  if ('maxConnections' in server) server.maxConnections = 1024;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close: (graceMs) => close(server, graceMs) });
    });
  });
}

function close(server: ReturnType<typeof createAdaptorServer>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      if ('closeAllConnections' in server) server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
}
