import type { ModelEntry, Registry } from '../config/registry.ts';
import type { CategoryConfig } from '../config/schema.ts';
import type { ApiError } from '../errors.ts';
import type { ChatRequest } from '../openai/request.ts';
import type { DegradedReason, Signals } from '../signals/signals.ts';
import { categoryOf, NO_CATEGORY, viewCategory } from './category.ts';
import type {
  Candidate,
  CategoryView,
  Decision,
  DecisionOutcome,
  Limits,
  Plan,
  Rejection,
  SystemPromptChoice,
} from './decision.ts';
import { decideReasoning, ranking, type ReasoningDecision } from './entropy.ts';
import { planTargets, type Random, reasoningEdit } from './plan.ts';
import { type EndpointState, type NotServed, usableEndpoints, whyNotServed } from './served.ts';

export interface DecisionInput {
  readonly request: ChatRequest;
  readonly registry: Registry;
  /** Null for a concrete model whose prompt nobody needed to read. */
  readonly signals: Signals | null;
  readonly endpoints: EndpointState;
  readonly random: Random;
}

/**
 * Chooses the model for one request and says why. A concrete model goes to its own endpoints untouched; an alias goes to the best
 * scored served model of the prompt's category, or to the default model when the category is below the threshold or has none.
 */
export function decide(input: DecisionInput): DecisionOutcome {
  const { request, registry } = input;
  const concrete = registry.models.get(request.model);
  if (concrete !== undefined) return decideConcrete(input, concrete);
  if (!registry.aliases.has(request.model)) return refuse(modelNotFound(request.model), 'model_not_found', []);
  if (request.kind === 'embeddings') return refuse(aliasForEmbeddings(request.model), 'alias_not_supported', []);
  if (request.problem !== null) return refuse(request.problem, 'bad_request', []);
  return decideAlias(input);
}

function decideConcrete(input: DecisionInput, model: ModelEntry): DecisionOutcome {
  const candidate = judge(model, input.endpoints);
  const plan = planTargets({
    models: [{ model, endpoints: usableEndpoints(model, input.endpoints), reasoning: { kind: 'none' } }],
    addresses: input.endpoints.addresses,
    random: input.random,
    // An endpoint that knows the model by another name needs that name in the body; nothing else is edited.
    untouched: model.servedName === model.name,
  });
  if (plan === null) return refuse(noEndpoint(), 'no_endpoint_available', [candidate]);
  return {
    kind: 'decided',
    plan,
    decision: {
      ...decisionBase(input),
      decision: 'model_specified',
      reasonCode: 'model_specified',
      selectedModel: model.name,
      category: NO_CATEGORY,
      reasoning: null,
      reasoningEffort: null,
      systemPrompt: null,
      candidates: [candidate],
      degraded: null,
    },
  };
}

function decideAlias(input: DecisionInput): DecisionOutcome {
  const { registry, endpoints } = input;
  const degraded: DegradedReason | null = input.signals === null ? 'no_text' : input.signals.degraded;
  const view = input.signals === null ? NO_CATEGORY : viewCategory(input.signals, registry);
  const category = view.name === '' ? null : categoryOf(registry, view.top ?? '');
  const candidates = [...registry.models.values()].map((model) => scored(judge(model, endpoints), category));
  const chosen = choose(candidates, registry, category);
  if (chosen === null) return refuse(noEndpoint(), 'no_endpoint_available', candidates);
  const reasoning = reason(input, view, chosen, candidates);
  const effort = effortFor(registry, category, chosen.name, reasoning, input.request);
  const plan = planTargets({
    models: [
      {
        model: chosen,
        endpoints: usableEndpoints(chosen, endpoints),
        reasoning: reasoningEdit(chosen, reasoning.enabled, effort),
      },
    ],
    addresses: endpoints.addresses,
    random: input.random,
    untouched: false,
  });
  if (plan === null) return refuse(noEndpoint(), 'no_endpoint_available', candidates);
  return {
    kind: 'decided',
    plan,
    decision: {
      ...decisionBase(input),
      decision: 'auto',
      reasonCode: 'auto_routing',
      selectedModel: chosen.name,
      category: view,
      reasoning,
      reasoningEffort: writtenEffort(plan),
      systemPrompt: systemPromptOf(category),
      candidates,
      degraded,
    },
  };
}

type DecisionBase = Omit<
  Decision,
  | 'decision'
  | 'reasonCode'
  | 'selectedModel'
  | 'category'
  | 'reasoning'
  | 'reasoningEffort'
  | 'systemPrompt'
  | 'candidates'
  | 'degraded'
>;

const NO_LIMITS: Limits = { qualityFloor: null, maxCostUsd: null, maxLatencyMs: null, maxTtftMs: null };

function decisionBase(input: DecisionInput): DecisionBase {
  return {
    schemaVersion: 1,
    policyVersion: input.registry.version,
    originalModel: input.request.model,
    objective: {
      kind: 'category',
      source: 'default',
      limits: NO_LIMITS,
      callerLimits: NO_LIMITS,
      relaxed: [],
    },
    rule: null,
    tenant: null,
    flags: [],
    signals: null,
    fallbacks: [],
    because: '',
    trace: false,
    stripFields: [],
    notes: [],
  };
}

/** The model as a candidate: out when no endpoint of it can take the request. */
function judge(model: ModelEntry, endpoints: EndpointState): Candidate {
  const cause = whyNotServed(model, endpoints);
  const rejections: Rejection[] =
    cause === null ? [] : [{ stage: 'health', reason: cause, detail: NOT_SERVED_DETAIL[cause] }];
  return { model: model.name, admissible: rejections.length === 0, rejections, score: null, parts: [], notes: [] };
}

const NOT_SERVED_DETAIL: Readonly<Record<NotServed, string>> = {
  no_endpoint: 'no endpoint serves this model',
  drained: 'every endpoint of this model has weight 0',
  unresolved: 'no endpoint of this model has a resolved address',
  unhealthy: 'every endpoint of this model is unhealthy',
};

function scored(candidate: Candidate, category: CategoryConfig | null): Candidate {
  if (!candidate.admissible || category === null) return candidate;
  const index = category.model_scores.findIndex((entry) => entry.model === candidate.model);
  const score = category.model_scores[index]?.score;
  if (score === undefined) return candidate;
  const source = `categories.${category.name}.model_scores[${index}].score`;
  return { ...candidate, score, parts: [{ name: 'category_score', value: score, source }] };
}

/** The best score of the category, ties to the entry listed first; else the default model; else the first admissible model. */
function choose(
  candidates: readonly Candidate[],
  registry: Registry,
  category: CategoryConfig | null,
): ModelEntry | null {
  const admissible = new Set(candidates.filter((one) => one.admissible).map((one) => one.model));
  const best = bestOf(category, (model) => admissible.has(model));
  const fallback = admissible.has(registry.defaultModel) ? registry.defaultModel : [...admissible][0];
  return registry.models.get(best ?? fallback ?? '') ?? null;
}

function bestOf(category: CategoryConfig | null, serves: (model: string) => boolean): string | null {
  let best: { readonly model: string; readonly score: number } | null = null;
  for (const entry of category?.model_scores ?? []) {
    if (serves(entry.model) && (best === null || entry.score > best.score)) best = entry;
  }
  return best?.model ?? null;
}

function reason(
  input: DecisionInput,
  view: CategoryView,
  chosen: ModelEntry,
  candidates: readonly Candidate[],
): ReasoningDecision {
  const { registry, signals } = input;
  const probabilities = signals?.encoding?.categoryProbabilities ?? null;
  const labels = signals?.labels ?? [];
  const admissible = new Set(candidates.filter((one) => one.admissible).map((one) => one.model));
  const settings = registry.config.reasoning_decision;
  // The table asks about the three most probable labels only.
  const known = new Map<string, boolean>();
  for (const index of ranking(probabilities ?? []).slice(0, 3)) {
    const label = labels[index] ?? '';
    const category = categoryOf(registry, label);
    const isChosenCategory = view.name !== '' && label === view.top;
    const model = isChosenCategory ? chosen.name : bestOf(category, (name) => admissible.has(name));
    const uses = usesReasoning(category, model);
    if (uses !== null) known.set(label.toLowerCase(), uses);
  }
  return decideReasoning({
    probabilities,
    labels,
    threshold: registry.config.classifier.category_model.threshold,
    reasoningMap: known,
    thresholds: settings,
    veryHighReasoning: settings.very_high_reasoning,
    failed: isFailure(signals?.degraded ?? null),
  });
}

/** use_reasoning of the category's entry for `model`, else of its first entry; null for a category without models. */
function usesReasoning(category: CategoryConfig | null, model: string | null): boolean | null {
  const entries = category?.model_scores ?? [];
  const entry = entries.find((one) => one.model === model) ?? entries[0];
  return entry?.use_reasoning ?? null;
}

/** The classifier was asked and failed. Nothing to read, or a language that it doesn't know, is no failure: there is no data. */
function isFailure(degraded: DegradedReason | null): boolean {
  switch (degraded) {
    case 'deadline':
    case 'queue_full':
    case 'encoder_error':
    case 'encoder_unavailable':
      return true;
    case 'no_text':
    case 'unsupported_language':
    case null:
      return false;
  }
}

/** On: the category's effort for this model, else the default. Off: the caller's, else the least that every family knows. */
function effortFor(
  registry: Registry,
  category: CategoryConfig | null,
  model: string,
  reasoning: ReasoningDecision,
  request: ChatRequest,
): string {
  if (!reasoning.enabled) return request.callerReasoning.effort ?? 'low';
  const entry = category?.model_scores.find((one) => one.model === model);
  return entry?.reasoning_effort ?? registry.config.default_reasoning_effort;
}

function writtenEffort(plan: Plan): string | null {
  const edit = plan.targets[0].reasoning;
  return edit.kind === 'reasoning_effort' && edit.enabled ? edit.effort : null;
}

function systemPromptOf(category: CategoryConfig | null): SystemPromptChoice | null {
  const text = category?.system_prompt ?? '';
  if (category === null || text === '' || category.system_prompt_enabled === false) return null;
  return { text, mode: category.system_prompt_mode, source: `categories.${category.name}.system_prompt` };
}

function refuse(error: ApiError, reasonCode: string, candidates: readonly Candidate[]): DecisionOutcome {
  return { kind: 'refused', error, reasonCode, candidates, block: null };
}

function modelNotFound(model: string): ApiError {
  return {
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    message: `The model \`${model.slice(0, 200)}\` does not exist here. GET /v1/models lists the names that can be asked for.`,
    param: 'model',
  };
}

function aliasForEmbeddings(model: string): ApiError {
  return {
    status: 400,
    type: 'invalid_request_error',
    code: 'alias_not_supported',
    message: `"${model}" chooses among chat models; embeddings of different models can't be compared. Name the embedding model.`,
    param: 'model',
  };
}

function noEndpoint(): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'no_endpoint_available',
    message: 'No endpoint can take this request now.',
    param: null,
  };
}
