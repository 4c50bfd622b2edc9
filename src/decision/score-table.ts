import type { CategoryConfig } from '../config/schema.ts';
import { shrink } from '../outcomes/shrink.ts';
import { cellOf, type Outcomes } from '../outcomes/table.ts';

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
  /** What the grades of the model in this category ('' for none) make of a quality that was taken from elsewhere; the same where there are none. */
  learnt(model: string, category: string, prior: Scored): Scored;
}

/** A quality and where it comes from. */
export interface Scored {
  readonly value: number;
  readonly source: string;
}

/** Grades that the scores follow, and how many of them a configured score weighs as much as. */
export interface Grades {
  readonly outcomes: Outcomes;
  readonly priorStrength: number;
}

/** Without grades the scores are the config's own. */
export function buildScoreTable(categories: readonly CategoryConfig[], grades: Grades | null = null): ScoreTable {
  const byCategory = new Map<CategoryConfig, Map<string, ScoreEntry>>();
  const all = new Map<string, number[]>();
  for (const category of categories) {
    const entries = new Map<string, ScoreEntry>();
    category.model_scores.forEach((given, index) => {
      if (entries.has(given.model)) return;
      const source = `categories.${category.name}.model_scores[${index}].score`;
      const scored = follow(grades, given.model, category.name, { value: given.score, source });
      entries.set(given.model, {
        score: scored.value,
        index,
        source: scored.source,
        usesReasoning: given.use_reasoning,
        effort: given.reasoning_effort ?? null,
      });
      all.set(given.model, [...(all.get(given.model) ?? []), scored.value]);
    });
    byCategory.set(category, entries);
  }
  const means = new Map([...all].map(([model, scores]) => [model, scores.reduce((a, b) => a + b, 0) / scores.length]));
  return {
    entry: (category, model) => byCategory.get(category)?.get(model) ?? null,
    mean: (model) => means.get(model) ?? null,
    learnt: (model, category, prior) => follow(grades, model, category, prior),
  };
}

/** The configured score, moved by the grades that the model got in the category. */
function follow(grades: Grades | null, model: string, category: string, prior: Scored): Scored {
  const cell = grades === null ? null : cellOf(grades.outcomes, model, category);
  if (grades === null || cell === null) return prior;
  const { value } = shrink(prior.value, grades.priorStrength, cell);
  // Four decimals, as explanations show it: what is compared is what is read.
  return { value: Math.round(value * 1e4) / 1e4, source: `outcomes(n=${cell.count}) over ${prior.source}` };
}
