import type { RuleConfig } from '../config/schema-policy.ts';
import { candidateOf } from './asked.ts';
import { needsOf } from './capabilities.ts';
import { namedByRule } from './choose.ts';
import type { Candidate, Rejection } from './decision.ts';
import { estimate, type Estimates } from './estimate.ts';
import { estimateContext } from './facts.ts';
import { judge, type Judged } from './judge.ts';
import { brokenLimits } from './limits.ts';
import { hasLimits } from './objective.ts';
import { NOTHING_OBSERVED } from './observations.ts';
import type { Contender, Ranked } from './rank.ts';
import type { Situation } from './situation.ts';

/** A model with its reasons against it, the caller's limits included, and what is expected of it. */
export interface Weighed extends Judged {
  /** Null where policy or capabilities have ruled it out: no need to guess then. */
  readonly estimates: Estimates | null;
}

/** Judges every model, then holds those that policy and capabilities let through against the caller's limits. */
export function weigh({ asked, facts, view, category, objective }: Situation): readonly Weighed[] {
  const { input, compiled, guards, knobs, policy } = asked;
  const { registry, request, signals, endpoints, observations = NOTHING_OBSERVED } = input;
  const fitness = { needs: needsOf(request), size: facts.size };
  const judging = { registry, policy, piiKinds: guards.piiKinds, fitness, knobs, endpoints };
  const context = estimateContext(registry, compiled.scores, signals, request, facts, { category, name: view.name });
  const { callerLimits } = objective.view;
  const isLimited = hasLimits(callerLimits);
  return [...registry.models.values()].map((model) => {
    const judged = judge(model, judging);
    if (judged.rejections.some(({ stage }) => stage === 'policy' || stage === 'capability')) {
      return withEstimates(judged, judged.rejections, null);
    }
    const estimates = estimate(model, context, observations.get(model.name));
    const broken = isLimited ? brokenLimits(estimates, callerLimits, 'caller').map(withoutLimit) : [];
    return withEstimates(
      judged,
      broken.length === 0 ? judged.rejections : [...judged.rejections, ...broken],
      estimates,
    );
  });
}

function withEstimates(
  { model, notes, endpoints }: Judged,
  rejections: readonly Rejection[],
  estimates: Estimates | null,
): Weighed {
  return { model, notes, endpoints, rejections, estimates };
}

/** The admissible models as the ranking compares them. */
export function contenders(weighed: readonly Weighed[], { asked, category }: Situation): readonly Contender[] {
  const { defaultModel } = asked.input.registry;
  return weighed.flatMap(({ model, rejections, estimates }) => {
    if (rejections.length > 0 || estimates === null) return [];
    const entry = category === null ? null : asked.compiled.scores.entry(category, model.name);
    return [{ model, estimates, entry, isDefault: model.name === defaultModel }];
  });
}

/** The candidates in the config's order, those that were ranked with their scores. */
export function explain(
  weighed: readonly Weighed[],
  order: readonly Ranked[],
  rule: RuleConfig | null,
): readonly Candidate[] {
  const ranked = new Map(order.map((one) => [one.model.name, one]));
  const named = new Set(rule === null ? [] : namedByRule(rule));
  const isRuled = rule?.then.strict === true || [...named].some((model) => ranked.has(model));
  const passedOver: readonly Rejection[] =
    rule === null || !isRuled || named.size === 0
      ? []
      : [{ stage: 'rule', reason: 'not_in_rule', detail: `rule ${rule.name} names others` }];
  return weighed.map((judged): Candidate => {
    const model = judged.model.name;
    const one = ranked.get(model);
    if (one === undefined) return candidateOf(judged);
    const { score, parts, broken } = one;
    const rejections = [...(named.has(model) ? [] : passedOver), ...broken.map(withoutLimit)];
    return { model, admissible: true, rejections, score, parts, notes: judged.notes };
  });
}

function withoutLimit({ stage, reason, detail }: Rejection): Rejection {
  return { stage, reason, detail };
}
