/**
 * The pipeline on one screen: bytes → ChatRequest → Signals → Decision → Plan → Mutations. READ FIRST.
 *
 * The server, the API and the CLI call these functions; whatever they need of the world (encoder, clock, chance, the state of the
 * endpoints) comes in as arguments.
 */
import type { Registry } from './config/registry.ts';
import { needsExactCount } from './decision/capabilities.ts';
import { decide } from './decision/decide.ts';
import type { DecisionOutcome, Plan, Target } from './decision/decision.ts';
import { signalsNeeded, type SignalNeeds } from './decision/guards.ts';
import type { Observations } from './decision/observations.ts';
import { reasoningEdit, type Random } from './decision/plan.ts';
import type { EndpointState } from './decision/served.ts';
import type { ApiError } from './errors.ts';
import { hasLargerWindow, limitAttempts } from './execution/attempt-plan.ts';
import { dispatch, type Dispatcher } from './execution/dispatch.ts';
import { priorityOf } from './execution/priority.ts';
import type { Ticket } from './execution/traffic.ts';
import { parseRequestAsync } from './openai/parse.ts';
import type { ChatRequest } from './openai/request.ts';
import { NO_OUTCOMES, type Outcomes } from './outcomes/table.ts';
import { rewriteBody } from './rewrite/body.ts';
import { CARRIED_KEY, CARRIED_NAMESPACE, encodeCarried, targetOf, type Carried } from './rewrite/carried.ts';
import { AUTHORIZATION, CONTENT_TYPE, SWITCHYARD_TRACE } from './rewrite/headers.ts';
import type { HeaderEdit, Mutations } from './rewrite/mutations.ts';
import { decodeRewriteNote, EMPTY_NOTE, encodeRewriteNote } from './rewrite/note.ts';
import { planReasoning } from './rewrite/reasoning.ts';
import { requestMutations, retryMutations } from './rewrite/request-edits.ts';
import { responseHeaderEdits } from './rewrite/response-edits.ts';
import { compactTrace, routingMetadata, withMember } from './rewrite/trace.ts';
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

/** What Envoy is told, and what is kept for the response's headers. */
export interface Forward {
  readonly mutations: Mutations;
  readonly carried: Carried;
  readonly injectedSystemPrompt: boolean;
}

/** Routes one request. Never throws for anything that a client can send. */
export async function route(input: RouteInput, world: World): Promise<Routed> {
  const started = world.clock();
  const { registry } = world;
  const options = {
    path: input.path,
    maxDepth: registry.config.limits.json_depth,
    contentType: input.headers.get(CONTENT_TYPE) ?? '',
  };
  const parsed = await parseRequestAsync(input.body, options, world.pause);
  if (parsed.kind === 'invalid') return refusal(null, null, parsed.error, world.clock() - started);
  const { request } = parsed;
  const needs = signalsNeeded(registry, request.model);
  const isRead = request.problem === null && (needs.encoder || needs.pii);
  const asked = world.clock();
  const judged = isRead ? await signalsOf(request, input.signal, world, needs) : null;
  const classificationMs = isRead && needs.encoder ? world.clock() - asked : null;
  const signals = judged === null ? null : await measured(request, judged, registry);
  const { outcome, ticket } = await dispatched(request, signals, input, world);
  try {
    const forward = outcome.kind === 'decided' ? prepare(input, request, outcome, world) : null;
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
async function measured(request: ChatRequest, signals: Signals, registry: Registry): Promise<Signals> {
  const models = [...registry.models.values()];
  const reserve = request.maxOutputTokens ?? registry.config.estimates.output_reserve_tokens;
  if (!needsExactCount(models, signals.shape.inputTokens + reserve)) return signals;
  const largest = Math.max(...models.map(({ config }) => config.context_window ?? 0));
  return { ...signals, shape: await withExactTokens(request, signals.shape, largest) };
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

/** The body for the first target, and what the later ones will need. */
function prepare(
  { body, headers }: RouteInput,
  request: ChatRequest,
  outcome: Extract<DecisionOutcome, { kind: 'decided' }>,
  world: World,
): Forward {
  const { decision, plan } = outcome;
  const [first] = plan.targets;
  const callerReasoningWins = world.registry.config.caller_reasoning_wins;
  const rewritten = plan.untouched
    ? { body, injectedSystemPrompt: false, note: EMPTY_NOTE }
    : rewriteBody(body, request, {
        model: first.servedModel,
        reasoning: first.reasoning,
        systemPrompt: decision.systemPrompt,
        callerReasoningWins,
        strip: decision.stripFields,
      });
  const carried: Carried = {
    targets: plan.targets.map((target) => ({ ...target, reasoningTold: told(body, request, target, plan, world) })),
    untouched: plan.untouched,
    note: encodeRewriteNote(rewritten.note),
    callerReasoningWins,
    category: decision.category.name,
  };
  const mutations = requestMutations(
    {
      body: rewritten.body === body ? null : rewritten.body,
      selectedModel: decision.selectedModel,
      addresses: plan.targets.map((target) => target.address),
      decision: decision.decision,
      apiKey: world.apiKey(first.endpoint),
      clientAuthorization: keptAuthorization(plan, headers, world),
      stripAuthorization: !world.registry.config.forward_authorization,
      retryContextLength:
        world.registry.config.fallback.retry_on.includes('context_length') && hasLargerWindow(plan, world.registry),
    },
    { [CARRIED_NAMESPACE]: { [CARRIED_KEY]: encodeCarried(carried) } },
  );
  return { mutations, carried, injectedSystemPrompt: rewritten.injectedSystemPrompt };
}

/** The client's Authorization, where one attempt replaces it by an endpoint's key and a later one is to have it back. */
function keptAuthorization(plan: Plan, headers: ReadonlyMap<string, string>, world: World): string | null {
  const hasKey = plan.targets.map(({ endpoint }) => world.apiKey(endpoint) !== null);
  const isMixed = hasKey.includes(true) && hasKey.includes(false);
  return isMixed && world.registry.config.forward_authorization ? (headers.get(AUTHORIZATION) ?? null) : null;
}

/** What a target's endpoint is told about reasoning: our edit under the caller's own fields, or those alone where the body stays as it came. */
function told(body: Uint8Array, request: ChatRequest, target: Target, plan: Plan, world: World): boolean {
  const model = world.registry.models.get(target.model);
  const isOurs = target.reasoning.kind !== 'none';
  if (model === undefined || (!isOurs && model.reasoningFamily === null)) return false;
  const edit = isOurs ? target.reasoning : reasoningEdit(model, false, 'low');
  const callerWins = !isOurs || plan.untouched || world.registry.config.caller_reasoning_wins;
  return planReasoning(body, request, edit, callerWins, EMPTY_NOTE).told;
}

export interface RetryInput {
  readonly path: string;
  readonly contentType: string;
  /** The body as the first rewrite left it. */
  readonly body: Uint8Array;
  readonly carried: Carried;
  /** `ip:port` that Envoy chose; '' when it did not say. */
  readonly address: string;
  readonly attempt: number;
  /** What the client itself sent as Authorization, where it was kept. */
  readonly clientAuthorization: string | null;
}

/** The request for a later attempt; null when the address is none of the plan's, which then must not be sent. */
export async function routeRetry(input: RetryInput, world: World): Promise<Mutations | null> {
  const target = targetOf(input.carried, input.address, input.attempt);
  if (target === null) return null;
  const key = {
    apiKey: world.apiKey(target.endpoint),
    carriesForeignKey: input.carried.targets.some(({ endpoint }) => world.apiKey(endpoint) !== null),
    clientAuthorization: input.clientAuthorization,
  };
  if (input.carried.untouched) return retryMutations({ body: null, selectedModel: target.model, ...key });
  const options = {
    path: input.path,
    contentType: input.contentType,
    maxDepth: world.registry.config.limits.json_depth,
    read: 'fields' as const,
  };
  const parsed = await parseRequestAsync(input.body, options, world.pause);
  if (parsed.kind === 'invalid') return null;
  const { body } = rewriteBody(input.body, parsed.request, {
    model: target.servedModel,
    reasoning: target.reasoning,
    systemPrompt: null,
    callerReasoningWins: input.carried.callerReasoningWins,
    strip: [],
    before: decodeRewriteNote(input.carried.note),
  });
  return retryMutations({ body: body === input.body ? null : body, selectedModel: target.model, ...key });
}

/** What the response's headers are made from, kept from the request to the answer. */
export interface Answering {
  readonly routed: Routed;
  readonly forward: Forward;
  /** The client's or Envoy's id of the request, where it looks like one. */
  readonly requestId: string | null;
}

/** The response headers of a 2xx answer that came from `address` at attempt `attempt`: who really answered, and why. */
export function answerHeaders({ routed, forward }: Answering, address: string, attempt: number): readonly HeaderEdit[] {
  if (routed.outcome.kind === 'refused') return [];
  const { decision } = routed.outcome;
  const target = targetOf(forward.carried, address, attempt);
  const headers = responseHeaderEdits({
    model: target?.model ?? decision.selectedModel,
    category: decision.category.name,
    reasoning: target?.reasoningTold ?? false,
    injectedSystemPrompt: forward.injectedSystemPrompt,
    decision: decision.decision,
    confidence: decision.category.confidence,
    attempts: attempt,
    latencyMs: routed.latencyMs,
  });
  return decision.trace ? [...headers, { name: SWITCHYARD_TRACE, value: compactTrace(decision) }] : headers;
}

/** Whether the caller asked for the explanation in the answer, and may have it. */
export function wantsTrace({ routed }: Answering): boolean {
  return routed.outcome.kind === 'decided' && routed.outcome.decision.trace;
}

/** A JSON answer with the explanation as its member `routing_metadata`; null where it can't be put in. */
export function tracedAnswer(
  { routed, forward }: Answering,
  body: Uint8Array,
  address: string,
  attempt: number,
): Uint8Array | null {
  if (routed.outcome.kind === 'refused') return null;
  const { decision, plan } = routed.outcome;
  const answeredBy = targetOf(forward.carried, address, attempt)?.model ?? null;
  return withMember(body, 'routing_metadata', routingMetadata(decision, plan, answeredBy, attempt));
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
