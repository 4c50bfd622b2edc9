import type { CategoryConfig } from '../config/schema.ts';

export interface ScoreEntry {
  readonly score: number;
  /** Position in the category's model_scores. */
  readonly index: number;
  readonly source: string;
  readonly usesReasoning: boolean;
  readonly effort: string | null;
}

/** The model_scores of all categories by model, looked up in one step. */
export interface ScoreTable {
  /** The category's entry for the model (the first one, where there are several); null when it has none. */
  entry(category: CategoryConfig, model: string): ScoreEntry | null;
  /** Mean score of the model over the categories that list it; null when none does. */
  mean(model: string): number | null;
}

export function buildScoreTable(categories: readonly CategoryConfig[]): ScoreTable {
  const byCategory = new Map<CategoryConfig, Map<string, ScoreEntry>>();
  const all = new Map<string, number[]>();
  for (const category of categories) {
    const entries = new Map<string, ScoreEntry>();
    category.model_scores.forEach((given, index) => {
      if (entries.has(given.model)) return;
      entries.set(given.model, {
        score: given.score,
        index,
        source: `categories.${category.name}.model_scores[${index}].score`,
        usesReasoning: given.use_reasoning,
        effort: given.reasoning_effort ?? null,
      });
      all.set(given.model, [...(all.get(given.model) ?? []), given.score]);
    });
    byCategory.set(category, entries);
  }
  const means = new Map([...all].map(([model, scores]) => [model, scores.reduce((a, b) => a + b, 0) / scores.length]));
  return {
    entry: (category, model) => byCategory.get(category)?.get(model) ?? null,
    mean: (model) => means.get(model) ?? null,
  };
}
