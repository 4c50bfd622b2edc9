/**
 * What the operator's graded answers say of each model in each category. A plain value: whoever hears of a grade folds it in, the decision
 * only reads. Sums are whole numbers, so the order in which grades come makes no difference, not even in the last digit.
 */

/** The grades of one model in one category. */
export interface Cell {
  /** Graded answers, 1 or more. */
  readonly count: number;
  /** Sum of the scores in millionths: a whole number, 0..count × 1,000,000. */
  readonly sum: number;
}

/** Cells by model, then by category in lower case; '' holds requests without a certain category. */
export type Outcomes = ReadonlyMap<string, ReadonlyMap<string, Cell>>;

/** One graded answer. */
export interface Outcome {
  readonly model: string;
  /** '' when the request had no certain category. */
  readonly category: string;
  /** How good the answer was, 0..1. */
  readonly score: number;
}

export const NO_OUTCOMES: Outcomes = new Map();

/** Scores are kept to six decimals. */
const UNITS = 1_000_000;
/** Far beyond any config's models × categories: a bound for tables that grew over many configs. */
export const MAX_CELLS = 20_000;

/** The table with one more grade in it; the same table when a new cell would be one too many. */
export function withOutcome(before: Outcomes, outcome: Outcome): Outcomes {
  return changed(before, outcome, 1);
}

/** The table without a grade that was put in earlier. */
export function withoutOutcome(before: Outcomes, outcome: Outcome): Outcomes {
  return changed(before, outcome, -1);
}

/** The table of many grades at once; `skipped` counts those that did not fit (MAX_CELLS). */
export function tableOf(outcomes: Iterable<Outcome>): { readonly table: Outcomes; readonly skipped: number } {
  const table = new Map<string, Map<string, Cell>>();
  let cells = 0;
  let skipped = 0;
  for (const outcome of outcomes) {
    const key = categoryKey(outcome.category);
    const cell = table.get(outcome.model)?.get(key);
    if (cell === undefined && ++cells > MAX_CELLS) {
      cells -= 1;
      skipped += 1;
      continue;
    }
    const row = table.get(outcome.model) ?? new Map<string, Cell>();
    row.set(key, { count: (cell?.count ?? 0) + 1, sum: (cell?.sum ?? 0) + unitsOf(outcome.score) });
    table.set(outcome.model, row);
  }
  return { table, skipped };
}

/** The grades of a model in a category (any case); null when there are none. */
export function cellOf(table: Outcomes, model: string, category: string): Cell | null {
  return table.get(model)?.get(categoryKey(category)) ?? null;
}

/** Mean score of a cell, 0..1. */
export function meanOf({ count, sum }: Cell): number {
  return sum / count / UNITS;
}

/** Every cell, sorted by model and category. */
export function cellsOf(table: Outcomes): readonly (Cell & { readonly model: string; readonly category: string })[] {
  return [...table]
    .flatMap(([model, row]) => [...row].map(([category, cell]) => ({ model, category, ...cell })))
    .sort((one, two) => compare(one.model, two.model) || compare(one.category, two.category));
}

/** Graded answers in the whole table. */
export function countOf(table: Outcomes): number {
  return cellsOf(table).reduce((sum, { count }) => sum + count, 0);
}

/** Category names are compared without regard to case, as everywhere in the config. */
export function categoryKey(category: string): string {
  return category.toLowerCase();
}

function changed(before: Outcomes, { model, category, score }: Outcome, step: 1 | -1): Outcomes {
  const key = categoryKey(category);
  const old = before.get(model)?.get(key) ?? { count: 0, sum: 0 };
  const count = old.count + step;
  if (count < 0 || (old.count === 0 && cellCount(before) >= MAX_CELLS)) return before;
  const row = new Map(before.get(model));
  if (count === 0) row.delete(key);
  else row.set(key, { count, sum: Math.max(0, old.sum + step * unitsOf(score)) });
  const after = new Map(before);
  if (row.size === 0) after.delete(model);
  else after.set(model, row);
  return after;
}

function cellCount(table: Outcomes): number {
  let cells = 0;
  for (const row of table.values()) cells += row.size;
  return cells;
}

function unitsOf(score: number): number {
  return Math.round(Math.min(1, Math.max(0, score)) * UNITS);
}

function compare(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}
