import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findPii, PII_KINDS, type PiiKind } from '../../../../src/signals/pii.ts';

/** A text and what is in it: `kinds[i]` stands at `spans[i]`. A text of the negatives has neither. */
export interface Row {
  readonly text: string;
  readonly kinds?: readonly PiiKind[];
  readonly spans?: readonly (readonly [number, number])[];
}

/** The detectors were tuned on one half of the rows and never saw the other; the text's hash says which is which. */
export type Half = 'tuned' | 'unseen';

export function halfOf({ text }: Row): Half {
  return (createHash('sha256').update(text).digest()[0] ?? 0) % 2 === 0 ? 'tuned' : 'unseen';
}

export function rowsOf(name: 'positives' | 'negatives'): readonly Row[] {
  const file = new URL(`../../../fixtures/pii/${name}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/** Counts of one kind. `exact` are the found ones whose place is right to the character. */
export interface Tally {
  expected: number;
  found: number;
  exact: number;
  wrong: number;
}

export type Table = ReadonlyMap<PiiKind | 'all', Tally>;

/** Recall and precision of the detectors over rows, a kind. A finding counts when kind and place overlap with what is there. */
export function measure(rows: readonly Row[]): Table {
  const table = new Map<PiiKind | 'all', Tally>(
    [...PII_KINDS, 'all' as const].map((kind) => [kind, { expected: 0, found: 0, exact: 0, wrong: 0 }]),
  );
  const count = (kind: PiiKind, what: keyof Tally) => {
    for (const name of [kind, 'all'] as const) {
      const tally = table.get(name);
      if (tally !== undefined) tally[what] += 1;
    }
  };
  for (const row of rows) {
    const unclaimed = [...findPii(row.text)];
    for (const [index, kind] of (row.kinds ?? []).entries()) {
      const [start = 0, end = 0] = row.spans?.[index] ?? [];
      count(kind, 'expected');
      const at = unclaimed.findIndex((one) => one.kind === kind && one.start < end && one.end > start);
      const [finding] = at < 0 ? [] : unclaimed.splice(at, 1);
      if (finding === undefined) continue;
      count(kind, 'found');
      if (finding.start === start && finding.end === end) count(kind, 'exact');
    }
    for (const { kind } of unclaimed) count(kind, 'wrong');
  }
  return table;
}

export function recall({ expected, found }: Tally): number {
  return expected === 0 ? 1 : found / expected;
}

export function precision({ found, wrong }: Tally): number {
  return found + wrong === 0 ? 1 : found / (found + wrong);
}

/** The table as docs/pii.md shows it. */
export function printTable(halves: Readonly<Record<Half, Table>>): string {
  const cells = (tally: Tally) => [
    String(tally.expected),
    recall(tally).toFixed(3),
    precision(tally).toFixed(3),
    String(tally.exact),
  ];
  const lines = [...PII_KINDS, 'all' as const].map((kind) => {
    const [tuned, unseen] = [halves.tuned.get(kind), halves.unseen.get(kind)];
    return tuned === undefined || unseen === undefined ? [] : [`\`${kind}\``, ...cells(tuned), ...cells(unseen)];
  });
  const head = [
    'kind',
    'tuned: there',
    'recall',
    'precision',
    'exact',
    'unseen: there',
    'recall',
    'precision',
    'exact',
  ];
  const table = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const row = (line: readonly string[]) =>
    `| ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [row(head), rule, ...lines.map(row)].join('\n');
}
