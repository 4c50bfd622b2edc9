import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CLASSIC_KEYS } from '../../../src/config/classic.ts';
import { load } from '../../../src/config/load.ts';
import type { LoadOutcome } from '../../../src/config/load.ts';

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'classic-config');
const MINIMAL = 'vllm_endpoints: [{ name: a, address: 127.0.0.1, port: 8000, models: [m] }]\n';

function warned(outcome: LoadOutcome): string[] {
  if (outcome.kind === 'rejected') throw new Error(JSON.stringify(outcome.problems, null, 1));
  return outcome.warnings.map(({ message }) => message);
}

describe('files in the shape of vLLM Semantic Router load', () => {
  test.each(readdirSync(folder))('%s', (file) => {
    const outcome = load(readFileSync(join(folder, file), 'utf8'), file, {});
    expect(outcome.kind === 'rejected' ? outcome.problems : []).toEqual([]);
  });

  test('and keep their meaning', () => {
    const outcome = load(readFileSync(join(folder, 'many-models.yaml'), 'utf8'), 'many-models.yaml', {});
    if (outcome.kind === 'rejected') throw new Error('should load');
    const { registry } = outcome;
    expect(registry.defaultModel).toBe('model-a');
    expect(registry.models.get('model-b')?.endpoints.map(({ port }) => port)).toEqual([8001]);
    expect(registry.models.get('model-a')?.reasoningFamily).toEqual({
      type: 'chat_template_kwargs',
      parameter: 'enable_thinking',
    });
    expect(registry.categories.get('chemistry')?.model_scores[0]).toMatchObject({
      model: 'model-a',
      use_reasoning: true,
      reasoning_effort: 'high',
    });
    expect(registry.config.classifier.category_model).toEqual({
      model_id: 'switchyard-minilm',
      threshold: 0.6,
      use_cpu: true,
    });
  });
});

describe('a key without effect', () => {
  test.each(CLASSIC_KEYS)('%s is named in exactly one warning', (pattern) => {
    const steps = pattern.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? [];
    const value = steps.reduceRight<unknown>(
      (inner, step) => {
        if (step === '[]') return [inner, inner];
        if (step === '{}') return { m: inner, n: inner };
        return { [step]: inner };
      },
      { enabled: true },
    );
    // Categories and scores need their required keys beside the classic one.
    const filled = JSON.stringify(value)
      .replaceAll('":', '": ')
      .replaceAll('"categories": [{', '"categories": [{"name": "math",')
      .replace(',{"jailbreak', ',{"name": "law","jailbreak')
      .replace(',{"pii', ',{"name": "law","pii')
      .replace(',{"semantic', ',{"name": "law","semantic')
      .replace(',{"model_scores', ',{"name": "law","model_scores')
      .replaceAll('{"lora_name"', '{"model": "m","score": 1,"lora_name"')
      .replaceAll('"n": {', '"n": {"preferred_endpoints": ["a"],');
    const messages = warned(load(`${MINIMAL}${filled.slice(1, -1)}`, 'config.yaml', {}));
    expect(messages.filter((message) => message.includes('has no effect yet'))).toHaveLength(1);
    expect(messages[0]).toContain(pattern.replaceAll('{}', '.NAME'));
  });

  test('does not lower the guard for a typing error beside it', () => {
    const outcome = load(`${MINIMAL}semantic_cash: { enabled: true }`, 'config.yaml', {});
    expect(outcome.kind === 'rejected' && outcome.problems.map(({ code }) => code)).toEqual(['CONFIG_UNKNOWN_KEY']);
  });
});

describe('older spellings', () => {
  test('a category’s reasoning settings stand for its models', () => {
    const outcome = load(
      `${MINIMAL}categories:
  - name: math
    use_reasoning: true
    reasoning_effort: high
    reasoning_description: step by step
    model_scores:
      - { model: m, score: 1 }
      - { model: m, score: 0.5, use_reasoning: false, reasoning_effort: low }
`,
      'config.yaml',
      {},
    );
    expect(outcome.kind === 'loaded' && outcome.registry.config.categories[0]?.model_scores).toEqual([
      { model: 'm', score: 1, use_reasoning: true, reasoning_effort: 'high', reasoning_description: 'step by step' },
      { model: 'm', score: 0.5, use_reasoning: false, reasoning_effort: 'low', reasoning_description: 'step by step' },
    ]);
  });

  test('scores as a mapping from model to score', () => {
    const outcome = load(
      `${MINIMAL}categories: [{ name: math, model_scores: { m: 0.7 } }, { name: law, model_scores: { m: { score: 0.2, use_reasoning: true } } }]`,
      'config.yaml',
      {},
    );
    expect(
      outcome.kind === 'loaded' && outcome.registry.config.categories.map((category) => category.model_scores[0]),
    ).toEqual([
      { model: 'm', score: 0.7, use_reasoning: false },
      { model: 'm', score: 0.2, use_reasoning: true },
    ]);
    const wrong = load(`${MINIMAL}categories: [{ name: math, model_scores: { m: 0.7, n: 1 } }]`, 'config.yaml', {});
    expect(wrong.kind === 'rejected' && wrong.problems.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['CONFIG_UNKNOWN_MODEL', 2, 52],
    ]);
  });
});

test.each([
  ['models/category_classifier_modernbert-base_model', true],
  ['models/mom-domain-classifier', true],
  ['models/lora_intent_classifier_bert-base-uncased_model', true],
  ['sentence-transformers/all-MiniLM-L6-v2', true],
  ['""', true],
  ['models/support-classifier', false],
  ['mine', false],
  ['/opt/models/mine', false],
])('the classifier %s is replaced: %s', (given, replaced) => {
  const outcome = load(`${MINIMAL}classifier: { category_model: { model_id: ${given} } }`, 'config.yaml', {});
  if (outcome.kind === 'rejected') throw new Error(JSON.stringify(outcome.problems));
  expect(outcome.warnings.map(({ code }) => code)).toEqual(replaced ? ['CONFIG_MODEL_REPLACED'] : []);
  expect(outcome.registry.config.classifier.category_model.model_id).toBe(replaced ? 'switchyard-minilm' : given);
});
