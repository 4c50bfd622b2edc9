import type { ModelEntry, Registry } from '../config/registry.ts';
import { baseQuality } from '../decision/estimate.ts';
import { compiledPolicy } from '../decision/compile.ts';
import { shrink } from './shrink.ts';
import { cellsOf, meanOf, type Outcomes } from './table.ts';

/** One cell as people see it. */
export interface CellView {
  readonly model: string;
  /** '' for requests without a certain category. */
  readonly category: string;
  /** Graded answers. */
  readonly count: number;
  /** Their mean score. */
  readonly mean: number;
  /** The configured quality that the grades are weighed against, and its place; null where the config has no such model. */
  readonly prior: number | null;
  readonly prior_source: string | null;
  /** Expected quality, with its 95 % interval; null without a prior. */
  readonly quality: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The table's cells against a config, sorted by model and category. */
export function viewCells(table: Outcomes, registry: Registry): readonly CellView[] {
  const { scores } = compiledPolicy(registry);
  const { prior_strength: strength } = registry.config.outcomes;
  return cellsOf(table).map(({ model, category, count, sum }) => {
    const cell = { count, sum };
    const entry = registry.models.get(model);
    const prior = entry === undefined ? null : priorOf(entry, category);
    const learnt = prior === null ? null : shrink(prior.value, strength, cell);
    return {
      model,
      category,
      count,
      mean: steps(meanOf(cell)),
      prior: prior?.value ?? null,
      prior_source: prior?.source ?? null,
      quality: learnt === null ? null : steps(learnt.value),
      low: learnt === null ? null : steps(learnt.low),
      high: learnt === null ? null : steps(learnt.high),
    };
  });

  function priorOf(entry: ModelEntry, name: string) {
    const category = registry.categories.get(name) ?? null;
    return baseQuality(entry, {
      scores,
      category,
      categoryName: name,
      mixture: [],
      settings: registry.config.estimates,
    });
  }
}

/** Four decimals. */
function steps(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
