/**
 * The pipeline on one screen: bytes → ChatRequest → Signals → Decision → Plan → Mutations. READ FIRST.
 *
 * The server, the API and the CLI call these functions; whatever they need of the world (encoder, clock, chance, the state of the
 * endpoints) comes in as arguments.
 */
import type { Registry } from './config/registry.ts';
import { needsExactCount } from './decision/capabilities.ts';
import { decide } from './decision/decide.ts';
import type { DecisionOutcome } from './decision/decision.ts';
import { signalsNeeded, type SignalNeeds } from './decision/guards.ts';
import type { Observations } from './decision/observations.ts';
import type { Random } from './decision/plan.ts';
import type { EndpointState } from './decision/served.ts';
import type { ApiError } from './errors.ts';
import { limitAttempts } from './execution/attempt-plan.ts';
import { dispatch, type Dispatcher } from './execution/dispatch.ts';
import { priorityOf } from './execution/priority.ts';
import type { Ticket } from './execution/traffic.ts';
import { prepare, type Forward } from './forward.ts';
import { parseRequestAsync } from './openai/parse.ts';
import type { ChatRequest } from './openai/request.ts';
import { NO_OUTCOMES, type Outcomes } from './outcomes/table.ts';
import { CONTENT_ENCODING, CONTENT_TYPE } from './rewrite/headers.ts';
import { collectSignals } from './signals/collect.ts';
import { withExactTokens } from './signals/shape.ts';
import type { Encoder, Signals } from './signals/signals.ts';

/** What routing needs of the world. A snapshot: nothing in it changes while one request is routed. */
export interface World {
  readonly registry: Registry;
  readonly encoder: Encoder;
  /** Time for the signals of one request, in milliseconds: `timeouts.decision` where somebody waits. */
  readonly deadlineMs: number;
  readonly endpoints: EndpointState;
  /** The key that an endpoint is called with; null: the client's own Authorization passes. */
  readonly apiKey: (endpoint: string) => string | null;
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  /** Unix time in milliseconds, for rules with a window of time. */
  readonly nowMs: () => number;
  /** What was seen of the models' answers. */
  readonly observations: Observations;
  /** The operator's grades of earlier answers; absent: there are none. */
  readonly outcomes?: Outcomes;
  readonly random: Random;
  /** Counts what is sent and knows how the endpoints are; absent: a decision is all that is wanted (explain, the API). */
  readonly dispatcher?: Dispatcher;
  /** Lets the event loop take a turn, between the slices of a large body. */
  readonly pause: () => Promise<unknown>;
}

export interface RouteInput {
  readonly path: string;
  /** When the whole request had come, Unix milliseconds: latencies of the answer count from here. */
  readonly startedMs: number;
  /** The request's headers by lower-case name: those that the config trusts are read, nothing is kept. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What came out of routing one request; `request` and `signals` are null as far as it did not get. */
export interface Routed {
  readonly request: ChatRequest | null;
  readonly signals: Signals | null;
  readonly outcome: DecisionOutcome;
  /** Null for a refusal. */
  readonly forward: Forward | null;
  /** Counts the request as under way until it is ended; null for a refusal, and without a dispatcher. */
  readonly ticket: Ticket | null;
  /** From the whole body to the mutations, in milliseconds. */
  readonly latencyMs: number;
  /** The encoder's part of it; null when it was not asked. */
  readonly classificationMs: number | null;
}

/** Routes one request. Never throws for anything that a client can send. */
export async function route(input: RouteInput, world: World): Promise<Routed> {
  const started = world.clock();
  const { registry } = world;
  const options = {
    path: input.path,
    maxDepth: registry.config.limits.json_depth,
    contentType: input.headers.get(CONTENT_TYPE) ?? '',
    contentEncoding: input.headers.get(CONTENT_ENCODING),
  };
  const parsed = await parseRequestAsync(input.body, options, world.pause);
  if (parsed.kind === 'invalid') return refusal(null, null, parsed.error, world.clock() - started);
  const { request } = parsed;
  const needs = signalsNeeded(registry, request.model);
  const isRead = request.problem === null && (needs.encoder || needs.pii);
  const asked = world.clock();
  const judged = isRead ? await signalsOf(request, input.signal, world, needs) : null;
  const classificationMs = isRead && needs.encoder ? world.clock() - asked : null;
  const signals = judged === null ? null : await measured(request, judged, world);
  const { outcome, ticket } = await dispatched(request, signals, input, world);
  try {
    const forward = outcome.kind === 'decided' ? await prepare(input, request, outcome, world) : null;
    return { request, signals, outcome, forward, ticket, latencyMs: world.clock() - started, classificationMs };
  } catch (thrown) {
    ticket?.end();
    throw thrown;
  }
}

/** The decision, and the request counted at its first target. */
async function dispatched(request: ChatRequest, signals: Signals | null, input: RouteInput, world: World) {
  const { registry, dispatcher } = world;
  const { headers, signal } = input;
  if (dispatcher === undefined) return { outcome: decideWith(request, signals, headers, world), ticket: null };
  return dispatch(
    {
      view: { request, headers },
      decide: (endpoints, heldModel) => decideIn(request, signals, headers, { ...world, endpoints }, heldModel),
      maxAttempts: registry.config.fallback.max_attempts,
      queueMs: registry.config.overload.queue_timeout,
      priority: () => priorityOf(registry, headers),
      signal,
    },
    dispatcher,
  );
}

/** Signals whose tokens are counted where the estimate can't tell whether the request fits a model's window. */
async function measured(request: ChatRequest, signals: Signals, { registry, pause }: World): Promise<Signals> {
  const models = [...registry.models.values()];
  const reserve = request.maxOutputTokens ?? registry.config.estimates.output_reserve_tokens;
  if (!needsExactCount(models, signals.shape.inputTokens + reserve)) return signals;
  const largest = Math.max(...models.map(({ config }) => config.context_window ?? 0));
  return { ...signals, shape: await withExactTokens(request, signals.shape, largest, pause) };
}

/** The decision in this world, with the attempts that it would be given. */
export function decideWith(
  request: ChatRequest,
  signals: Signals | null,
  headers: ReadonlyMap<string, string>,
  world: Omit<World, 'pause' | 'apiKey'>,
): DecisionOutcome {
  const outcome = decideIn(request, signals, headers, world, null);
  const { max_attempts } = world.registry.config.fallback;
  return outcome.kind === 'decided' ? { ...outcome, plan: limitAttempts(outcome.plan, max_attempts) } : outcome;
}

function decideIn(
  request: ChatRequest,
  signals: Signals | null,
  headers: ReadonlyMap<string, string>,
  world: Omit<World, 'pause' | 'apiKey'>,
  heldModel: string | null,
): DecisionOutcome {
  const { registry, endpoints, random, observations, outcomes = NO_OUTCOMES } = world;
  const { max_attempts, other_models } = registry.config.fallback;
  return decide({
    request,
    registry,
    signals,
    endpoints,
    random,
    headers,
    nowMs: world.nowMs(),
    observations,
    outcomes,
    maxFallbackModels: other_models ? max_attempts - 1 : 0,
    heldModel,
  });
}

/** What is known about a request; also what `classify` and the API show of a text. */
export function signalsOf(
  request: ChatRequest,
  signal: AbortSignal,
  world: Pick<World, 'encoder' | 'deadlineMs' | 'clock' | 'pause'>,
  needs: SignalNeeds,
): Promise<Signals> {
  const { encoder, deadlineMs, clock, pause } = world;
  return collectSignals({
    request,
    encoder,
    deadlineMs,
    signal,
    clock,
    needs,
    pause,
  });
}

function refusal(request: ChatRequest | null, signals: Signals | null, error: ApiError, latencyMs: number): Routed {
  const outcome: DecisionOutcome = {
    kind: 'refused',
    error,
    reasonCode: 'invalid_request',
    candidates: [],
    block: null,
  };
  return { request, signals, outcome, forward: null, ticket: null, latencyMs, classificationMs: null };
}
