import { describe, expect, test } from '@jest/globals';
import { changePrompts } from '../../../src/api/system-prompts.ts';
import { errorAnswer, systemPromptsAnswer } from '../../../src/api/responses.ts';
import { createFixture, registryOf } from './fixture.ts';

const PATH = '/config/system-prompts';

function fixture() {
  const { api, dependencies } = createFixture();
  return {
    version: () => dependencies.registry().version,
    list: async () => systemPromptsAnswer.parse(await (await api.request(PATH)).json()).system_prompts,
    put: async (body: unknown) =>
      api.request(PATH, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  };
}

describe('system prompts', () => {
  test('are listed as they are in force', async () => {
    expect(await fixture().list()).toEqual([
      { category: 'math', prompt: 'You are a mathematician. SECRET-PROMPT', enabled: true, mode: 'replace' },
      { category: 'law', prompt: 'You are a lawyer.', enabled: false, mode: 'insert' },
      { category: 'history', prompt: '', enabled: false, mode: 'replace' },
    ]);
  });

  test('a change of one category makes a new config version', async () => {
    const { list, put, version } = fixture();
    const before = version();
    const answer = systemPromptsAnswer.parse(
      await (await put({ category: 'LAW', enabled: true, mode: 'replace' })).json(),
    );
    expect(answer.policy_version).toBe(version());
    expect(version()).not.toBe(before);
    expect(answer.system_prompts).toEqual(await list());
    expect((await list())[1]).toMatchObject({ category: 'law', enabled: true, mode: 'replace' });
    expect((await list())[0]).toMatchObject({ enabled: true });
  });

  test('a change of all leaves categories without a prompt alone', async () => {
    const { list, put } = fixture();
    await put({ enabled: false, mode: 'insert' });
    expect((await list()).map(({ enabled, mode }) => [enabled, mode])).toEqual([
      [false, 'insert'],
      [false, 'insert'],
      [false, 'replace'],
    ]);
  });

  test('switched off and on again is the version that it was', async () => {
    const { put, version } = fixture();
    await put({ category: 'math', enabled: true });
    const on = version();
    await put({ category: 'math', enabled: false });
    expect(version()).not.toBe(on);
    await put({ category: 'math', enabled: true });
    expect(version()).toBe(on);
  });

  test.each([
    [{}, 400, 'INVALID_INPUT'],
    [{ category: 'math' }, 400, 'INVALID_INPUT'],
    [{ mode: 'append' }, 400, 'INVALID_INPUT'],
    [{ enabled: 'yes' }, 400, 'INVALID_INPUT'],
    [{ category: '', enabled: true }, 400, 'INVALID_INPUT'],
    [{ category: 'nope', enabled: true }, 404, 'CATEGORY_NOT_FOUND'],
    [{ category: 'history', enabled: true }, 400, 'INVALID_INPUT'],
  ])('%j is %i %s and changes nothing', async (body, status, code) => {
    const { put, version } = fixture();
    const before = version();
    const response = await put(body);
    expect([response.status, errorAnswer.parse(await response.json()).error.code]).toEqual([status, code]);
    expect(version()).toBe(before);
  });

  test('a config that the store refuses is said so', async () => {
    const { api } = createFixture({ activate: async () => ({ kind: 'refused', problems: ['CONFIG_X f:1:1 x: no'] }) });
    const response = await api.request(PATH, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"enabled":true}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'CONFIG_REFUSED', message: 'CONFIG_X f:1:1 x: no' } });
  });

  test('a change leaves the config that it came from alone', () => {
    const { config } = registryOf();
    const copy = structuredClone(config);
    expect(changePrompts(config, { enabled: false }).kind).toBe('changed');
    expect(config).toEqual(copy);
  });
});
