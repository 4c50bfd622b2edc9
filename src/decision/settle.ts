import type { CategoryConfig } from '../config/schema.ts';
import type { RuleConfig } from '../config/schema-policy.ts';
import { decisionBase } from './asked.ts';
import { cascadeOf } from './cascade.ts';
import type { Choice } from './choose.ts';
import type { Candidate, DecisionOutcome, Limits, Plan, SystemPromptChoice } from './decision.ts';
import { signalsView } from './facts.ts';
import { planTargets, reasoningEdit } from './plan.ts';
import type { Ranked } from './rank.ts';
import { effortFor, reasonFor } from './reasoning.ts';
import { refuse } from './refuse.ts';
import * as refusals from './refusals.ts';
import type { Situation } from './situation.ts';
import type { Weighed } from './weigh.ts';

/** Everything that goes with the chosen model: reasoning, prompt, those that stand in, the plan, the explanation. */
export function settle(
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
  const { scores } = compiled;
  const isAdmissible = (name: string): boolean => admissible.has(name);
  const reasonOf = (model: string) =>
    reasonFor({ registry, scores, signals, view, rule, chosenModel: model, isAdmissible });
  const reasoning = reasonOf(chosen.model.name);
  // One that stands in reasons as its own entry of the category says; without one, as the chosen model would have.
  const reasons = (model: string): boolean => {
    const hasOwnEntry = category !== null && scores.entry(category, model) !== null;
    return hasOwnEntry ? reasonOf(model).enabled : reasoning.enabled;
  };
  const cascade = cascadeOf(registry.config, rule, request);
  const fallbacks = knobs.provider.allowFallbacks ? fallbackOrder(choice, cascade?.escalateTo ?? null) : [];
  const planned = planTargets({
    models: [chosen, ...fallbacks.slice(0, input.maxFallbackModels ?? 0)].map(({ model }) => {
      const enabled = reasons(model.name);
      const effort = effortFor(model.name, enabled, { registry, scores, category, rule, request });
      const endpoints = admissible.get(model.name)?.endpoints ?? [];
      return { model, endpoints, reasoning: reasoningEdit(model, enabled, effort) };
    }),
    addresses: input.endpoints.addresses,
    random: input.random,
    untouched: false,
    first: knobs.provider.order,
    retry: knobs.provider.allowFallbacks,
  });
  if (planned === null) return refuse(refusals.noEndpoint(), candidates);
  const hasOthers = planned.targets.some(({ model }) => model !== chosen.model.name);
  const plan: Plan = cascade !== null && hasOthers ? { ...planned, cascade: cascade.cascade } : planned;
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
      classifierTier: signals?.encoding?.tier ?? null,
      objective: { ...objective.view, relaxed },
      signals: signalsView(request, signals, facts, guards.piiKinds, chosen.estimates.outputTokens),
      fallbacks: fallbacks.map(({ model }) => model.name),
      because: choice.because,
      notes: [...guards.notes, ...knobs.notes, ...objective.notes, ...choice.notes],
    },
  };
}

/**
 * The models that a cascade names, else the chosen model's own `fallbacks`: those that are admissible, in their order. Without such a list all
 * other admissible models, best first.
 */
function fallbackOrder({ chosen, rest }: Choice, escalateTo: readonly string[] | null): readonly Ranked[] {
  const own = escalateTo ?? chosen.model.config.fallbacks;
  if (own === undefined) return rest;
  return [...new Set(own)].flatMap((name) => rest.find(({ model }) => model.name === name) ?? []);
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
