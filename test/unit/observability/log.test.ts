import { expect, test } from '@jest/globals';
import { logConfigReloaded, logConfigReloadFailed } from '../../../src/observability/events.ts';
import { createLog } from '../../../src/observability/log.ts';
import { redactFields } from '../../../src/observability/redact.ts';

function open(level: string | undefined) {
  const lines: string[] = [];
  const { log } = createLog({ level, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), raw: lines };
}

test('a line is JSON with the level as a word and the time in ISO 8601', () => {
  const { log, lines, raw } = open('info');
  log.info({ event: 'ready' }, 'ready\nnow');
  expect(raw[0]?.match(/\n/g)).toHaveLength(1);
  expect(lines()[0]).toMatchObject({ level: 'info', event: 'ready', msg: 'ready\nnow' });
  expect(String(lines()[0]?.['time'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test.each([
  ['debug', 2],
  ['info', 1],
  [undefined, 1],
  ['silent', 0],
])('level %s lets %i of two lines through', (level, count) => {
  const { log, raw } = open(level);
  log.debug('one');
  log.info('two');
  expect(raw).toHaveLength(count);
});

test('an unknown level is said once and means info', () => {
  const { log, lines } = open('loud');
  log.debug('not shown');
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toMatchObject({ level: 'warn', event: 'log_level_unknown' });
});

test.each([
  [{ authorization: 'Bearer hunter2' }],
  [{ headers: { authorization: 'Bearer hunter2', 'x-api-key': 'hunter2', 'set-cookie': 'hunter2' } }],
  [{ request: { headers: { cookie: 'hunter2', 'proxy-authorization': 'hunter2' } } }],
  [{ config: { api_key: 'hunter2', token: 'hunter2', password: 'hunter2' } }],
  [{ 'x-api-key': 'hunter2' }],
  [{ a: { b: [{ c: { Cookie: 'hunter2' } }] } }],
  [{ err: Object.assign(new Error('refused'), { request: { headers: { Authorization: 'hunter2' } } }) }],
])('secrets do not get into a line (%#)', (fields) => {
  const { log, raw } = open('info');
  log.info(fields, 'x');
  expect(raw.join('')).not.toContain('hunter2');
  expect(raw.join('')).toContain('[redacted]');
});

test('what is logged is left as it was, and lines without secrets are not copied', () => {
  const fields = { event: 'x', plan: [{ model: 'a', tokens: 3 }], token: null };
  expect(redactFields(fields)).toBe(fields);
  const secret = { headers: { token: 't' } };
  expect(redactFields(secret)).toEqual({ headers: { token: '[redacted]' } });
  expect(secret.headers.token).toBe('t');
});

test('a config change is told with both versions', () => {
  const { log, lines } = open('info');
  logConfigReloaded(log, { version: 'v2', previousVersion: 'v1', source: 'file' });
  expect(lines()[0]).toMatchObject({
    level: 'info',
    event: 'config_reloaded',
    policy_version: 'v2',
    previous_version: 'v1',
    source: 'file',
  });
});

test('a refused config names its problems, twenty at most', () => {
  const { log, lines } = open('info');
  const problems = Array.from({ length: 50 }, (_, index) => `CONFIG_X f:1:1: problem ${index}`);
  logConfigReloadFailed(log, { version: 'v1', problems, source: 'file' });
  expect(lines()[0]).toMatchObject({
    level: 'error',
    event: 'config_reload_failed',
    policy_version: 'v1',
    problem_count: 50,
  });
  expect(lines()[0]?.['problems']).toHaveLength(20);
});
