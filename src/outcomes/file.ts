import { open, readFile, rename, rm } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { parseTable, printTable } from './table-file.ts';
import { NO_OUTCOMES, type Outcomes } from './table.ts';

export type LoadedTable =
  | { readonly kind: 'table'; readonly table: Outcomes }
  /** The file is there and can't be used; `problem` says why and names the file. */
  | { readonly kind: 'unreadable'; readonly problem: string };

/** Reads a table; a file that is not there is an empty one. */
export async function readTable(file: string): Promise<LoadedTable> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'table', table: NO_OUTCOMES };
    return { kind: 'unreadable', problem: `${file}: ${messageOf(thrown)}` };
  }
  const parsed = parseTable(text);
  return parsed.kind === 'table' ? parsed : { kind: 'unreadable', problem: `${file}: ${parsed.problem}` };
}

/** Writes a table in one step: whoever reads the file finds the old one or the new one, also after a crash. */
export async function writeTable(file: string, table: Outcomes): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    try {
      await handle.writeFile(printTable(table));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (thrown) {
    await rm(part, { force: true });
    throw thrown;
  }
}
