import type { RowProblem } from '../learn/rows.ts';
import { CommandFailure, EXIT } from './exit.ts';

/** Prints all problems of a data file on standard error, one a line; returns what ends the command. */
export function writeRowProblems(file: string, problems: readonly RowProblem[], consequence: string): CommandFailure {
  for (const { line, message } of problems) {
    process.stderr.write(line === 0 ? `${file}: ${message}\n` : `${file}:${line}: ${message}\n`);
  }
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  return new CommandFailure(EXIT.failure, `${file}: ${count}; ${consequence}`);
}
