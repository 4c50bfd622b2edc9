import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../src/cli/program.ts';

let folder: string;
const path = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outcomes-cli-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function outcomes(...args: string[]) {
  const kept = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      kept[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await run(['outcomes', ...args]), ...kept };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const CONFIG = `
vllm_endpoints: [{ name: a, address: 127.0.0.1, port: 8000, models: [small] }]
categories: [{ name: Math, model_scores: [{ model: small, score: 0.5 }] }]
outcomes: { prior_strength: 2 }
`;

describe('import and show', () => {
  test('make a table of rows and of a log, and show what it does to a config', async () => {
    writeFileSync(
      path('log'),
      '{"event":"routing_decision","request_id":"r","selected_model":"small","category":"math"}\n',
    );
    writeFileSync(
      path('grades'),
      '{"model":"small","category":"math","score":1}\n{"request_id":"r","score":1}\n{"model":"gone","score":0}\n{"request_id":"s","score":0}\n',
    );
    writeFileSync(path('config'), CONFIG);
    const made = await outcomes('import', '--data', path('grades'), '--log', path('log'), '--out', path('table'));
    expect(made).toMatchObject({ code: 0 });
    expect(made.stdout).toMatch(/3 grade\(s\) in 2 cell\(s\), version [0-9a-f]{12}\n$/);
    expect(made.stderr).toContain('1 grade(s) left out');

    const shown = await outcomes('show', '--table', path('table'), '--config', path('config'), '--json');
    const { cells } = JSON.parse(shown.stdout) as { cells: unknown[] };
    expect(cells).toEqual([
      {
        model: 'gone',
        category: '',
        count: 1,
        mean: 0,
        prior: null,
        prior_source: null,
        quality: null,
        low: null,
        high: null,
      },
      {
        model: 'small',
        category: 'math',
        count: 2,
        mean: 1,
        prior: 0.5,
        prior_source: 'categories.Math.model_scores[0].score',
        quality: 0.75,
        low: expect.closeTo(0.3704, 3),
        high: 1,
      },
    ]);
    const plain = await outcomes('show', '--table', path('table'));
    expect(plain.stdout).toContain(
      'model  category  count  mean\ngone   -         1      0.000\nsmall  math      2      1.000\n',
    );
  });

  test('a bad row writes nothing and is named by its line', async () => {
    writeFileSync(path('grades'), '{"model":"small","score":1}\n{"model":"small","score":2}\n');
    const { code, stderr } = await outcomes('import', '--data', path('grades'), '--out', path('table'));
    expect(code).toBe(1);
    expect(stderr).toContain(`${path('grades')}:2: "score"`);
    expect(existsSync(path('table'))).toBe(false);
  });

  test('grades of which none can be used leave an old table alone', async () => {
    writeFileSync(path('table'), 'old');
    writeFileSync(path('grades'), '{"request_id":"r","score":1}\n');
    expect((await outcomes('import', '--data', path('grades'), '--out', path('table'))).code).toBe(1);
    expect(readFileSync(path('table'), 'utf8')).toBe('old');
  });

  test('a table that is missing or none is said', async () => {
    expect((await outcomes('show', '--table', path('none'))).code).toBe(2);
    writeFileSync(path('table'), '{}');
    const { code, stderr } = await outcomes('show', '--table', path('table'));
    expect(code).toBe(1);
    expect(stderr).toContain('no table of outcomes');
  });
});
