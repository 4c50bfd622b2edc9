import { Command } from 'commander';
import { readTable, writeTable } from '../outcomes/file.ts';
import { answersOf, type BadLine, readGrades } from '../outcomes/import.ts';
import { cellsOf, countOf, MAX_CELLS, meanOf, type Outcomes, tableOf } from '../outcomes/table.ts';
import { versionOf } from '../outcomes/table-file.ts';
import { viewCells } from '../outcomes/view.ts';
import { linesOfNamedFile, readNamedFile, requireConfig } from './config-file.ts';
import { CommandFailure, EXIT } from './exit.ts';

interface ImportOptions {
  readonly data: string;
  readonly log?: string;
  readonly out: string;
}

interface ShowOptions {
  readonly table: string;
  readonly config?: string;
  readonly json: boolean;
}

/** Bad lines that are printed; the rest is counted. */
const SHOWN_PROBLEMS = 20;

/** `switchyard outcomes`: the table that `outcomes.file` names, made from grades and shown. */
export function outcomesCommand(): Command {
  const command = new Command('outcomes').description(
    'Makes and shows a table of graded answers: how good each model was in each category (docs/outcomes.md).',
  );
  command
    .command('import')
    .description('Makes a table from grades, one JSON object a line: {model, category, score} or {request_id, score}.')
    .requiredOption('--data <file>', 'the grades')
    .option('--log <file>', "the router's log, for rows with a request_id")
    .requiredOption('--out <file>', 'the table; one that is there is replaced')
    .action(importGrades);
  command
    .command('show')
    .description('Prints a table: counts, means, and with a config what they make of its qualities.')
    .requiredOption('--table <file>', 'a table')
    .option('--config <file>', 'a config: adds the configured quality, the expected one and its 95 % interval')
    .option('--json', 'print one JSON object', false)
    .action(showTable);
  return command;
}

async function importGrades(options: ImportOptions): Promise<void> {
  const text = await readText(options.data);
  const log = options.log === undefined ? null : await answersOf(linesOfNamedFile(options.log));
  const { outcomes, problems, unmatched } = readGrades(text, log ?? new Map());
  if (problems.length > 0) throw new CommandFailure(EXIT.failure, problemText(options.data, problems));
  if (unmatched > 0) {
    const why = log === null ? 'they have a request_id, and there is no --log' : 'their request is not in the log';
    process.stderr.write(`${options.data}: ${unmatched} grade(s) left out: ${why}\n`);
  }
  if (outcomes.length === 0) throw new CommandFailure(EXIT.failure, `${options.data}: no grade that can be used`);
  const { table, skipped } = tableOf(outcomes);
  if (skipped > 0) {
    process.stderr.write(`${options.data}: ${skipped} grade(s) left out: the table is full (${MAX_CELLS} cells)\n`);
  }
  await writeTable(options.out, table);
  process.stdout.write(
    `${options.out}: ${countOf(table)} grade(s) in ${cellsOf(table).length} cell(s), version ${versionOf(table)}\n`,
  );
}

async function showTable(options: ShowOptions): Promise<void> {
  // A table that is not there is an empty one to the router; to somebody who names it, it is a mistake.
  await readNamedFile(options.table);
  const loaded = await readTable(options.table);
  if (loaded.kind === 'unreadable') throw new CommandFailure(EXIT.failure, loaded.problem);
  const { table } = loaded;
  const rows = options.config === undefined ? plainRows(table) : viewCells(table, await requireConfig(options.config));
  if (options.json) {
    const report = { version: versionOf(table), graded: countOf(table), cells: rows };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${asText(rows)}\n${countOf(table)} grade(s), version ${versionOf(table)}\n`);
}

function plainRows(table: Outcomes) {
  return cellsOf(table).map((cell) => ({
    model: cell.model,
    category: cell.category,
    count: cell.count,
    mean: meanOf(cell),
  }));
}

/** Columns as wide as their widest cell; numbers with three decimals. */
function asText(rows: readonly object[]): string {
  const [first] = rows;
  if (first === undefined) return 'no grades';
  const head = Object.keys(first);
  const lines = [head, ...rows.map((row) => Object.entries(row).map(([key, value]) => cellText(key, value)))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellText(key: string, value: unknown): string {
  if (typeof value === 'number') return key === 'count' ? String(value) : value.toFixed(3);
  return typeof value === 'string' && value !== '' ? value : '-';
}

function problemText(file: string, problems: readonly BadLine[]): string {
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(({ line, problem }) => `${file}:${line}: ${problem}`);
  const rest = problems.length - shown.length;
  return [...shown, ...(rest > 0 ? [`… and ${rest} more`] : []), 'Nothing was written.'].join('\n');
}

async function readText(file: string): Promise<string> {
  return new TextDecoder().decode(await readNamedFile(file));
}
