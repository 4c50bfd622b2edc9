import type { RuleConfig } from '../config/schema-policy.ts';
import type { Asked } from './asked.ts';
import { needsOf } from './capabilities.ts';
import { categoryOf, NO_CATEGORY, viewCategory } from './category.ts';
import { choose, namedByRule } from './choose.ts';
import type { CategoryView, DecisionOutcome, ObjectiveKind } from './decision.ts';
import { factsOf, type RequestFacts, ruleFacts } from './facts.ts';
import { type Objective, resolveObjective } from './objective.ts';
import { rank } from './rank.ts';
import { block, type BlockContext, refuse, refuseEmpty } from './refuse.ts';
import * as refusals from './refusals.ts';
import { stickyKey } from './rules/split.ts';
import { ruleText } from './rules/text.ts';
import { settle } from './settle.ts';
import type { Situation } from './situation.ts';
import { contenders, explain, weigh, type Weighed } from './weigh.ts';

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
    heldModel: steersItself(objective.view.source) ? null : (input.heldModel ?? null),
    categoryName: view.name === '' ? null : view.name,
    categoryIsListed: category !== null && category.model_scores.length > 0,
  });
  if (choice !== null) return settle(situation, weighed, candidates, choice, ranking.relaxed);
  return guards.jailbreak.kind === 'route'
    ? block('security_block', refusals.jailbreakBlocked(), ruled, candidates)
    : refuse(refusals.nothingLeftByRule(isTransient(weighed, rule)), candidates);
}

/** The caller said in this very request what the choice is to aim at: that beats what the conversation began with. */
function steersItself(source: string): boolean {
  return source === 'alias' || source === 'header' || source === 'routing.objective';
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

/** Whether a model that a strict rule names is only down. */
function isTransient(weighed: readonly Weighed[], rule: RuleConfig | null): boolean {
  const named = new Set(rule === null ? [] : namedByRule(rule));
  return weighed.some(
    ({ model, rejections }) => named.has(model.name) && rejections.every(({ stage }) => stage === 'health'),
  );
}

function limitNames(objective: Objective): readonly string[] {
  return Object.entries(objective.view.limits).flatMap(([name, limit]) => (limit === null ? [] : [name]));
}
