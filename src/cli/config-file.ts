import { open, readFile } from 'node:fs/promises';
import type { LookUpModel } from '../config/classifier.ts';
import { load, type LoadOutcome } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Registry } from '../config/registry.ts';
import { messageOf } from '../errors.ts';
import { CommandFailure, EXIT } from './exit.ts';

/** Reads a file that the user named; one that can't be read is wrong usage (exit 2). */
export async function readNamedFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
}

/** The same, line by line: for files that may be larger than a text can be, like logs. */
export async function* linesOfNamedFile(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((thrown: unknown) => {
    throw unreadable(file, thrown);
  });
  try {
    for await (const line of handle.readLines()) yield line;
  } catch (thrown) {
    throw unreadable(file, thrown);
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, thrown: unknown): CommandFailure {
  const code = (thrown as NodeJS.ErrnoException).code;
  const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a directory' : messageOf(thrown);
  return new CommandFailure(EXIT.usage, `${file}: ${why}`);
}

/** Reads and checks a config file. With `lookUp` also whether its classifier can be loaded: for commands that classify. */
export async function loadConfigFile(file: string, lookUp: LookUpModel | null): Promise<LoadOutcome> {
  return load(new TextDecoder().decode(await readNamedFile(file)), file, process.env, lookUp);
}

/** The registry of a good config; a bad one prints its problems on standard error and ends the command with exit 1. */
export async function requireConfig(file: string, lookUp: LookUpModel | null = null): Promise<Registry> {
  const outcome = await loadConfigFile(file, lookUp);
  if (outcome.kind === 'loaded') {
    writeProblems(process.stderr, outcome.warnings);
    return outcome.registry;
  }
  writeProblems(process.stderr, [...outcome.problems, ...outcome.warnings]);
  throw new CommandFailure(EXIT.failure, countLine(file, outcome));
}

/** One line a problem. */
export function writeProblems(stream: NodeJS.WritableStream, problems: readonly Problem[]): void {
  for (const problem of problems) stream.write(`${formatProblem(problem)}\n`);
}

/** "router.yaml: 2 problems, 1 warning". */
export function countLine(file: string, outcome: LoadOutcome): string {
  const problems = outcome.kind === 'rejected' ? outcome.problems.length : 0;
  return `${file}: ${counted(problems, 'problem')}, ${counted(outcome.warnings.length, 'warning')}`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
