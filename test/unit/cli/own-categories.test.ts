import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileWith, runCommand } from './run-command.ts';

const LABELS = ['opening_hours', 'refund_status', 'warranty_repair'];
const rows = readFileSync('test/fixtures/intents.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { text: string; label: string })
  .filter(({ label }) => LABELS.includes(label));
const jsonLines = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');

test('train writes a model, eval routes with it', async () => {
  const data = fileWith('three.jsonl', jsonLines(rows));
  const out = join(dirname(data), 'mine');
  const trained = await runCommand(['train', '--data', data, '--out', out]);
  expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' });
  expect(trained.stdout).toContain('120 examples, 3 categories');
  expect(trained.stdout).toContain(`model_id: ${JSON.stringify(out)}, threshold: 0`);
  expect(existsSync(join(out, 'report.json'))).toBe(true);

  const again = await runCommand(['train', '--data', data, '--out', out]);
  expect([again.code, again.stderr]).toEqual([2, `${out}: there is a model already; --force replaces it\n`]);

  const config = fileWith(
    'own.yaml',
    `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8000, models: [general, workshop] }
default_model: general
classifier:
  category_model: { model_id: ${out}, threshold: 0 }
categories:
  - { name: warranty_repair, model_scores: [{ model: workshop, score: 1 }] }
`,
  );
  const expectations = [
    {
      text: 'my new dishwasher broke, is that under warranty',
      expect: { category: 'warranty_repair', model: 'workshop' },
    },
    { text: 'when do you close on sunday', expect: { category: 'opening_hours', model: 'general' } },
    { request: { model: 'workshop', messages: [] }, expect: { model: 'workshop' } },
    { text: 'where is my refund', expect: { category: 'warranty_repair' } },
  ];
  const checks = fileWith('checks.jsonl', jsonLines(expectations));
  const checked = await runCommand(['eval', '--data', checks, '--config', config, '--json']);
  expect([checked.code, checked.stderr]).toEqual([0, '']);
  const report = JSON.parse(checked.stdout) as { mismatches: { line: number }[]; accuracy: Record<string, object> };
  expect(report.mismatches.map(({ line }) => line)).toContain(4);
  expect(report.accuracy['category']).toMatchObject({ rows: 3 });
  const strict = await runCommand(['eval', '--data', checks, '--config', config, '--min-accuracy', '1']);
  expect(strict.code).toBe(1);
  expect(strict.stdout).toMatch(/^line 4: category warranty_repair → /m);
}, 120_000);

test('bad data are told with their lines, all at once', async () => {
  const data = fileWith('bad.jsonl', 'nope\n{"text":"x"}\n');
  const trained = await runCommand(['train', '--data', data, '--out', join(dirname(data), 'never')]);
  expect(trained).toEqual({
    code: 1,
    stdout: '',
    stderr: `${data}:1: not JSON\n${data}:2: no "label"\n${data}: 2 problems; nothing was trained\n`,
  });
}, 30_000);
