/** Labelled examples from JSON Lines, checked as a whole. Pure. Messages hold line numbers and labels, never a text. */

export interface LabelledRow {
  readonly text: string;
  readonly label: string;
  /** 1-based line of the file. */
  readonly line: number;
}

export interface RowProblem {
  /** 1-based; 0 for what concerns the file as a whole. */
  readonly line: number;
  readonly message: string;
}

export type RowsOutcome =
  | { readonly kind: 'good'; readonly rows: readonly LabelledRow[]; readonly repeats: number }
  | { readonly kind: 'bad'; readonly problems: readonly RowProblem[] };

/** A file of fewer rows can't be cross-validated, one of more takes minutes rather than seconds. */
export const MIN_ROWS = 10;
export const MAX_ROWS = 10_000;
/** Far beyond what the encoder reads of a text; a longer line is a file of another kind. */
export const MAX_LINE_CHARS = 65_536;
export const MAX_LABEL_CHARS = 100;

/**
 * Reads lines of `{"text": …, "label": …}`; other members are passed over, empty lines too. All problems come back at once, in the order of
 * their lines. The same text twice under one label counts once (`repeats` says how many were left out); under two labels it is a problem.
 */
export function parseRows(source: string): RowsOutcome {
  const problems: RowProblem[] = [];
  const rows: LabelledRow[] = [];
  const spellings = new Map<string, LabelledRow>();
  const texts = new Map<string, LabelledRow>();
  let repeats = 0;
  for (const { content, line } of linesOf(source)) {
    const outcome = parseLine(content);
    if (typeof outcome === 'string') {
      problems.push({ line, message: outcome });
      continue;
    }
    const row: LabelledRow = { ...outcome, line };
    const spelt = firstOf(spellings, row.label.toLowerCase(), row);
    if (spelt.label !== row.label) {
      problems.push({
        line,
        message: `the label ${show(row.label)} differs from ${show(spelt.label)} of line ${spelt.line} only in upper and lower case`,
      });
      continue;
    }
    const twin = firstOf(texts, comparable(row.text), row);
    if (twin === row) rows.push(row);
    else if (twin.label === row.label) repeats += 1;
    else {
      problems.push({
        line,
        message: `the same text as line ${twin.line} under another label: ${show(row.label)}, there ${show(twin.label)}`,
      });
    }
  }
  if (problems.length === 0 && rows.length < MIN_ROWS) {
    problems.push({ line: 0, message: `${rows.length} different texts; at least ${MIN_ROWS} are needed` });
  }
  if (rows.length > MAX_ROWS) {
    problems.push({ line: 0, message: `${rows.length} different texts; at most ${MAX_ROWS} are taken` });
  }
  return problems.length === 0 ? { kind: 'good', rows, repeats } : { kind: 'bad', problems };
}

/** Lines that hold something, with their numbers; a byte order mark and a carriage return belong to no line. */
export function* linesOf(source: string): Generator<{ readonly content: string; readonly line: number }> {
  let line = 0;
  for (const content of source.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    line += 1;
    if (content.trim() !== '') yield { content, line };
  }
}

/** One line's JSON object, or what is wrong with it. */
export function parseObject(content: string): Readonly<Record<string, unknown>> | string {
  if (content.length > MAX_LINE_CHARS) return `${content.length} characters; at most ${MAX_LINE_CHARS} are taken`;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's own message quotes the text.
    return 'not JSON';
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : 'not a JSON object';
}

function parseLine(content: string): Omit<LabelledRow, 'line'> | string {
  const value = parseObject(content);
  if (typeof value === 'string') return value;
  const complaints = [
    stringComplaint('text', value['text']),
    stringComplaint('label', value['label']) ?? labelComplaint(String(value['label']).trim()),
  ].filter((complaint) => complaint !== null);
  if (complaints.length > 0) return complaints.join('; ');
  return { text: String(value['text']), label: String(value['label']).trim() };
}

function stringComplaint(name: string, value: unknown): string | null {
  if (value === undefined) return `no "${name}"`;
  if (typeof value !== 'string') return `"${name}" is not a string`;
  return value.trim() === '' ? `"${name}" is empty` : null;
}

function labelComplaint(label: string): string | null {
  if (label.length > MAX_LABEL_CHARS) return `"label" has ${label.length} characters; at most ${MAX_LABEL_CHARS}`;
  // Labels travel in headers, log lines and metrics.
  return /\p{Cc}/u.test(label) ? '"label" holds a control character' : null;
}

/** What counts as the same text: upper and lower case, compatibility forms and the kind of space do not matter. */
export function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
}

function firstOf(table: Map<string, LabelledRow>, key: string, row: LabelledRow): LabelledRow {
  const first = table.get(key);
  if (first === undefined) table.set(key, row);
  return first ?? row;
}

function show(label: string): string {
  return JSON.stringify(label);
}
