import type { CategoryConfig } from '../config/schema.ts';
import type { RuleConfig } from '../config/schema-policy.ts';
import { needsOf } from './capabilities.ts';
import { categoryOf, NO_CATEGORY, viewCategory } from './category.ts';
import { type Choice, choose, namedByRule } from './choose.ts';
import { type Asked, candidateOf, decisionBase } from './asked.ts';
import type {
  Candidate,
  CategoryView,
  DecisionOutcome,
  Limits,
  ObjectiveKind,
  Plan,
  Rejection,
  SystemPromptChoice,
} from './decision.ts';
import { estimate, type Estimates } from './estimate.ts';
import { estimateContext, factsOf, type RequestFacts, ruleFacts, signalsView } from './facts.ts';
import { judge, type Judged } from './judge.ts';
import { brokenLimits } from './limits.ts';
import { hasLimits, type Objective, resolveObjective } from './objective.ts';
import { planTargets, reasoningEdit } from './plan.ts';
import { rank, type Ranked } from './rank.ts';
import { effortFor, reasonFor } from './reasoning.ts';
import { block, type BlockContext, refuse, refuseEmpty } from './refuse.ts';
import * as refusals from './refusals.ts';
import { stickyKey } from './rules/split.ts';
import { ruleText } from './rules/text.ts';
import { NOTHING_OBSERVED } from './observations.ts';

/** Everything that is settled before the models are compared. */
interface Situation {
  readonly asked: Asked;
  readonly facts: RequestFacts;
  readonly view: CategoryView;
  readonly category: CategoryConfig | null;
  readonly rule: RuleConfig | null;
  readonly objective: Objective;
}

/** A model with its reasons against it, the caller's limits included, and what is expected of it. */
interface Weighed extends Judged {
  /** Null where policy or capabilities have ruled it out: no need to guess then. */
  readonly estimates: Estimates | null;
}

/** Chooses for an alias: rule, filters, objective, then what goes with the chosen model. */
export function decideAlias(
  asked: Asked,
  aliasObjective: ObjectiveKind | null,
  context: BlockContext,
): DecisionOutcome {
  const { input, guards, knobs, policy, tenant } = asked;
  const { registry, request, signals } = input;
  const facts = factsOf(request, signals, registry);
  const view = signals === null ? NO_CATEGORY : viewCategory(signals, registry);
  const rule = matchRule(asked, facts, view);
  const ruled: BlockContext = { ...context, rule: rule?.name ?? null };
  const denied = rule?.then.deny;
  if (denied !== undefined) {
    return block('routing_block', refusals.deniedByRule(denied.status, denied.message), ruled);
  }
  const objective = resolveObjective({
    configured: registry.config.objective,
    tenant,
    rule,
    alias: aliasObjective,
    knobs,
    callerMayChoose: policy.callerObjective,
  });
  const category = view.name === '' ? null : categoryOf(registry, view.top ?? '');
  const situation: Situation = { asked, facts, view, category, rule, objective };
  const weighed = weigh(situation);
  const ranking = rank(contenders(weighed, situation), objective, registry.config.estimates);
  const candidates = explain(weighed, ranking.order, rule);
  if (ranking.order.length === 0) {
    const { size } = facts;
    const needs = needsOf(request);
    return refuseEmpty({ judged: weighed, candidates, needs, size, piiKinds: guards.piiKinds, context: ruled });
  }
  if (ranking.unmet) return refuse(refusals.limitsUnmet(limitNames(objective)), candidates);
  const choice = choose({
    ranking,
    objective,
    rule,
    knobs,
    guardModel: guards.jailbreak.kind === 'route' ? guards.jailbreak.model : null,
    stickyKey: rule?.then.split === undefined ? null : stickyKey(rule.then.split.sticky, request, asked.headers),
    random: input.random,
    categoryName: view.name === '' ? null : view.name,
    categoryIsListed: category !== null && category.model_scores.length > 0,
  });
  if (choice !== null) return decided(situation, weighed, candidates, choice, ranking.relaxed);
  return guards.jailbreak.kind === 'route'
    ? block('security_block', refusals.jailbreakBlocked(), ruled, candidates)
    : refuse(refusals.nothingLeftByRule(isTransient(weighed, rule)), candidates);
}

function matchRule({ input, compiled, guards, headers, tenant }: Asked, facts: RequestFacts, view: CategoryView) {
  const known = {
    tenant: tenant?.name ?? null,
    piiKinds: guards.piiKinds,
    headers,
    nowMs: input.nowMs ?? null,
  };
  return compiled.rules.match(ruleFacts(input.request, input.signals, facts, view, known), () =>
    ruleText(input.request),
  );
}

/** Judges every model, then holds those that policy and capabilities let through against the caller's limits. */
function weigh({ asked, facts, category, objective }: Situation): readonly Weighed[] {
  const { input, compiled, guards, knobs, policy } = asked;
  const { registry, request, signals, endpoints, observations = NOTHING_OBSERVED } = input;
  const fitness = { needs: needsOf(request), size: facts.size };
  const judging = { registry, policy, piiKinds: guards.piiKinds, fitness, knobs, endpoints };
  const context = estimateContext(registry, compiled.scores, signals, request, facts, category);
  const { callerLimits } = objective.view;
  return [...registry.models.values()].map((model) => {
    const judged = judge(model, judging);
    if (judged.rejections.some(({ stage }) => stage === 'policy' || stage === 'capability')) {
      return { ...judged, estimates: null };
    }
    const estimates = estimate(model, context, observations.get(model.name));
    const broken = hasLimits(callerLimits) ? brokenLimits(estimates, callerLimits, 'caller') : [];
    return { ...judged, rejections: [...judged.rejections, ...broken.map(withoutLimit)], estimates };
  });
}

function contenders(weighed: readonly Weighed[], { asked, category }: Situation) {
  const { defaultModel } = asked.input.registry;
  return weighed.flatMap(({ model, rejections, estimates }) => {
    if (rejections.length > 0 || estimates === null) return [];
    const entry = category === null ? null : asked.compiled.scores.entry(category, model.name);
    return [{ model, estimates, entry, isDefault: model.name === defaultModel }];
  });
}

/** The candidates in the config's order, those that were ranked with their scores. */
function explain(weighed: readonly Weighed[], order: readonly Ranked[], rule: RuleConfig | null): readonly Candidate[] {
  const ranked = new Map(order.map((one) => [one.model.name, one]));
  const named = new Set(rule === null ? [] : namedByRule(rule));
  const isRuled = rule?.then.strict === true || [...named].some((model) => ranked.has(model));
  const passedOver = (model: string): readonly Rejection[] =>
    rule === null || !isRuled || named.size === 0 || named.has(model)
      ? []
      : [{ stage: 'rule', reason: 'not_in_rule', detail: `rule ${rule.name} names others` }];
  return weighed.map((judged) => {
    const candidate = candidateOf(judged);
    const one = ranked.get(candidate.model);
    if (one === undefined) return candidate;
    const rejections = [...passedOver(candidate.model), ...one.broken.map(withoutLimit)];
    return { ...candidate, score: one.score, parts: one.parts, rejections };
  });
}

/** Whether a model that a strict rule names is only down. */
function isTransient(weighed: readonly Weighed[], rule: RuleConfig | null): boolean {
  const named = new Set(rule === null ? [] : namedByRule(rule));
  return weighed.some(
    ({ model, rejections }) => named.has(model.name) && rejections.every(({ stage }) => stage === 'health'),
  );
}

function withoutLimit({ stage, reason, detail }: Rejection): Rejection {
  return { stage, reason, detail };
}

function decided(
  situation: Situation,
  weighed: readonly Weighed[],
  candidates: readonly Candidate[],
  choice: Choice,
  relaxed: readonly (keyof Limits)[],
): DecisionOutcome {
  const { asked, facts, view, category, rule, objective } = situation;
  const { input, compiled, guards, knobs } = asked;
  const { registry, request, signals } = input;
  const { chosen } = choice;
  const admissible = new Map(
    weighed.filter(({ rejections }) => rejections.length === 0).map((one) => [one.model.name, one] as const),
  );
  const reasoning = reasonFor({
    registry,
    scores: compiled.scores,
    signals,
    view,
    rule,
    chosenModel: chosen.model.name,
    isAdmissible: (name) => admissible.has(name),
  });
  const fallbacks = knobs.provider.allowFallbacks ? fallbackOrder(choice) : [];
  const plan = planTargets({
    models: [chosen, ...fallbacks.slice(0, input.maxFallbackModels ?? 0)].map(({ model }) => ({
      model,
      endpoints: admissible.get(model.name)?.endpoints ?? [],
      reasoning: reasoningEdit(
        model,
        reasoning.enabled,
        effortFor(model.name, reasoning.enabled, { registry, scores: compiled.scores, category, rule, request }),
      ),
    })),
    addresses: input.endpoints.addresses,
    random: input.random,
    untouched: false,
    first: knobs.provider.order,
    retry: knobs.provider.allowFallbacks,
  });
  if (plan === null) return refuse(refusals.noEndpoint(), candidates);
  return {
    kind: 'decided',
    plan,
    decision: {
      ...decisionBase(asked, rule),
      decision: rule?.name ?? 'auto',
      reasonCode: 'auto_routing',
      selectedModel: chosen.model.name,
      category: view,
      reasoning,
      reasoningEffort: writtenEffort(plan),
      systemPrompt: systemPromptOf(category, rule),
      candidates,
      degraded: signals === null ? 'no_text' : signals.degraded,
      objective: { ...objective.view, relaxed },
      signals: signalsView(request, signals, facts, guards.piiKinds, chosen.estimates.outputTokens),
      fallbacks: fallbacks.map(({ model }) => model.name),
      because: choice.because,
      notes: [...guards.notes, ...knobs.notes, ...objective.notes, ...choice.notes],
    },
  };
}

/** The chosen model's own `fallbacks` that are admissible, in their order; without such a list all other admissible models, best first. */
function fallbackOrder({ chosen, rest }: Choice): readonly Ranked[] {
  const own = chosen.model.config.fallbacks;
  if (own === undefined) return rest;
  return own.flatMap((name) => rest.find(({ model }) => model.name === name) ?? []);
}

function writtenEffort(plan: Plan): string | null {
  const edit = plan.targets[0].reasoning;
  return edit.kind === 'reasoning_effort' && edit.enabled ? edit.effort : null;
}

/** The rule's prompt, or none if it says so; else the category's, unless it is switched off. */
function systemPromptOf(category: CategoryConfig | null, rule: RuleConfig | null): SystemPromptChoice | null {
  const own = rule?.then.system_prompt;
  if (rule !== null && own !== undefined) {
    return own === false ? null : { text: own.text, mode: own.mode, source: `rules.${rule.name}.then.system_prompt` };
  }
  const text = category?.system_prompt ?? '';
  if (category === null || text === '' || category.system_prompt_enabled === false) return null;
  return { text, mode: category.system_prompt_mode, source: `categories.${category.name}.system_prompt` };
}

function limitNames(objective: Objective): readonly string[] {
  return Object.entries(objective.view.limits).flatMap(([name, limit]) => (limit === null ? [] : [name]));
}
