import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTable, writeTable } from '../../../src/outcomes/file.ts';
import { RecentAnswers } from '../../../src/outcomes/recent.ts';
import { createOutcomeStore, openOutcomes } from '../../../src/outcomes/store.ts';
import { printTable } from '../../../src/outcomes/table-file.ts';
import { cellOf, countOf, MAX_CELLS, NO_OUTCOMES, tableOf } from '../../../src/outcomes/table.ts';

let folder: string;
let file: string;
let problems: string[];
const onProblem = (problem: string): void => {
  problems.push(problem);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outcomes-'));
  file = join(folder, 'table.json');
  problems = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const ONE = { requestId: 'one', model: 'small', category: 'math' };

describe('grading', () => {
  test('finds the model and category that a request got', () => {
    const store = createOutcomeStore(NO_OUTCOMES, { file: null, onProblem });
    store.answered(ONE);
    expect(store.grade('one', 0.5)).toEqual({
      kind: 'graded',
      model: 'small',
      category: 'math',
      count: 1,
      replaced: false,
    });
    expect(cellOf(store.table(), 'small', 'math')).toEqual({ count: 1, sum: 500_000 });
  });

  test('says so when it never heard of the request, and keeps the table', () => {
    const store = createOutcomeStore(NO_OUTCOMES, { file: null, onProblem });
    expect(store.grade('two', 1)).toEqual({ kind: 'unknown' });
    expect(store.table()).toBe(NO_OUTCOMES);
  });

  test('a second grade stands in the place of the first: sending it again changes nothing', () => {
    const store = createOutcomeStore(NO_OUTCOMES, { file: null, onProblem });
    store.answered(ONE);
    store.grade('one', 1);
    expect(store.grade('one', 0.25)).toMatchObject({ count: 1, replaced: true });
    expect(store.grade('one', 0.25)).toMatchObject({ count: 1, replaced: true });
    expect(cellOf(store.table(), 'small', 'math')).toEqual({ count: 1, sum: 250_000 });
  });

  test('a table that was handed out never changes', () => {
    const store = createOutcomeStore(NO_OUTCOMES, { file: null, onProblem });
    store.answered(ONE);
    const before = store.table();
    store.grade('one', 1);
    expect(countOf(before)).toBe(0);
    expect(store.table()).not.toBe(before);
  });

  test('a full table says so', () => {
    const { table } = tableOf(
      Array.from({ length: MAX_CELLS }, (_, index) => ({ model: `m${index}`, category: '', score: 1 })),
    );
    const store = createOutcomeStore(table, { file: null, onProblem });
    store.answered(ONE);
    expect(store.grade('one', 1)).toEqual({ kind: 'full' });
  });
});

describe('the answers of late', () => {
  test('the oldest is forgotten first, and an id that comes again is new', () => {
    const recent = new RecentAnswers(2);
    recent.remember({ ...ONE, requestId: 'a' });
    recent.remember({ ...ONE, requestId: 'b' });
    recent.remember({ ...ONE, requestId: 'a', model: 'large' });
    recent.remember({ ...ONE, requestId: 'c' });
    expect(recent.size).toBe(2);
    expect(recent.find('b')).toBeNull();
    expect(recent.find('a')?.model).toBe('large');
    expect(recent.find('c')).not.toBeNull();
  });

  test('there are never more of them than allowed', () => {
    const recent = new RecentAnswers(100);
    for (let index = 0; index < 10_000; index += 1) recent.remember({ ...ONE, requestId: String(index) });
    expect(recent.size).toBe(100);
    expect(recent.find('9999')).not.toBeNull();
    expect(recent.find('9899')).toBeNull();
  });
});

describe('the file', () => {
  test('has every grade once the store is closed, and the next store begins with them', async () => {
    const store = await openOutcomes({ file, onProblem, delayMs: 60_000 });
    store.answered(ONE);
    store.grade('one', 1);
    await store.close();
    const next = await openOutcomes({ file, onProblem });
    expect(cellOf(next.table(), 'small', 'math')).toEqual({ count: 1, sum: 1_000_000 });
    await next.close();
    expect(await readdir(folder)).toEqual(['table.json']);
    expect(problems).toEqual([]);
  });

  test('is written a while after a grade', async () => {
    const store = await openOutcomes({ file, onProblem, delayMs: 1 });
    store.answered(ONE);
    store.grade('one', 1);
    for (let wait = 0; wait < 200 && (await readdir(folder)).length === 0; wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await store.close();
    const loaded = await readTable(file);
    expect(loaded.kind === 'table' ? countOf(loaded.table) : null).toBe(1);
  });

  test('without grades there is none', async () => {
    const store = await openOutcomes({ file, onProblem });
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  });

  test('one that makes no sense is set aside, told, and does not stop the start', async () => {
    await writeFile(file, '{"kind": "notes"}');
    const store = await openOutcomes({ file, onProblem });
    expect(store.table()).toBe(NO_OUTCOMES);
    store.answered(ONE);
    store.grade('one', 1);
    await store.close();
    expect(await readFile(`${file}.unreadable`, 'utf8')).toBe('{"kind": "notes"}');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('table.json');
  });

  test('that is a folder stays where it is', async () => {
    const file = join(folder, 'precious');
    await mkdir(join(file, 'inside'), { recursive: true });
    const store = await openOutcomes({ file, onProblem });
    store.answered(ONE);
    store.grade('one', 1);
    await store.close();
    expect(problems).toHaveLength(2);
    // Nor is anything left beside it of a table that could not be put there.
    expect((await readdir(folder)).filter((name) => name.startsWith('precious'))).toEqual(['precious']);
    expect(await readdir(file)).toEqual(['inside']);
  });

  test('with a byte order mark is read', async () => {
    const file = join(folder, 'marked.json');
    await writeFile(file, `\uFEFF${printTable(tableOf([{ model: 'm', category: '', score: 1 }]).table)}`);
    const store = await openOutcomes({ file, onProblem });
    expect(problems).toEqual([]);
    expect(store.table().size).toBe(1);
    await store.close();
  });

  test('that can’t be written is told; grading goes on', async () => {
    const store = await openOutcomes({ file: join(folder, 'missing', 'table.json'), onProblem });
    store.answered(ONE);
    expect(store.grade('one', 1).kind).toBe('graded');
    await store.close();
    expect(problems).toHaveLength(1);
  });

  test('equal tables are equal files', async () => {
    const rows = [
      { model: 'b', category: 'x', score: 0.1 },
      { model: 'a', category: 'y', score: 0.2 },
    ];
    await writeTable(file, tableOf(rows).table);
    const first = await readFile(file, 'utf8');
    await writeTable(file, tableOf(rows.toReversed()).table);
    expect(await readFile(file, 'utf8')).toBe(first);
  });
});
