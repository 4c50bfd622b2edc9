import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { editorSchema } from '../../../src/config/editor-schema.ts';
import { configJsonSchema, schemaAt } from '../../../src/config/json-schema.ts';
import { configKeys } from '../../../src/config/keys.ts';
import { load } from '../../../src/config/load.ts';
import { BUILT_IN_LABELS } from '../../../src/config/classifier.ts';

const root = join(import.meta.dirname, '..', '..', '..');

describe('example configs', () => {
  const files = readdirSync(join(root, 'config')).filter((file) => file.endsWith('.yaml'));
  test.each(files)('%s loads without a warning', (file) => {
    expect(load(readFileSync(join(root, 'config', file), 'utf8'), file, {})).toMatchObject({
      kind: 'loaded',
      warnings: [],
    });
  });

  test('example.yaml has every category of the classifier, with a prompt, on several models', () => {
    const outcome = load(readFileSync(join(root, 'config', 'example.yaml'), 'utf8'), 'example.yaml', {});
    if (outcome.kind === 'rejected') throw new Error('should load');
    const { categories } = outcome.registry.config;
    expect(categories.map(({ name }) => name)).toEqual(BUILT_IN_LABELS);
    expect(categories.filter(({ system_prompt }) => (system_prompt ?? '') === '')).toEqual([]);
    expect(new Set(categories.map(({ model_scores }) => model_scores[0]?.model)).size).toBe(4);
  });
});

describe('the key table', () => {
  const keys = configKeys(configJsonSchema());
  test('says what every key means', () => {
    expect(keys.filter(({ meaning }) => meaning === '').map(({ path }) => path)).toEqual([]);
  });
  test.each([
    ['vllm_endpoints[].port', { type: 'whole number 1..65535', required: true, default: undefined, depth: 1 }],
    ['timeouts.decision', { type: 'duration', required: false, default: '250ms' }],
    ['model_config.NAME.pricing.currency', { type: 'text', default: 'USD' }],
    ['categories[].model_scores', { type: 'list of mappings', default: undefined, required: false }],
    ['failure_mode', { type: '`open`, `closed`', default: 'open', depth: 0 }],
  ])('%s', (path, expected) => {
    expect(keys.find((key) => key.path === path)).toMatchObject(expected);
  });
  test('lists each key once, even where conditions hold conditions', () => {
    const paths = keys.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.length).toBeLessThan(1000);
  });
});

describe('the schema for editors', () => {
  const schema = editorSchema();
  test('leaves room for a variable where a number belongs', () => {
    const port = schemaAt(schema, ['vllm_endpoints', 0, 'port']);
    expect(port?.anyOf).toHaveLength(2);
    expect(port?.anyOf?.[0]).toEqual({ type: 'integer', minimum: 1, maximum: 65535 });
    expect('${PORT:-8000}').toMatch(new RegExp(port?.anyOf?.[1]?.pattern ?? 'none'));
  });
  test('knows the classic keys as deprecated', () => {
    for (const path of [
      ['semantic_cache'],
      ['classifier', 'pii_model'],
      ['categories', 0, 'jailbreak_enabled'],
      ['model_config', 'm', 'loras'],
    ]) {
      expect(schemaAt(schema, path)).toMatchObject({ deprecated: true });
    }
    expect(schemaAt(configJsonSchema(), ['semantic_cache'])).toBeNull();
  });
});
