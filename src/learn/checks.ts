import { isRecord } from '../record.ts';
import { OTHER } from './categories.ts';
import { rate, type Rate } from './measure.ts';
import { linesOf, MAX_ROWS, parseObject, type RowProblem } from './rows.ts';

/** What a row expects; what it does not name is not checked. */
export interface Expectation {
  readonly category?: string;
  readonly model?: string;
  readonly reasoning?: boolean;
  readonly decision?: string;
}

export const CHECKS = ['category', 'model', 'reasoning', 'decision'] as const;
export type Check = (typeof CHECKS)[number];

export interface CheckRow {
  /** A chat request: the row's own, or one with its text as the only message. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly expect: Expectation;
  readonly line: number;
}

/** What came out for one row. `category` is '' without one; `decision` is the reason code of a refusal. */
export interface Answer {
  readonly category: string;
  readonly model: string | null;
  readonly reasoning: boolean;
  readonly decision: string;
}

export type CheckRowsOutcome =
  | { readonly kind: 'good'; readonly rows: readonly CheckRow[] }
  | { readonly kind: 'bad'; readonly problems: readonly RowProblem[] };

/** Reads lines of `{"text" or "request": …, "expect": {…}}`; all problems come back at once. */
export function parseCheckRows(source: string): CheckRowsOutcome {
  const problems: RowProblem[] = [];
  const rows: CheckRow[] = [];
  for (const { content, line } of linesOf(source)) {
    const value = parseObject(content);
    const row = typeof value === 'string' ? value : checkRow(value, line);
    if (typeof row === 'string') problems.push({ line, message: row });
    else rows.push(row);
  }
  if (problems.length === 0 && rows.length === 0) problems.push({ line: 0, message: 'no rows' });
  if (rows.length > MAX_ROWS) problems.push({ line: 0, message: `${rows.length} rows; at most ${MAX_ROWS} are taken` });
  return problems.length === 0 ? { kind: 'good', rows } : { kind: 'bad', problems };
}

function checkRow(value: Readonly<Record<string, unknown>>, line: number): CheckRow | string {
  const request = requestOf(value);
  const expect = expectationOf(value['expect']);
  const complaints = [request, expect].filter((part) => typeof part === 'string');
  if (typeof request === 'string' || typeof expect === 'string') return complaints.join('; ');
  return { request, expect, line };
}

function requestOf({ text, request }: Readonly<Record<string, unknown>>): CheckRow['request'] | string {
  if ((text === undefined) === (request === undefined)) return 'either "text" or "request" is needed';
  if (request !== undefined) {
    return isRecord(request) ? request : '"request" is not an object';
  }
  if (typeof text !== 'string' || text.trim() === '') return '"text" is not a string with something in it';
  return { model: 'auto', messages: [{ role: 'user', content: text }] };
}

function expectationOf(value: unknown): Expectation | string {
  if (!isRecord(value)) return 'no "expect" object';
  const complaints = Object.entries(value).flatMap(([name, wanted]) => {
    if (!(CHECKS as readonly string[]).includes(name)) {
      return [`"expect.${name.slice(0, 40)}" is not known: ${CHECKS.join(', ')} are`];
    }
    const type = name === 'reasoning' ? 'boolean' : 'string';
    return typeof wanted === type ? [] : [`"expect.${name}" is not a ${type}`];
  });
  if (Object.keys(value).length === 0) complaints.push(`"expect" names none of ${CHECKS.join(', ')}`);
  return complaints.length > 0 ? complaints.join('; ') : value;
}

export interface Mismatch {
  readonly line: number;
  readonly check: Check;
  readonly expected: string;
  readonly got: string;
}

export interface CheckReport {
  readonly rows: number;
  /** By check, over the rows that expect something of it. */
  readonly accuracy: Readonly<Partial<Record<Check, Rate & { readonly rows: number }>>>;
  /** Rows where all that was expected came out. */
  readonly all: Rate;
  /** By expected category, in the order of appearance. */
  readonly categories: readonly { readonly category: string; readonly rows: number; readonly right: number }[];
  readonly mismatches: readonly Mismatch[];
}

/** Compares answers with expectations, row by row. Category names are compared without regard to case; no category counts as "other". */
export function compare(rows: readonly CheckRow[], answers: readonly Answer[]): CheckReport {
  const mismatches: Mismatch[] = [];
  const asked = new Map<Check, number>();
  const categories = new Map<string, { rows: number; right: number }>();
  for (const [index, { expect, line }] of rows.entries()) {
    const answer = answers[index];
    if (answer === undefined) continue;
    for (const check of CHECKS) {
      const wanted = expect[check];
      if (wanted === undefined) continue;
      asked.set(check, (asked.get(check) ?? 0) + 1);
      const expected = String(wanted);
      const got = String(answer[check] ?? '');
      const isRight = check === 'category' ? folded(expected) === folded(got) : expected === got;
      if (!isRight) mismatches.push({ line, check, expected, got: got === '' ? 'none' : got });
      if (check === 'category') {
        const counts = categories.get(folded(expected)) ?? { rows: 0, right: 0 };
        categories.set(folded(expected), { rows: counts.rows + 1, right: counts.right + (isRight ? 1 : 0) });
      }
    }
  }
  const wrongIn = (check: Check) => mismatches.filter((one) => one.check === check).length;
  const wrongLines = new Set(mismatches.map(({ line }) => line)).size;
  return {
    rows: rows.length,
    accuracy: Object.fromEntries(
      [...asked].map(([check, count]) => [check, { ...rate(count - wrongIn(check), count), rows: count }]),
    ),
    all: rate(rows.length - wrongLines, rows.length),
    categories: [...categories].map(([category, counts]) => ({ category, ...counts })),
    mismatches,
  };
}

/** A request that no category was found for belongs to "other", whether or not the classifier has such a label. */
function folded(category: string): string {
  return category === '' ? OTHER : category.toLowerCase();
}

/** The lowest accuracy of all checks, 0..1; 1 when nothing was checked. */
export function lowestAccuracy({ accuracy }: CheckReport): number {
  return Math.min(1, ...Object.values(accuracy).map(({ value }) => value));
}
