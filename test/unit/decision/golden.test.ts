import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/decision/decide.ts';
import { readCase } from './golden-case.ts';
import { summarize } from './golden-summary.ts';

const FOLDER = join(import.meta.dirname, '../../golden/routing');
const LINE = '----------';
const cases = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));

/** A file is YAML (config, request, signals), a line of dashes, and what is decided. UPDATE_GOLDEN=1 rewrites the second half: read it. */
describe('test/golden/routing', () => {
  test.each(cases)('%s', (file) => {
    const path = join(FOLDER, file);
    const [given = '', expected = ''] = readFileSync(path, 'utf8').split(`\n${LINE}\n`);
    const actual = `${summarize(decide(readCase(given)))}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${given.trimEnd()}\n${LINE}\n${actual}`);
    else expect(actual).toBe(expected);
  });

  test('there are at least 60 cases, each with a sentence that says what it shows', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    for (const file of cases) expect(readFileSync(join(FOLDER, file), 'utf8')).toMatch(/^# \S/);
  });
});
