/** What Envoy's streams ask for, in terms of the pipeline: routes, tells about it, and keeps what the answer's headers need. */
import { answerHeaders, keptReply, lastErrorReply, tracedAnswer, wantsTrace, type Answering } from './answer.ts';
import { asAnswered, attemptsAnswered, attemptsOf, lastErrorBefore, sourceOf } from './attempts-seen.ts';
import { noteOf } from './cascade/carried.ts';
import { createChecker } from './cascade/checker.ts';
import { createShares } from './cascade/share.ts';
import type { Usage } from './decision/observations.ts';
import type { Attempt } from './execution/attempts.ts';
import type { Ticket } from './execution/traffic.ts';
import { describeFailure } from './extproc/describe-failure.ts';
import type { ExtProcHandlers, HeadersRequest, RewriteRequest, RouteRequest } from './extproc/handlers.ts';
import type { Ending, RouteOutcome, ResponseStart } from './extproc/machine-events.ts';
import { logAttempts, measureAttempts } from './observability/attempts.ts';
import { logCapped, measureCheck, showShares, tellEscalated } from './observability/cascade.ts';
import { logBlock } from './observability/events.ts';
import { routeRetry } from './forward.ts';
import type { Log } from './observability/log.ts';
import { measureRouting, modelLabel } from './observability/metrics-decision.ts';
import type { Metrics } from './observability/metrics.ts';
import { buildRecord, logRecord, safeRequestId, type RoutingRecord } from './observability/record.ts';
import { logSteps } from './observability/steps.ts';
import { startRouteSpan, type RouteSpan } from './observability/tracing.ts';
import { createUsageListener } from './observability/usage.ts';
import { answerFormat } from './openai/response.ts';
import { takesOnlyPost } from './openai/paths.ts';
import { methodNotSupported, unknownUrl, upstreamUnavailable } from './openai/reply.ts';
import type { Answered } from './outcomes/recent.ts';
import { carriedIn, targetOf, type Carried } from './rewrite/carried.ts';
import {
  CHECKED_NAMESPACE,
  CLIENT_AUTHORIZATION,
  CLIENT_NAMESPACE,
  CONTENT_ENCODING,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  REQUEST_ID,
} from './rewrite/headers.ts';
import { refusalOf, reply } from './refusal.ts';
import type { HeaderEdit } from './rewrite/mutations.ts';
import { route, type Routed, type World } from './route.ts';
import { judgedText } from './signals/judged-text.ts';

export interface HandlerDependencies {
  /** A fresh snapshot for each request. */
  readonly world: () => World;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: () => number;
  /** Hears of each whole answer. */
  readonly onUsage: (usage: Usage) => void;
  /** Hears of each whole answer to a routed request, by its id. */
  readonly onAnswer?: (answer: Answered) => void;
}

/** Methods whose body may name a model. */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** The handlers of one service. */
export function createHandlers(dependencies: HandlerDependencies): ExtProcHandlers<Answering> {
  const { world, metrics, log, clock } = dependencies;
  const shares = createShares(clock);
  showShares(metrics, () => shares.view());
  const checker = createChecker({
    shares,
    onChecked: (event) => measureCheck(metrics, world().registry, event),
    onCapped: (route, maxShare) => logCapped(log, route, maxShare),
  });
  return {
    wantsCheck: checker.wantsCheck,
    check: checker.check,
    needsBody: (headers) => METHODS_WITH_BODY.has(methodOf(headers)) && !isWrongMethod(headers),
    headersOnly: (request) => nothingToRoute(request),
    route: (request) => routeOne(request, dependencies),
    rewriteFor: (request) => retryOne(request, dependencies),
    responseHeaders: (context, response) => {
      if (context === undefined) return [];
      const answering = asAnswered(context, response);
      tellAttempts(answering, response, dependencies);
      return headersOf(answering, response);
    },
    responseInstead: (context, response) => {
      const answering = asAnswered(context, response);
      const kept = keptReply(answering, sourceOf(response), response);
      if (kept !== null) return kept;
      const last = lastErrorBefore(answering, response, world());
      return last === null ? null : lastErrorReply(last);
    },
    wantsResponseBody: (answering, response) => wantsTrace(answering) && isSmallJson(response),
    responseBody: (context, response, body) => {
      const { address, attempt } = sourceOf(response);
      return tracedAnswer(asAnswered(context, response), body, address, attempt);
    },
    finished: ({ routed }: Answering, how: Ending) => {
      routed.ticket?.end();
      if (how === 'failed') metrics.inc('switchyard_failures_total', { where: 'stream', policy: 'failure_mode' });
    },
    observe: () =>
      createUsageListener({
        ...dependencies,
        unixMs: () => unixMs(dependencies.clock),
        registry: () => world().registry,
      }),
  };
}

/** Unix milliseconds with fractions that never go back. */
function unixMs(clock: () => number): number {
  return performance.timeOrigin + clock();
}

async function routeOne(request: RouteRequest, dependencies: HandlerDependencies): Promise<RouteOutcome<Answering>> {
  const world = dependencies.world();
  const { headers, signal } = request;
  const path = headers.get(':path') ?? '/';
  const span = startRouteSpan(request.headers);
  let ticket: Ticket | null = null;
  try {
    const routed = await route(
      { path, startedMs: unixMs(dependencies.clock), headers, body: request.body, signal },
      world,
    );
    ticket = routed.ticket;
    // The client has hung up: nobody reads the decision, and it is none of the traffic's.
    if (request.signal.aborted) {
      routed.ticket?.end();
      span.fail('cancelled');
      return reply(upstreamUnavailable(''));
    }
    const outcome = outcomeOf(routed, safeRequestId(request.headers.get(REQUEST_ID) ?? null), world.nowMs());
    // Once the answer is on its way to Envoy: telling takes a fifth of a millisecond, and nobody waits for it.
    setImmediate(() => tellSafely(routed, request, span, world, dependencies));
    return outcome;
  } catch (thrown) {
    ticket?.end();
    span.fail('internal');
    throw thrown;
  }
}

/** The request has its answer already: what breaks here is told as far as it can be, and ends nothing. */
function tellSafely(
  routed: Routed,
  request: RouteRequest,
  span: RouteSpan,
  world: World,
  dependencies: HandlerDependencies,
): void {
  try {
    span.end(tell(routed, request, span.traceId, world, dependencies));
  } catch (thrown) {
    dependencies.metrics.inc('switchyard_failures_total', { where: 'record', policy: 'none' });
    const line = { event: 'record_failed', ...describeFailure(thrown) };
    quietly(() => span.fail('internal'));
    quietly(() => dependencies.log.error(line, 'a decision was made but could not be recorded'));
  }
}

/** What failed may be the log or the span itself. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It is counted already.
  }
}

/** Metrics, the debug lines and the one line of the decision. */
function tell(
  routed: Routed,
  request: RouteRequest,
  traceId: string | null,
  world: World,
  { metrics, log }: HandlerDependencies,
): RoutingRecord {
  const { registry } = world;
  const { signals, outcome } = routed;
  const requestId = request.headers.get(REQUEST_ID) ?? null;
  measureRouting(metrics, {
    registry,
    signals,
    outcome,
    routingLatencyMs: routed.latencyMs,
    classificationMs: routed.classificationMs,
    bodyBytes: request.body.byteLength,
  });
  const model = routed.request?.model ?? null;
  const record = buildRecord({
    requestId,
    traceId,
    originalModel: model,
    modelIsKnown: model !== null && (registry.models.has(model) || registry.aliases.has(model)),
    signals,
    outcome,
    policyVersion: registry.version,
    routingLatencyMs: routed.latencyMs,
    ...(registry.config.log.prompts && routed.request !== null
      ? { prompt: judgedText(routed.request)?.text ?? '' }
      : {}),
  });
  logSteps(log, { requestId, signals, outcome, threshold: registry.config.classifier.category_model.threshold });
  logRecord(log, record);
  if (outcome.kind === 'refused' && outcome.block !== null) logBlock(log, record, outcome.block);
  return record;
}

function outcomeOf(routed: Routed, requestId: string | null, nowMs: number): RouteOutcome<Answering> {
  if (routed.outcome.kind === 'refused') return refusalOf(routed, routed.outcome, nowMs);
  const { forward } = routed;
  // Decided means prepared: route() makes both or neither.
  if (forward === null) throw new Error('a decided request has no mutations');
  return { kind: 'forward', mutations: forward.mutations, context: { routed, forward, requestId } };
}

/** A request without a body names no model. The lists of models never come here: Envoy takes them to the API. */
function nothingToRoute({ headers }: HeadersRequest): RouteOutcome<Answering> {
  const error = isWrongMethod(headers) ? methodNotSupported : unknownUrl;
  return reply(error(methodOf(headers), headers.get(':path') ?? ''));
}

function methodOf(headers: HeadersRequest['headers']): string {
  return headers.get(':method') ?? '';
}

function isWrongMethod(headers: HeadersRequest['headers']): boolean {
  return methodOf(headers) !== 'POST' && takesOnlyPost(headers.get(':path') ?? '');
}

async function retryOne(request: RewriteRequest, dependencies: HandlerDependencies): Promise<RouteOutcome<Answering>> {
  const world = dependencies.world();
  const carried = carriedIn(request.metadata);
  const path = request.headers.get(':path') ?? '/';
  const { address, attempt, body } = request;
  if (carried !== null) {
    const seen = { count: attempt, status: 0, details: '' };
    const failed = attemptsOf(carried, request, seen, world).filter((one) => one.attempt === attempt - 1);
    world.dispatcher?.traffic.attempted(failed);
    tellWasted(carried, request, failed, world, dependencies);
  }
  const contentType = request.headers.get(CONTENT_TYPE) ?? '';
  const kept = request.metadata.get(CLIENT_NAMESPACE)?.[CLIENT_AUTHORIZATION];
  const clientAuthorization = typeof kept === 'string' ? kept : null;
  const mutations =
    carried === null
      ? null
      : await routeRetry({ path, contentType, body, carried, address, attempt, clientAuthorization }, world);
  // An endpoint outside the plan must not see a body that was written for another model.
  if (mutations === null) return reply(upstreamUnavailable(carried?.targets[0]?.model ?? ''));
  return { kind: 'forward', mutations };
}

/** The tokens of the answer that this attempt is made in place of, where that one did not pass its check. */
function tellWasted(
  { requestId }: Carried,
  { metadata, attempt }: RewriteRequest,
  [before]: readonly Attempt[],
  { registry }: World,
  { metrics, log }: HandlerDependencies,
): void {
  const note = noteOf(metadata.get(CHECKED_NAMESPACE), attempt - 1);
  if (note?.result !== 'escalated' || before === undefined) return;
  const { target, latencyMs } = before;
  tellEscalated({ requestId, model: target.model, note, latencyMs }, { metrics, log, registry });
}

/** What became of the attempts: the last one is told to the endpoints' health here, the earlier ones were told when they were tried again. */
function tellAttempts(
  { routed, forward, requestId }: Answering,
  response: ResponseStart,
  { world, metrics, log }: HandlerDependencies,
): void {
  const now = world();
  const { address, attempt, attempts: count } = sourceOf(response);
  const attempts = attemptsAnswered({ routed, forward, requestId }, response, now);
  const served = targetOf(forward.carried, address, attempt);
  if (served !== null) routed.ticket?.served(served);
  // Envoy counts an attempt that found no endpoint left, too.
  const last = Math.min(count, forward.carried.targets.length);
  routed.ticket?.attempted(attempts.filter((one) => one.attempt === last));
  measureAttempts(metrics, now.registry, attempts);
  const isAfterAll = attempt < count;
  if (isAfterAll && served !== null) {
    metrics.inc('switchyard_cascade_given_after_all_total', { model: modelLabel(now.registry, served.model) });
  }
  logAttempts(log, requestId, attempts, isAfterAll ? attempt : null);
}

function headersOf(answering: Answering, response: ResponseStart): readonly HeaderEdit[] {
  const status = Number(response.headers.get(':status'));
  if (!(status >= 200 && status < 300)) return [];
  return answerHeaders(answering, sourceOf(response), response);
}

/** Envoy holds a body of up to its buffer's size; an explanation goes into answers well below that, and never into a stream. */
const MAX_TRACED_BYTES = 512 * 1024;

function isSmallJson({ headers }: ResponseStart): boolean {
  const status = Number(headers.get(':status'));
  const bytes = Number(headers.get(CONTENT_LENGTH) ?? Number.NaN);
  const isJson = answerFormat(headers.get(CONTENT_TYPE) ?? '', headers.get(CONTENT_ENCODING)) === 'json';
  return status >= 200 && status < 300 && isJson && bytes <= MAX_TRACED_BYTES;
}
