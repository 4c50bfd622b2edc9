import type { Outcome } from './table.ts';

/** A line of a file that can't be used. Says nothing of what stands in it. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

export interface Imported {
  readonly outcomes: readonly Outcome[];
  readonly problems: readonly BadLine[];
  /** Rows whose request_id no line of the log had. */
  readonly unmatched: number;
}

/** Which model answered a request, and in which category, by its id. */
export type Answers = ReadonlyMap<string, { readonly model: string; readonly category: string }>;

const LONGEST_NAME = 256;

/**
 * Reads grades, one JSON object a line: {model, category, score} as it is, {request_id, score} joined with the log. `category` may be left out
 * or '' for a request without a certain category. Blank lines are passed over; bad lines are told, all of them.
 */
export function readGrades(text: string, answers: Answers): Imported {
  const outcomes: Outcome[] = [];
  const problems: BadLine[] = [];
  let unmatched = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = readRow(line);
    if (read.kind === 'bad') problems.push({ line: index + 1, problem: read.problem });
    else if (read.kind === 'direct') outcomes.push(read.outcome);
    else {
      const answer = answers.get(read.requestId);
      if (answer === undefined) unmatched += 1;
      else outcomes.push({ ...answer, score: read.score });
    }
  }
  return { outcomes, problems, unmatched };
}

/**
 * The answers that a router's log tells of. `llm_usage` says who really answered, after fallbacks; `routing_decision` who was chosen and in
 * which category. Lines of other events and lines that are no JSON are passed over: logs are often mixed. Requests for a concrete model teach
 * nothing of a category and are left out.
 */
export async function answersOf(lines: Iterable<string> | AsyncIterable<string>): Promise<Answers> {
  const decided = new Map<string, { model: string; category: string }>();
  const served = new Map<string, string>();
  for await (const line of lines) {
    const record = parseObject(line);
    const id = record?.['request_id'];
    if (record === null || typeof id !== 'string' || id === '') continue;
    const { event, selected_model: selected, category, model } = record;
    if (event === 'routing_decision' && isName(selected) && record['reason_code'] !== 'model_specified') {
      decided.set(id, { model: selected, category: typeof category === 'string' ? category : '' });
    } else if (event === 'llm_usage' && isName(model)) served.set(id, model);
  }
  return new Map(
    [...decided].map(([id, { model, category }]) => [id, { model: served.get(id) ?? model, category }] as const),
  );
}

type Row =
  | { readonly kind: 'direct'; readonly outcome: Outcome }
  | { readonly kind: 'joined'; readonly requestId: string; readonly score: number }
  | { readonly kind: 'bad'; readonly problem: string };

function readRow(line: string): Row {
  const row = parseObject(line);
  if (row === null) return bad('it is not a JSON object');
  const { model, category = '', request_id: requestId, score } = row;
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return bad('"score" is not a number from 0 to 1');
  if (model !== undefined) {
    if (!isName(model)) return bad('"model" is not the name of a model');
    if (typeof category !== 'string' || category.length > LONGEST_NAME) return bad('"category" is not a name');
    return { kind: 'direct', outcome: { model, category, score } };
  }
  if (typeof requestId === 'string' && requestId !== '') return { kind: 'joined', requestId, score };
  return bad('it has neither "model" nor "request_id"');
}

function bad(problem: string): Row {
  return { kind: 'bad', problem };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
