import { createHash } from 'node:crypto';
import { isRecord } from '../record.ts';
import { cellsOf, countOf, MAX_CELLS, type Cell, type Outcomes } from './table.ts';

/** The table as a file: JSON, one line a cell. */
interface TableFile {
  readonly kind: typeof KIND;
  readonly schema_version: 1;
  /** First digits of a hash of the cells: equal tables have equal versions. */
  readonly version: string;
  /** Graded answers in all cells. */
  readonly graded: number;
  readonly cells: readonly {
    readonly model: string;
    readonly category: string;
    readonly count: number;
    /** Sum of the scores in millionths. */
    readonly sum_millionths: number;
  }[];
}

export type ParsedTable =
  { readonly kind: 'table'; readonly table: Outcomes } | { readonly kind: 'invalid'; readonly problem: string };

const KIND = 'switchyard-outcomes';
const VERSION_DIGITS = 12;
const LONGEST_NAME = 256;
const UNITS = 1_000_000;

/** Version of a table's content. */
export function versionOf(table: Outcomes): string {
  const cells = cellsOf(table).map(({ model, category, count, sum }) => [model, category, count, sum]);
  return createHash('sha256').update(JSON.stringify(cells)).digest('hex').slice(0, VERSION_DIGITS);
}

/** The file's text; equal tables give equal text. */
export function printTable(table: Outcomes): string {
  const cells = cellsOf(table).map(({ model, category, count, sum }) => ({
    model,
    category,
    count,
    sum_millionths: sum,
  }));
  const head: Omit<TableFile, 'cells'> = {
    kind: KIND,
    schema_version: 1,
    version: versionOf(table),
    graded: countOf(table),
  };
  const lines = cells.map((cell) => `    ${JSON.stringify(cell)}`).join(',\n');
  const rest = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},`);
  return `{\n${rest.join('\n')}\n  "cells": [${lines === '' ? '' : `\n${lines}\n  `}]\n}\n`;
}

/** Reads a file's text. A table that was changed by hand must still add up; its version is worked out anew. */
export function parseTable(text: string): ParsedTable {
  let read: unknown;
  try {
    // Editors on Windows put a byte order mark there.
    read = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return invalid('it is not JSON');
  }
  if (!isRecord(read) || read['kind'] !== KIND) return invalid(`it is no table of outcomes: "kind" is not "${KIND}"`);
  if (read['schema_version'] !== 1) return invalid('"schema_version" is not 1: it is from another release');
  const cells: unknown = read['cells'];
  if (!Array.isArray(cells)) return invalid('"cells" is not a list');
  if (cells.length > MAX_CELLS) return invalid(`it has ${cells.length} cells; at most ${MAX_CELLS}`);
  const table = new Map<string, Map<string, Cell>>();
  for (const [index, cell] of (cells as unknown[]).entries()) {
    const parsed = cellFrom(cell);
    if (parsed === null) return invalid(`cells[${index}] is not {model, category, count ≥ 1, 0 ≤ sum ≤ count}`);
    const row = table.get(parsed.model) ?? new Map<string, Cell>();
    if (row.has(parsed.category)) return invalid(`cells[${index}] is there twice`);
    table.set(parsed.model, row.set(parsed.category, { count: parsed.count, sum: parsed.sum }));
  }
  return { kind: 'table', table };
}

function cellFrom(value: unknown): { model: string; category: string; count: number; sum: number } | null {
  if (!isRecord(value)) return null;
  const { model, category, count, sum_millionths: sum } = value;
  if (typeof model !== 'string' || model === '' || model.length > LONGEST_NAME) return null;
  if (typeof category !== 'string' || category.length > LONGEST_NAME) return null;
  if (!isWhole(count) || count < 1 || !isWhole(sum) || sum < 0 || sum > count * UNITS) return null;
  return { model, category: category.toLowerCase(), count, sum };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function invalid(problem: string): ParsedTable {
  return { kind: 'invalid', problem };
}
