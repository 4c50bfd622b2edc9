import { rename, stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { readTable, writeTable } from './file.ts';
import { type Answered, RecentAnswers } from './recent.ts';
import { cellOf, NO_OUTCOMES, type Outcomes, withOutcome, withoutOutcome } from './table.ts';

/** What became of a grade. */
export type Graded =
  | {
      readonly kind: 'graded';
      readonly model: string;
      readonly category: string;
      /** Grades of this model in this category now. */
      readonly count: number;
      /** The request had a grade before; this one stands in its place. */
      readonly replaced: boolean;
    }
  /** The id is none of the last answers'. */
  | { readonly kind: 'unknown' }
  /** The table has as many cells as it may. */
  | { readonly kind: 'full' };

/** The grades of one router: collects them, and keeps them in a file where one is configured. */
export interface OutcomeStore {
  /** The table in force; a new value after each grade. */
  table(): Outcomes;
  /** Answers that can still be graded. */
  readonly gradable: number;
  /** Hears of each answer, so that it can be graded later. */
  answered(answer: Answered): void;
  grade(requestId: string, score: number): Graded;
  /** Writes what is not written yet and stops. */
  close(): Promise<void>;
}

export interface OutcomeStoreOptions {
  /** Null: the grades are gone when the process ends. */
  readonly file: string | null;
  /** A table that could not be read or written; the router goes on without. */
  readonly onProblem: (problem: string) => void;
  /** How many answers are remembered. */
  readonly capacity?: number;
  /** Time from a grade to the file, milliseconds: grades that come meanwhile are written with it. */
  readonly delayMs?: number;
}

const DELAY_MS = 1000;

/**
 * Opens the store. A file that can't be read is set aside as FILE.unreadable before anything is written in its place, and the table starts
 * empty: the grades are worth less than the traffic.
 */
export async function openOutcomes(options: OutcomeStoreOptions): Promise<OutcomeStore> {
  return createOutcomeStore(await initialTable(options.file, options.onProblem), options);
}

/** A store that starts with this table. */
export function createOutcomeStore(initial: Outcomes, options: OutcomeStoreOptions): OutcomeStore {
  const { file, onProblem, delayMs = DELAY_MS } = options;
  const recent = new RecentAnswers(options.capacity);
  let table = initial;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  const write = (): void => {
    timer = null;
    if (file === null) return;
    // One after the other, so that an older table never lands on a newer one.
    writing = writing
      .then(() => writeTable(file, table))
      .catch((thrown: unknown) => onProblem(`${file}: ${messageOf(thrown)}`));
  };

  return {
    table: () => table,
    get gradable() {
      return recent.size;
    },
    answered: (answer) => recent.remember(answer),
    grade: (requestId, score) => {
      const known = recent.find(requestId);
      if (known === null) return { kind: 'unknown' };
      const { model, category, score: earlier } = known;
      const without = earlier === null ? table : withoutOutcome(table, { model, category, score: earlier });
      const next = withOutcome(without, { model, category, score });
      if (next === without) return { kind: 'full' };
      table = next;
      recent.graded(requestId, score);
      if (file !== null) timer ??= setTimeout(write, delayMs).unref();
      const count = cellOf(table, model, category)?.count ?? 0;
      return { kind: 'graded', model, category, count, replaced: earlier !== null };
    },
    close: async () => {
      if (timer !== null) {
        clearTimeout(timer);
        write();
      }
      await writing;
    },
  };
}

async function initialTable(file: string | null, onProblem: (problem: string) => void): Promise<Outcomes> {
  if (file === null) return NO_OUTCOMES;
  const loaded = await readTable(file);
  if (loaded.kind === 'table') return loaded.table;
  onProblem(loaded.problem);
  // A folder is no table that went bad: whoever named it by mistake keeps it where it is.
  if (!(await isFile(file))) return NO_OUTCOMES;
  await rename(file, `${file}.unreadable`).catch((thrown: unknown) => onProblem(`${file}: ${messageOf(thrown)}`));
  return NO_OUTCOMES;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
