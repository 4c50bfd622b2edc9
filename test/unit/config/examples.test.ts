/** What people copy must work. */
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { envoyYaml } from '../../../src/envoy/bootstrap.ts';

const files = ['examples', 'config'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name)),
);
const at = (port: number) => ({ host: '127.0.0.1', port });

test.each(files)('%s loads without a problem or a warning, and makes a bootstrap', (file) => {
  const outcome = load(readFileSync(file, 'utf8'), file, { CLOUD_API_KEY: 'set' });
  const problems = outcome.kind === 'rejected' ? outcome.problems : outcome.warnings;
  expect(problems.map(formatProblem)).toEqual([]);
  if (outcome.kind === 'rejected') return;
  const { registry } = outcome;
  expect(envoyYaml({ registry, listen: at(1), admin: at(2), grpc: at(3), http: at(4) })).toContain('static_resources');
});
