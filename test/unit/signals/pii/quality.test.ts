import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { findPii, PII_KINDS } from '../../../../src/signals/pii.ts';
import { halfOf, measure, precision, printTable, recall, rowsOf, type Half, type Tally } from './rows.ts';

const rows = [...rowsOf('positives'), ...rowsOf('negatives')];
const tables = {
  tuned: measure(rows.filter((row) => halfOf(row) === 'tuned')),
  unseen: measure(rows.filter((row) => halfOf(row) === 'unseen')),
};
const of = (half: Half, kind: Parameters<(typeof tables)['tuned']['get']>[0]): Tally =>
  tables[half].get(kind) ?? { expected: 0, found: 0, exact: 0, wrong: 0 };

/** What the project asks for over all kinds. */
const FLOOR = 0.97;
/** One miss among the fewest of a kind in one half is more than that: no kind may have two. */
const KIND_FLOOR = 0.85;

describe('personal data is found, and nothing else', () => {
  test('the rows are what they say they are', () => {
    expect(rowsOf('positives').length).toBeGreaterThanOrEqual(180);
    expect(rowsOf('negatives').length).toBeGreaterThanOrEqual(180);
    expect(new Set(rows.map((row) => row.text)).size).toBe(rows.length);
    for (const row of rowsOf('positives')) {
      expect(row.spans).toHaveLength(row.kinds?.length ?? -1);
      for (const [start, end] of row.spans ?? []) expect(row.text.slice(start, end).trim()).not.toBe('');
    }
    for (const kind of PII_KINDS)
      expect(of('tuned', kind).expected + of('unseen', kind).expected).toBeGreaterThanOrEqual(10);
  });

  test.each(['tuned', 'unseen'] as const)('recall and precision of the %s half', (half) => {
    const all = of(half, 'all');
    expect(recall(all)).toBeGreaterThanOrEqual(FLOOR);
    expect(precision(all)).toBeGreaterThanOrEqual(FLOOR);
  });

  test.each(PII_KINDS)('%s', (kind) => {
    for (const half of ['tuned', 'unseen'] as const) {
      expect(recall(of(half, kind))).toBeGreaterThanOrEqual(KIND_FLOOR);
      expect(precision(of(half, kind))).toBeGreaterThanOrEqual(KIND_FLOOR);
    }
  });

  test('the places are right to the character', () => {
    const { found, exact } = of('unseen', 'all');
    expect(exact / found).toBeGreaterThanOrEqual(0.95);
  });

  test('ordinary prompts are left alone', () => {
    const data = new URL('../../../../training/data/', import.meta.url);
    const prompts = readdirSync(data)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(new URL(name, data), 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as { readonly text: string; readonly style: string })
      .filter(({ style }) => style !== 'pii');
    const alarms = prompts.filter(({ text }) => findPii(text).length > 0);
    // Some are no false alarms: pasted mails and logs have addresses.
    expect(prompts.length).toBeGreaterThan(2000);
    expect(alarms.length / prompts.length).toBeLessThanOrEqual(0.01);
  });

  test('docs/pii.md shows this table', () => {
    const docs = readFileSync(new URL('../../../../docs/pii.md', import.meta.url), 'utf8');
    expect(docs).toContain(printTable(tables));
  });
});
