import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { buildRecord } from '../../../src/observability/record.ts';
import { decided, refused, signalsOf } from './fixture.ts';

const ROOT = new URL('../../../', import.meta.url);
const DOCUMENT = readFileSync(new URL('docs/logs.md', ROOT), 'utf8');

function sources(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8'));
}

test('docs/logs.md explains every field of a routing decision, in order', () => {
  const input = {
    requestId: null,
    traceId: 'x',
    originalModel: 'auto',
    modelIsKnown: true,
    signals: signalsOf(),
    policyVersion: 'v',
    routingLatencyMs: 1,
    prompt: 'x',
  };
  const fields = Object.keys(buildRecord({ ...input, outcome: decided({ degraded: 'deadline', flags: [{}] }) }));
  fields.splice(fields.indexOf('trace_id'), 0, 'status');
  expect(buildRecord({ ...input, outcome: refused(404, 'x') })).toHaveProperty('status');
  const table = /## routing_decision[^]*?\n\n(?=## )/.exec(DOCUMENT)?.[0] ?? '';
  const documented = [...table.matchAll(/^\| (`[^|]+?) +\|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(documented).toEqual(fields);
});

test('docs/logs.md explains every event that the code logs', () => {
  const code = ['src/api', 'src/cli', 'src/observability', 'src/ml', 'src/config', 'src/extproc']
    .flatMap(sources)
    .join('\n');
  const events = new Set([...code.matchAll(/\bevent: '(\w+)'/g)].map(([, event]) => event ?? ''));
  expect(events.size).toBeGreaterThan(10);
  for (const event of events) expect(DOCUMENT).toMatch(new RegExp(`\`${event}\`|^## .*\\b${event}\\b`, 'm'));
});
