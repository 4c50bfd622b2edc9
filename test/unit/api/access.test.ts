import { describe, expect, test } from '@jest/globals';
import { isLoopback, refuseManagement } from '../../../src/api/access.ts';
import { createFixture } from './fixture.ts';

const LOCAL = { authorization: undefined, hostname: 'localhost', origin: undefined };

describe('without an admin token', () => {
  const settings = { adminToken: null, host: '127.0.0.1' };
  test.each([
    ['a local caller', LOCAL, null],
    ['an IPv6 caller', { ...LOCAL, hostname: '[::1]' }, null],
    ['a local page', { ...LOCAL, origin: 'http://localhost:3000' }, null],
    ['a rebound DNS name', { ...LOCAL, hostname: 'evil.example' }, 403],
    ['a page from elsewhere', { ...LOCAL, origin: 'https://evil.example' }, 403],
    ['a page without an origin', { ...LOCAL, origin: 'null' }, 403],
    ['a name that only begins like loopback', { ...LOCAL, hostname: '127.0.0.1.evil.example' }, 403],
  ])('%s', (_, caller, status) => {
    expect(refuseManagement(caller, settings)?.status ?? null).toBe(status);
  });

  test.each(['0.0.0.0', '::', '10.0.0.5', ''])('nobody may where the API is bound to "%s"', (host) => {
    expect(refuseManagement(LOCAL, { adminToken: null, host })).toMatchObject({
      status: 403,
      code: 'MANAGEMENT_CLOSED',
    });
  });
});

describe('with an admin token', () => {
  const settings = { adminToken: 'opensesame', host: '0.0.0.0' };
  test.each([
    ['Bearer opensesame', null],
    ['bearer opensesame', null],
    ['Bearer opensesam', 401],
    ['Bearer opensesame ', 401],
    ['Basic opensesame', 401],
    ['opensesame', 401],
    ['', 401],
    [undefined, 401],
  ])('authorization %j', (authorization, status) => {
    const refusal = refuseManagement({ ...LOCAL, authorization }, settings);
    expect(refusal?.status ?? null).toBe(status);
    if (refusal !== null) expect(refusal.headers).toEqual({ 'www-authenticate': 'Bearer' });
  });

  test('being local is not enough', () => {
    expect(refuseManagement(LOCAL, { ...settings, host: '127.0.0.1' })?.status).toBe(401);
  });
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['[::1]', true],
  ['LOCALHOST', true],
  ['1270.0.0.1', false],
  ['0.0.0.0', false],
  ['localhost.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test('reading prompts is management too', async () => {
  const { api } = createFixture({ access: { adminToken: 'opensesame', host: '127.0.0.1' } });
  const closed = await api.request('/config/system-prompts');
  expect(closed.status).toBe(401);
  expect(await closed.text()).not.toContain('mathematician');
  const headers = { authorization: 'Bearer opensesame' };
  expect((await api.request('/config/system-prompts', { headers })).status).toBe(200);
});

test('a refused caller’s body is not read', async () => {
  const { api } = createFixture({ access: { adminToken: 'opensesame', host: '127.0.0.1' } });
  const response = await api.request('/config/system-prompts', { method: 'PUT', body: 'x'.repeat(1e6) });
  expect(response.status).toBe(401);
});
