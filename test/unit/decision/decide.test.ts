import { describe, expect, test } from '@jest/globals';
import { decide, type DecisionInput } from '../../../src/decision/decide.ts';
import type { DecisionOutcome } from '../../../src/decision/decision.ts';
import { allUp, fixedRandom, registryOf, requestOf, signalsOf } from './fixture.ts';

const CONFIG = {
  vllm_endpoints: [
    { name: 'a', address: '10.0.0.1', port: 8000, models: ['small', 'coder'] },
    { name: 'b', address: '10.0.0.2', port: 8000, models: ['big'] },
    { name: 'c', address: '10.0.0.3', port: 8000, models: ['idle'], weight: 0 },
  ],
  model_config: {
    small: { reasoning_family: 'qwen3' },
    big: { reasoning_family: 'gpt-oss' },
    coder: { served_model_name: 'org/coder' },
    idle: {},
  },
  categories: [
    {
      name: 'Math',
      system_prompt: 'You are a mathematician.',
      model_scores: [
        { model: 'small', score: 0.4 },
        { model: 'big', score: 0.9, use_reasoning: true, reasoning_effort: 'high' },
        { model: 'idle', score: 1, use_reasoning: false },
      ],
    },
    { name: 'law', system_prompt: 'unused', system_prompt_enabled: false, model_scores: [{ model: 'idle', score: 1 }] },
    { name: 'software', mmlu_categories: ['computer science'], model_scores: [{ model: 'coder', score: 0.8 }] },
    {
      name: 'physics',
      model_scores: [
        { model: 'big', score: 0.9 },
        { model: 'small', score: 0.9 },
      ],
    },
  ],
  default_model: 'small',
};

const registry = registryOf(CONFIG);

function ask(over: Partial<DecisionInput> = {}): DecisionOutcome {
  return decide({
    request: requestOf(),
    registry,
    signals: signalsOf({ math: 0.95, physics: 0.05 }),
    endpoints: allUp(registry),
    random: fixedRandom(0),
    ...over,
  });
}

function decided(over: Partial<DecisionInput> = {}) {
  const outcome = ask(over);
  if (outcome.kind !== 'decided') throw new Error(`refused: ${outcome.reasonCode}`);
  return outcome;
}

describe('an alias', () => {
  test('goes to the best-scoring model that is served, with prompt, reasoning and effort', () => {
    const { decision, plan } = decided();
    expect(decision).toMatchObject({
      schemaVersion: 1,
      policyVersion: registry.version,
      decision: 'auto',
      reasonCode: 'auto_routing',
      originalModel: 'auto',
      selectedModel: 'big', // idle scores more, but its endpoint is drained
      reasoning: { enabled: true, reason: 'very_low_uncertainty_trust_classification' },
      reasoningEffort: 'high',
      systemPrompt: { text: 'You are a mathematician.', mode: 'replace', source: 'categories.Math.system_prompt' },
      degraded: null,
    });
    expect(decision.category).toMatchObject({ name: 'math', top: 'math', confidence: 0.95, entropyLevel: 'very_low' });
    expect(plan).toEqual({
      untouched: false,
      targets: [
        {
          model: 'big',
          servedModel: 'big',
          endpoint: 'b',
          address: '10.0.0.2:8000',
          reasoning: { kind: 'reasoning_effort', enabled: true, effort: 'high' },
        },
      ],
    });
  });

  test('is planned on with models that stand in, each of which reasons as its own entry says, in the fields of its family', () => {
    const reasoningOf = (over: Partial<DecisionInput>) =>
      decided({ maxFallbackModels: 2, ...over }).plan.targets.map(({ model, reasoning }) => [model, reasoning]);
    expect(reasoningOf({})).toEqual([
      ['big', { kind: 'reasoning_effort', enabled: true, effort: 'high' }],
      ['small', { kind: 'chat_template_kwargs', parameter: 'enable_thinking', enabled: false }],
      ['coder', { kind: 'none' }],
    ]);
    // Without an entry of its own: as the chosen model.
    const [, ...others] = CONFIG.categories;
    const onlyBig = { name: 'Math', model_scores: [{ model: 'big', score: 0.9, use_reasoning: true }] };
    const alone = registryOf({ ...CONFIG, categories: [onlyBig, ...others] });
    expect(reasoningOf({ registry: alone })).toContainEqual([
      'small',
      { kind: 'chat_template_kwargs', parameter: 'enable_thinking', enabled: true },
    ]);
    // A rule's word counts for all of them.
    const ruled = registryOf({ ...CONFIG, rules: [{ name: 'think', when: {}, then: { reasoning: true } }] });
    expect(reasoningOf({ registry: ruled })).toContainEqual([
      'small',
      { kind: 'chat_template_kwargs', parameter: 'enable_thinking', enabled: true },
    ]);
  });

  test.each(['auto', 'MoM', 'vllm-sr/auto'])('may be called %s', (model) => {
    expect(decided({ request: requestOf({ model }) }).decision).toMatchObject({
      originalModel: model,
      selectedModel: 'big',
    });
  });

  test('below the threshold goes to the default model without a prompt, while the reasoning decision stands', () => {
    const { decision, plan } = decided({ signals: signalsOf({ math: 0.55, physics: 0.45 }) });
    expect(decision).toMatchObject({ selectedModel: 'small', systemPrompt: null, reasoningEffort: null });
    expect(decision.category).toMatchObject({ name: '', top: 'math', confidence: 0.55 });
    expect(decision.reasoning).toMatchObject({ enabled: true, reason: 'low_uncertainty_trust_classification' });
    expect(plan.targets[0].reasoning).toEqual({
      kind: 'chat_template_kwargs',
      parameter: 'enable_thinking',
      enabled: true,
    });
  });

  test('exactly at the threshold counts as above it', () => {
    expect(decided({ signals: signalsOf({ math: 0.6, physics: 0.4 }) }).decision.category.name).toBe('math');
  });

  test('of a category that nobody serves goes to the default model, reasoning by its first entry', () => {
    const { decision } = decided({ signals: signalsOf({ law: 1 }) });
    expect(decision).toMatchObject({ selectedModel: 'small', systemPrompt: null, reasoning: { enabled: false } });
    expect(decision.category.name).toBe('law');
    expect(decision.reasoning?.reason).toBe('very_low_uncertainty_trust_classification');
  });

  test('of a category that is not configured goes to the default model and does not reason', () => {
    const { decision } = decided({ signals: signalsOf({ history: 1 }) });
    expect(decision).toMatchObject({ selectedModel: 'small', category: { name: 'history' } });
    expect(decision.reasoning?.reason).toBe('category_not_in_reasoning_map');
  });

  test('of a label that a category claims goes by the category; the endpoint hears its own name for the model', () => {
    const { decision, plan } = decided({ signals: signalsOf({ 'computer science': 1 }) });
    expect(decision).toMatchObject({ selectedModel: 'coder', category: { name: 'software', top: 'computer science' } });
    expect(plan.targets[0]).toMatchObject({ model: 'coder', servedModel: 'org/coder', reasoning: { kind: 'none' } });
  });

  test('with equal scores goes to the model listed first', () => {
    expect(decided({ signals: signalsOf({ physics: 1 }) }).decision.selectedModel).toBe('big');
  });

  test.each([
    ['deadline', 'fallback_traditional_classification'],
    ['queue_full', 'fallback_traditional_classification'],
    ['encoder_error', 'fallback_traditional_classification'],
    ['encoder_unavailable', 'fallback_traditional_classification'],
    ['no_text', 'no_classification_data'],
    ['unsupported_language', 'no_classification_data'],
  ] as const)('without an encoding (%s) goes to the default model and says so', (degraded, reason) => {
    const { decision } = decided({ signals: signalsOf({}, { degraded }) });
    expect(decision).toMatchObject({ selectedModel: 'small', degraded, reasoning: { enabled: false, reason } });
    expect(decision.category).toMatchObject({ name: '', top: null, confidence: null, entropyBits: null });
  });

  test('whose endpoints are unhealthy or unresolved goes elsewhere, and the candidate says why', () => {
    const endpoints = { ...allUp(registry), unhealthy: new Set(['b']) };
    const { decision } = decided({ endpoints });
    expect(decision.selectedModel).toBe('small');
    expect(decision.candidates.find((one) => one.model === 'big')).toMatchObject({
      admissible: false,
      rejections: [{ stage: 'health', reason: 'unhealthy' }],
    });
    expect(decision.candidates.find((one) => one.model === 'idle')?.rejections[0]?.reason).toBe('drained');
  });

  test('with nothing to serve it is refused with 503', () => {
    expect(ask({ endpoints: { addresses: new Map() } })).toMatchObject({
      kind: 'refused',
      reasonCode: 'no_endpoint_available',
      error: { status: 503, code: 'no_endpoint_available' },
    });
  });

  test('is refused for embeddings', () => {
    expect(ask({ request: requestOf({ kind: 'embeddings' }) })).toMatchObject({
      kind: 'refused',
      error: { status: 400, type: 'invalid_request_error', param: 'model' },
    });
  });

  test('with reasoning off keeps the effort of the caller, else writes low', () => {
    const signals = signalsOf({ physics: 1 });
    const effort = (value: string | null) =>
      decided({
        signals,
        request: requestOf({ callerReasoning: { effort: value, templateKwargs: null, templateKwargsSpan: null } }),
      }).plan.targets[0].reasoning;
    expect(effort(null)).toEqual({ kind: 'reasoning_effort', enabled: false, effort: 'low' });
    expect(effort('minimal')).toEqual({ kind: 'reasoning_effort', enabled: false, effort: 'minimal' });
  });

  test('without an effort of its own gets the default effort', () => {
    const own = registryOf({
      ...CONFIG,
      categories: [{ name: 'math', model_scores: [{ model: 'big', score: 1, use_reasoning: true }] }],
    });
    expect(decided({ registry: own }).decision.reasoningEffort).toBe('medium');
  });
});

test('what is named twice counts once: the first score, and one fallback', () => {
  const own = registryOf({
    ...CONFIG,
    model_config: { ...CONFIG.model_config, big: { fallbacks: ['big', 'coder', 'coder', 'small'] } },
    categories: [
      {
        name: 'math',
        model_scores: [
          { model: 'big', score: 0.9 },
          { model: 'small', score: 0.2, use_reasoning: true },
          { model: 'small', score: 1 },
        ],
      },
    ],
  });
  const { decision } = decided({ registry: own });
  expect([decision.selectedModel, decision.fallbacks]).toEqual(['big', ['coder', 'small']]);
  // Below the threshold the table asks for the category's best model: were the second score read, that would be "small", which reasons.
  const unsure = signalsOf({ math: 0.55, physics: 0.15, law: 0.1, other: 0.1, health: 0.1 });
  expect(decided({ registry: own, signals: unsure }).decision.reasoning?.enabled).toBe(false);
});

describe('a concrete model', () => {
  test('goes to its own endpoint untouched; nothing is said about category or reasoning', () => {
    const { decision, plan } = decided({ request: requestOf({ model: 'big' }), signals: null });
    expect(plan).toMatchObject({ untouched: true, targets: [{ model: 'big', reasoning: { kind: 'none' } }] });
    expect(decision).toMatchObject({
      decision: 'model_specified',
      reasonCode: 'model_specified',
      selectedModel: 'big',
      category: { name: '', confidence: null },
      reasoning: null,
      reasoningEffort: null,
      systemPrompt: null,
    });
  });

  test('that its endpoint knows by another name is not untouched', () => {
    expect(decided({ request: requestOf({ model: 'coder' }) }).plan).toMatchObject({
      untouched: false,
      targets: [{ servedModel: 'org/coder' }],
    });
  });

  test.each(['chat', 'completions', 'embeddings', 'other'] as const)('serves %s requests', (kind) => {
    expect(decided({ request: requestOf({ model: 'small', kind }) }).decision.selectedModel).toBe('small');
  });

  test('without an endpoint answers 503 and never goes to another model', () => {
    expect(ask({ request: requestOf({ model: 'idle' }) })).toMatchObject({ kind: 'refused', error: { status: 503 } });
  });
});

test.each(['gpt-4o', 'Auto', 'BIG', ''])('an unknown model (%j) answers 404 model_not_found', (model) => {
  expect(ask({ request: requestOf({ model }) })).toMatchObject({
    kind: 'refused',
    reasonCode: 'model_not_found',
    error: { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' },
  });
});

test('a decision prints as JSON and comes back equal', () => {
  const outcome = decided();
  expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
});
