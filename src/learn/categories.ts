import type { LabelledRow } from './rows.ts';

/** What belongs to none of the user's categories. A label of this name, in any case, is that. */
export const OTHER = 'other';
/** One row for each fold of the cross-validation. */
export const MIN_ROWS_A_LABEL = 5;
/** More would be a search engine; the arithmetic grows with it. */
export const MAX_LABELS = 500;

export interface Example {
  readonly text: string;
  readonly line: number;
  /** Index into `labels`. */
  readonly label: number;
}

export type CategoriesOutcome =
  | {
      readonly kind: 'good';
      /** In code-point order. */
      readonly labels: readonly string[];
      /** In an order that does not depend on the order of the rows. */
      readonly examples: readonly Example[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'bad'; readonly problem: string };

/**
 * The categories that can be learnt. Rows of a label with too few examples become examples of "other"; when "other" itself then has too few,
 * its rows are left out, and what belongs to no category is told by the thresholds alone.
 */
export function chooseCategories(rows: readonly LabelledRow[]): CategoriesOutcome {
  const counts = countBy(rows.map((row) => row.label));
  const warnings: string[] = [];
  const thin = new Set<string>();
  for (const [label, count] of [...counts].sort(byName)) {
    if (isOther(label) || count >= MIN_ROWS_A_LABEL) continue;
    thin.add(label);
    warnings.push(
      `${JSON.stringify(label)} has ${count} of the ${MIN_ROWS_A_LABEL} examples it needs: they count as "${OTHER}"`,
    );
  }
  const settled = rows.map((row) => ({ row, label: thin.has(row.label) || isOther(row.label) ? OTHER : row.label }));
  const others = settled.filter(({ label }) => label === OTHER).length;
  if (others > 0 && others < MIN_ROWS_A_LABEL) {
    warnings.push(`"${OTHER}" has ${others} of the ${MIN_ROWS_A_LABEL} examples it needs: they are left out`);
  }
  const kept = settled.filter(({ label }) => label !== OTHER || others >= MIN_ROWS_A_LABEL);
  const labels = [...new Set(kept.map(({ label }) => label))].sort();
  if (labels.length < 2) {
    return {
      kind: 'bad',
      problem: `${labels.length} label with at least ${MIN_ROWS_A_LABEL} examples; two are needed ("${OTHER}" counts)`,
    };
  }
  if (labels.length > MAX_LABELS)
    return { kind: 'bad', problem: `${labels.length} labels; at most ${MAX_LABELS} are taken` };
  const place = new Map(labels.map((label, index) => [label, index]));
  const examples = kept
    .map(({ row, label }): Example => ({ text: row.text, line: row.line, label: place.get(label) ?? 0 }))
    .sort((one, two) => one.label - two.label || compare(one.text, two.text));
  return { kind: 'good', labels, examples, warnings };
}

function isOther(label: string): boolean {
  return label.toLowerCase() === OTHER;
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function byName([one]: readonly [string, number], [two]: readonly [string, number]): number {
  return compare(one, two);
}

/** By UTF-16 code units: the same on every machine, whatever its language. */
function compare(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}
