import type { Registry } from '../config/registry.ts';
import type { CategoryConfig } from '../config/schema.ts';
import type { Signals } from '../signals/signals.ts';
import type { CategoryView } from './decision.ts';
import { entropyBits, entropyLevel, isDistribution, normalizedEntropy, ranking } from './entropy.ts';

/** How many of the most probable categories the log shows. */
const SHOWN = 3;

/** The configured category that a label belongs to: by name, else through `mmlu_categories`; null when none claims it. */
export function categoryOf(registry: Registry, label: string): CategoryConfig | null {
  return registry.categories.get(label.toLowerCase()) ?? null;
}

/** The `count` most probable categories, highest first; equal probabilities keep the labels' order. */
export function topCategories(
  labels: readonly string[],
  probabilities: readonly number[],
  count: number = SHOWN,
): { readonly category: string; readonly probability: number }[] {
  return ranking(probabilities)
    .slice(0, count)
    .map((index) => ({ category: labels[index] ?? '', probability: probabilities[index] ?? 0 }));
}

/** The distribution as log, headers and API show it. `name` is '' below the threshold; all else null without a usable distribution. */
export function viewCategory(signals: Signals, registry: Registry): CategoryView {
  const probabilities = signals.encoding?.categoryProbabilities ?? null;
  if (!isDistribution(probabilities, signals.labels.length)) return NO_CATEGORY;
  const top = topCategories(signals.labels, probabilities);
  const own = signals.labelThresholds?.[ranking(probabilities)[0] ?? 0] ?? 0;
  const first = top[0] ?? { category: '', probability: 0 };
  const normalized = normalizedEntropy(probabilities);
  const { threshold } = registry.config.classifier.category_model;
  return {
    name: first.probability >= Math.max(threshold, own) ? displayName(registry, first.category) : '',
    top: first.category,
    confidence: first.probability,
    entropyBits: entropyBits(probabilities),
    entropyNormalized: normalized,
    entropyLevel: entropyLevel(normalized, registry.config.reasoning_decision),
    topCategories: top,
  };
}

/** A label that a category claims through `mmlu_categories` goes by that category's name; any other by its own. */
function displayName(registry: Registry, label: string): string {
  const category = categoryOf(registry, label);
  return category === null || category.name.toLowerCase() === label.toLowerCase() ? label : category.name;
}

/** What is shown when nothing was classified. */
export const NO_CATEGORY: CategoryView = {
  name: '',
  top: null,
  confidence: null,
  entropyBits: null,
  entropyNormalized: null,
  entropyLevel: null,
  topCategories: [],
};
