import type { Registry } from '../config/registry.ts';
import type { CategoryConfig } from '../config/schema.ts';
import type { RuleConfig } from '../config/schema-policy.ts';
import type { ChatRequest } from '../openai/request.ts';
import { isEncoderFailure, type Signals } from '../signals/signals.ts';
import { categoryOf } from './category.ts';
import type { CategoryView } from './decision.ts';
import { decideReasoning, ranking, type ReasoningDecision } from './entropy.ts';
import type { ScoreTable } from './score-table.ts';

export interface ReasoningContext {
  readonly registry: Registry;
  readonly scores: ScoreTable;
  readonly signals: Signals | null;
  readonly view: CategoryView;
  readonly rule: RuleConfig | null;
  readonly chosenModel: string;
  readonly isAdmissible: (model: string) => boolean;
}

/** Labels that the table ever looks at. */
const CONSULTED = 3;

/** Whether to reason: as the matching rule says, else by the entropy table (docs/reasoning.md). */
export function reasonFor(context: ReasoningContext): ReasoningDecision {
  const { registry, signals, rule } = context;
  const ruled = rule?.then.reasoning;
  if (ruled !== undefined) return { enabled: ruled, confidence: 1, reason: 'rule', strategy: 'rule_override' };
  const settings = registry.config.reasoning_decision;
  return decideReasoning({
    probabilities: signals?.encoding?.categoryProbabilities ?? null,
    labels: signals?.labels ?? [],
    threshold: registry.config.classifier.category_model.threshold,
    reasoningMap: reasoningMap(context),
    thresholds: settings,
    veryHighReasoning: settings.very_high_reasoning,
    failed: isEncoderFailure(signals?.degraded ?? null),
  });
}

/**
 * use_reasoning of the most probable categories by lower-case label: that of the model chosen for the category (the chosen one for the category
 * that was found, the best admissible one for the others), else that of its first entry. A category without entries is absent.
 */
function reasoningMap(context: ReasoningContext): ReadonlyMap<string, boolean> {
  const { registry, signals, view, scores } = context;
  const map = new Map<string, boolean>();
  const probabilities = signals?.encoding?.categoryProbabilities ?? [];
  for (const index of ranking(probabilities).slice(0, CONSULTED)) {
    const label = signals?.labels[index] ?? '';
    const category = categoryOf(registry, label);
    const first = category?.model_scores[0];
    if (category === null || first === undefined) continue;
    const isFound = view.name !== '' && label === view.top;
    const model = isFound ? context.chosenModel : bestOf(category, scores, context.isAdmissible);
    const entry = model === null ? null : scores.entry(category, model);
    map.set(label.toLowerCase(), entry?.usesReasoning ?? first.use_reasoning);
  }
  return map;
}

/** The best-scoring model of the category that may serve, ties to the entry listed first; null when none may. */
function bestOf(category: CategoryConfig, scores: ScoreTable, mayServe: (model: string) => boolean): string | null {
  let best: { readonly model: string; readonly score: number } | null = null;
  for (const { model } of category.model_scores) {
    const score = scores.entry(category, model)?.score ?? 0;
    if ((best === null || score > best.score) && mayServe(model)) best = { model, score };
  }
  return best?.model ?? null;
}

export interface EffortContext {
  readonly registry: Registry;
  readonly scores: ScoreTable;
  readonly category: CategoryConfig | null;
  readonly rule: RuleConfig | null;
  readonly request: ChatRequest;
}

/** On: the rule's effort, else the category's for this model, else the default. Off: the caller's, else the least that every family knows. */
export function effortFor(model: string, enabled: boolean, context: EffortContext): string {
  if (!enabled) return context.request.callerReasoning.effort ?? 'low';
  const entry = context.category === null ? null : context.scores.entry(context.category, model);
  return context.rule?.then.reasoning_effort ?? entry?.effort ?? context.registry.config.default_reasoning_effort;
}
