import { describe, expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import type { Registry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';

function registryOf(config: object): Registry {
  return buildRegistry(configSchema.parse(config));
}
const endpoint = (name: string, more: object = {}) => ({ name, address: '127.0.0.1', port: 8000, ...more });
const endpointsOf = (registry: Registry, model: string) =>
  registry.models.get(model)?.endpoints.map(({ name }) => name);

describe('endpoints of a model', () => {
  const registry = registryOf({
    vllm_endpoints: [
      endpoint('one', { models: ['listed', 'both'] }),
      endpoint('two', { models: ['listed'], weight: 0 }),
      endpoint('three'),
    ],
    model_config: {
      preferring: { preferred_endpoints: ['three', 'one', 'three'] },
      both: { preferred_endpoints: ['two'] },
      listed: { preferred_endpoints: [] },
    },
  });

  test('are those that list it, drained ones included', () =>
    expect(endpointsOf(registry, 'listed')).toEqual(['one', 'two']));
  test('are those that it prefers, in its order, each once', () =>
    expect(endpointsOf(registry, 'preferring')).toEqual(['three', 'one']));
  test('are only those that it prefers, where others list it too', () =>
    expect(endpointsOf(registry, 'both')).toEqual(['two']));
  test('models come in the file’s order', () =>
    expect([...registry.models.keys()]).toEqual(['preferring', 'both', 'listed']));
});

describe('the default model', () => {
  const model_config = { late: { preferred_endpoints: ['two'] }, early: { preferred_endpoints: ['one'] } };
  test('is the one named', () => {
    const named = { vllm_endpoints: [endpoint('one', { models: ['a', 'b'] })], default_model: 'b' };
    expect(registryOf(named).defaultModel).toBe('b');
  });
  test('is else the first endpoint’s first model', () => {
    expect(registryOf({ vllm_endpoints: [endpoint('one', { models: ['a', 'b'] })] }).defaultModel).toBe('a');
    expect(registryOf({ vllm_endpoints: [endpoint('one'), endpoint('two')], model_config }).defaultModel).toBe('early');
  });
});

describe('reasoning families', () => {
  const registry = registryOf({
    vllm_endpoints: [endpoint('one', { models: ['q', 'd', 'o', 'g', 'own', 'plain'] })],
    model_config: {
      q: { reasoning_family: 'qwen3' },
      d: { reasoning_family: 'deepseek' },
      o: { reasoning_family: 'gpt-oss' },
      g: { reasoning_family: 'gpt' },
      own: { reasoning_family: 'mine' },
      odd: { reasoning_family: 'toString', preferred_endpoints: ['one'] },
    },
    reasoning_families: {
      mine: { type: 'top_level_reasoning_effort', parameter: 'reasoning_effort' },
      deepseek: { type: 'chat_template_kwargs', parameter: 'thinking_v2' },
    },
  });
  test.each([
    ['q', { type: 'chat_template_kwargs', parameter: 'enable_thinking' }],
    ['d', { type: 'chat_template_kwargs', parameter: 'thinking_v2' }],
    ['o', { type: 'reasoning_effort', parameter: 'reasoning_effort' }],
    ['g', { type: 'reasoning_effort', parameter: 'reasoning_effort' }],
    ['own', { type: 'top_level_reasoning_effort', parameter: 'reasoning_effort' }],
    ['plain', null],
    ['odd', null],
  ])('of %s', (model, family) => expect(registry.models.get(model)?.reasoningFamily).toEqual(family));
});

describe('categories', () => {
  const registry = registryOf({
    vllm_endpoints: [endpoint('one', { models: ['a'] })],
    categories: [
      { name: 'Tech', mmlu_categories: ['Computer Science', 'physics', 'math'] },
      { name: 'Math' },
      { name: 'science', mmlu_categories: ['physics', 'chemistry'] },
    ],
  });
  test.each([
    ['tech', 'Tech'],
    ['computer science', 'Tech'],
    ['physics', 'Tech'],
    ['math', 'Math'],
    ['chemistry', 'science'],
    ['law', undefined],
  ])('%s → %s', (label, name) => expect(registry.categories.get(label)?.name).toBe(name));
});

test('aliases', () => {
  const vllm_endpoints = [endpoint('one', { models: ['a'] })];
  expect([...registryOf({ vllm_endpoints }).aliases]).toEqual(['auto', 'vllm-sr/auto', 'MoM']);
  expect([...registryOf({ vllm_endpoints, auto_model_name: 'best' }).aliases]).toEqual([
    'auto',
    'vllm-sr/auto',
    'best',
  ]);
});

describe('the version', () => {
  const version = (config: object) =>
    registryOf({ vllm_endpoints: [endpoint('one', { models: ['a'] })], ...config }).version;
  test('is short and stable', () => expect(version({})).toMatch(/^[0-9a-f]{12}$/));
  test('does not change with what changes nothing', () => {
    expect(version({ failure_mode: 'open', auto_model_name: 'MoM', timeouts: { connect: '1000ms' } })).toBe(
      version({}),
    );
  });
  test('changes with every effective change', () => {
    const versions = [
      {},
      { failure_mode: 'closed' },
      { timeouts: { connect: '2s' } },
      { categories: [{ name: 'math' }] },
    ];
    expect(new Set(versions.map(version)).size).toBe(versions.length);
  });
});
