/** From a decision to what Envoy is told: the body for the first target, and later the body for another one. */
import { encodeCascade } from './cascade/carried.ts';
import { wantedFormat } from './cascade/wanted-format.ts';
import type { DecisionOutcome, Plan, Target } from './decision/decision.ts';
import { reasoningEdit } from './decision/plan.ts';
import { largerWindows } from './execution/attempt-plan.ts';
import { inTurns } from './openai/pace.ts';
import { parseRequestAsync } from './openai/parse.ts';
import type { ChatRequest } from './openai/request.ts';
import { rewriteSteps } from './rewrite/body.ts';
import { CARRIED_KEY, CARRIED_NAMESPACE, encodeCarried, targetOf, type Carried } from './rewrite/carried.ts';
import { AUTHORIZATION, CASCADE_NAMESPACE, CASCADE_ON, CASCADE_WANTED, REQUEST_ID } from './rewrite/headers.ts';
import type { Mutations } from './rewrite/mutations.ts';
import { decodeRewriteNote, EMPTY_NOTE, encodeRewriteNote } from './rewrite/note.ts';
import { planReasoning } from './rewrite/reasoning.ts';
import { requestMutations, retryMutations } from './rewrite/request-edits.ts';
import type { RouteInput, World } from './route.ts';

/** A longer id is none that anybody looks for; it would travel with the request three times. */
const MAX_ID_CHARACTERS = 128;

/** What Envoy is told, and what is kept for the response's headers. */
export interface Forward {
  readonly mutations: Mutations;
  readonly carried: Carried;
  readonly injectedSystemPrompt: boolean;
}

/** The body for the first target, and what the later ones will need. */
export async function prepare(
  { body, headers, startedMs }: RouteInput,
  request: ChatRequest,
  outcome: Extract<DecisionOutcome, { kind: 'decided' }>,
  world: World,
): Promise<Forward> {
  const { decision, plan } = outcome;
  const [first] = plan.targets;
  const callerReasoningWins = world.registry.config.caller_reasoning_wins;
  const rewritten = plan.untouched
    ? { body, injectedSystemPrompt: false, note: EMPTY_NOTE }
    : await inTurns(
        rewriteSteps(body, request, {
          model: first.servedModel,
          reasoning: first.reasoning,
          systemPrompt: decision.systemPrompt,
          callerReasoningWins,
          strip: decision.stripFields,
        }),
        world.pause,
      );
  const isRetriedForLength = world.registry.config.fallback.retry_on.includes('context_length');
  const larger = isRetriedForLength ? largerWindows(plan, world.registry) : [];
  const carried: Carried = {
    targets: plan.targets.map((target) => ({
      ...target,
      reasoningTold: told(body, request, target, plan, world),
      largerWindow: larger.includes(target),
    })),
    untouched: plan.untouched,
    note: encodeRewriteNote(rewritten.note),
    callerReasoningWins,
    keyed: plan.targets.some(({ endpoint }) => world.apiKey(endpoint) !== null),
    category: decision.category.name,
    requestId: headers.get(REQUEST_ID)?.slice(0, MAX_ID_CHARACTERS) ?? '',
    startedMs,
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
      largerAddresses: larger.map(({ address }) => address),
      retryEscalated: plan.cascade !== undefined,
    },
    { [CARRIED_NAMESPACE]: { [CARRIED_KEY]: encodeCarried(carried) }, ...cascadeMetadata(body, request, plan) },
  );
  return { mutations, carried, injectedSystemPrompt: rewritten.injectedSystemPrompt };
}

/** What the check of the answer needs of the request; nothing where no answer is checked. */
function cascadeMetadata(body: Uint8Array, request: ChatRequest, { cascade }: Plan): Mutations['metadata'] {
  if (cascade === undefined) return {};
  const wanted = encodeCascade({ ...cascade, format: wantedFormat(body, request) });
  return { [CASCADE_NAMESPACE]: { [CASCADE_ON]: '1', [CASCADE_WANTED]: wanted } };
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
    // A reload between two attempts may have taken the key away, or brought it.
    carriesForeignKey:
      input.carried.keyed || input.carried.targets.some(({ endpoint }) => world.apiKey(endpoint) !== null),
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
  const edit = {
    model: target.servedModel,
    reasoning: target.reasoning,
    systemPrompt: null,
    callerReasoningWins: input.carried.callerReasoningWins,
    strip: [],
    before: decodeRewriteNote(input.carried.note),
  };
  const { body } = await inTurns(rewriteSteps(input.body, parsed.request, edit), world.pause);
  return retryMutations({ body: body === input.body ? null : body, selectedModel: target.model, ...key });
}
