import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { BUILT_IN_LABELS, BUILT_IN_MODEL, type ModelLook } from '../../../src/config/classifier.ts';
import { load } from '../../../src/config/load.ts';
import { CONFIG_CODES, formatProblem } from '../../../src/config/problem.ts';

const folder = join(import.meta.dirname, '..', '..', 'golden', 'config-errors');
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''));
const environment = { NAME: 'from-environment', SECRET: 'not a host: do-not-print-me' };

/** Stands for models/: the built-in classifier, and one of the user's own. */
function lookUp(modelId: string): ModelLook {
  if (modelId === BUILT_IN_MODEL) return { kind: 'sound', labels: BUILT_IN_LABELS, hasJailbreak: true };
  if (modelId === 'tickets') return { kind: 'sound', labels: ['billing', 'shipping', 'returns'], hasJailbreak: false };
  const message = `there is no folder ${JSON.stringify(modelId)}`;
  return { kind: 'unsound', message, allowed: 'a folder under models/', fix: 'correct the name' };
}

/** What `switchyard check` prints: problems, then warnings. */
function printed(name: string): string {
  const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
  const outcome = load(text, `${name}.yaml`, environment, lookUp);
  const problems = outcome.kind === 'rejected' ? outcome.problems : [];
  const lines = [
    ...problems.map(formatProblem),
    ...outcome.warnings.map((warning) => `warning: ${formatProblem(warning)}`),
  ];
  return `${lines.join('\n')}\n`;
}

describe('golden files', () => {
  test.each(cases)('%s', (name) => {
    const file = join(folder, `${name}.expected`);
    const now = printed(name);
    if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(file)) {
      if (process.env['UPDATE_GOLDEN'] !== '1')
        throw new Error(`${file} is missing: run with UPDATE_GOLDEN=1 and read what it wrote`);
      writeFileSync(file, now);
    }
    expect(now).toBe(readFileSync(file, 'utf8'));
  });

  test('no secret is printed', () => {
    for (const name of cases) expect(printed(name)).not.toContain('do-not-print-me');
  });

  test('every code is shown once at least', () => {
    const all = cases.map(printed).join('');
    const unseen = Object.keys(CONFIG_CODES).filter((code) => !all.includes(`${code} `));
    // A file that cannot be read has no text to keep here (store.test.ts).
    expect(unseen).toEqual(['CONFIG_UNREADABLE']);
  });

  test('every line has its form', () => {
    for (const name of cases) {
      for (const line of printed(name).trim().split('\n')) {
        expect(line).toMatch(
          /^(?:warning: )?CONFIG_[A-Z_]+ [\w-]+\.yaml:\d+:\d+(?: [^\s:]\S*(?:\["[^"]*"\])?[^:]*)?: .+$/,
        );
      }
    }
  });
});
