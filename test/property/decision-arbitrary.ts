import fc from 'fast-check';
import { buildRegistry } from '../../src/config/registry.ts';
import { configSchema } from '../../src/config/schema.ts';
import { decide, type DecisionInput } from '../../src/decision/decide.ts';
import type { Decision, DecisionOutcome } from '../../src/decision/decision.ts';
import type { ChatRequest } from '../../src/openai/request.ts';
import type { PiiFinding } from '../../src/signals/pii/finding.ts';
import { allUp, fixedRandom, requestOf, signalsOf } from '../unit/decision/fixture.ts';

type PiiKind = PiiFinding['kind'];

export const MODELS = ['m0', 'm1', 'm2', 'm3', 'm4'];
const REGIONS = ['eu', 'us', 'ap'];
const CAPABILITIES = ['tools', 'vision', 'json', 'audio'];

/** Mostly absent: a config or request that restricts everything leaves nothing to compare. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const optional = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary });
/** Few distinct values, so that ties are common. */
const score = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);
const price = fc.constantFrom(0, 0.1, 0.5, 1, 2, 5, 20);

const limits = {
  quality_floor: rarely(score),
  max_cost_usd: rarely(fc.constantFrom(0.00001, 0.0005, 0.002, 0.01)),
  max_latency_ms: rarely(fc.constantFrom(500, 2000, 10_000)),
};

const objective = fc.record(
  {
    kind: fc.constantFrom('category', 'quality', 'cost', 'latency', 'balanced'),
    ...limits,
    max_ttft_ms: rarely(fc.constantFrom(50, 500)),
    weights: optional(fc.record({ quality: score, cost: score, latency: score })),
    unmet: optional(fc.constantFrom('relax', 'refuse')),
  },
  { requiredKeys: ['kind'] },
);

const model = fc.record(
  {
    pricing: optional(
      fc.record({ currency: fc.constantFrom('USD', 'EUR', 'XAU'), prompt_per_1m: price, completion_per_1m: price }),
    ),
    capabilities: rarely(fc.subarray(CAPABILITIES)),
    context_window: rarely(fc.constantFrom(1000, 8192, 200_000)),
    max_output_tokens: rarely(fc.constantFrom(500, 8000)),
    quality: optional(score),
    latency: optional(fc.record({ ttft_ms: fc.constantFrom(20, 200), tokens_per_s: fc.constantFrom(20, 200) })),
    pii_policy: rarely(
      fc.record({ allow_by_default: fc.boolean(), pii_types_allowed: fc.subarray(['EMAIL_ADDRESS', 'US_SSN']) }),
    ),
    fallbacks: optional(fc.subarray(MODELS)),
  },
  { requiredKeys: [] },
);

const policy = fc.record(
  {
    allow_models: rarely(fc.subarray(MODELS, { minLength: 1 })),
    deny_models: fc.subarray(MODELS, { maxLength: 1 }),
    allowed_regions: rarely(fc.subarray(REGIONS, { minLength: 1 })),
  },
  { requiredKeys: ['deny_models'] },
);

const then = fc.oneof(
  fc.record({ model: fc.constantFrom(...MODELS), strict: fc.boolean() }),
  fc.record({ models: fc.subarray(MODELS, { minLength: 1 }), strict: fc.boolean() }),
  fc.record({
    split: fc.record({ sticky: fc.constantFrom('user', 'none'), weights: fc.record({ m0: score, m3: score }) }),
  }),
  fc.record({ objective }),
);

/** A config as YAML would give it; every model is on one to three endpoints. `rules: false` leaves rules out. */
export function configs(options: { readonly rules: boolean }) {
  return fc
    .record({
      endpoints: fc.array(
        fc.record({
          models: fc.subarray(MODELS, { minLength: 1 }),
          region: optional(fc.constantFrom(...REGIONS)),
          weight: fc.integer({ min: 0, max: 3 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      models: fc.tuple(model, model, model, model, model),
      scores: fc.array(
        fc.record({
          label: fc.constantFrom('math', 'law', 'health'),
          model: fc.constantFrom(...MODELS),
          score,
          use_reasoning: fc.boolean(),
        }),
        { maxLength: 10 },
      ),
      default_model: fc.constantFrom(...MODELS),
      unknown_capability: fc.constantFrom('allow', 'allow', 'allow', 'deny'),
      policy,
      objective,
      rules: fc.array(then, { maxLength: options.rules ? 2 : 0 }),
      jailbreak: fc.constantFrom('flag', 'route', 'block'),
    })
    .map((drawn) => ({
      vllm_endpoints: [
        // The last one serves all models, so that none is an orphan.
        ...drawn.endpoints.map((endpoint, index) => ({
          name: `e${index}`,
          address: `e${index}.test`,
          port: 80,
          ...endpoint,
        })),
        { name: 'all', address: 'all.test', port: 80, models: MODELS, region: 'eu' },
      ],
      model_config: Object.fromEntries(MODELS.map((name, index) => [name, drawn.models[index]!])),
      categories: ['math', 'law', 'health'].map((name) => ({
        name,
        model_scores: drawn.scores
          .filter(({ label }) => label === name)
          .map(({ model: scored, score: points, use_reasoning }) => ({ model: scored, score: points, use_reasoning })),
      })),
      default_model: drawn.default_model,
      unknown_capability: drawn.unknown_capability,
      policy: drawn.policy,
      objective: drawn.objective,
      rules: drawn.rules.map((does, index) => ({ name: `r${index}`, when: { turns: { max: 5 } }, then: does })),
      guards: { jailbreak: { action: drawn.jailbreak, route_to: 'm1' } },
      estimates: { exchange_rates: { EUR: 1.1 } },
    }));
}

export const requests = fc.record({
  math: fc.integer({ min: 0, max: 100 }),
  difficulty: optional(fc.tuple(score, score)),
  jailbreak: rarely(fc.constantFrom(0.1, 0.9)),
  pii: fc.constantFrom<PiiKind[]>([], [], ['EMAIL_ADDRESS'], ['EMAIL_ADDRESS', 'US_SSN']),
  inputTokens: fc.constantFrom(20, 20, 20, 3000, 9000),
  maxOutputTokens: optional(fc.constantFrom(100, 5000)),
  toolCount: fc.constantFrom(0, 0, 1),
  wantsJson: fc.constantFrom(false, false, true),
  user: optional(fc.constantFrom('u1', 'u2', 'u3')),
  random: fc.constantFrom(0, 0.3, 0.999),
});

export type DrawnRequest = typeof requests extends fc.Arbitrary<infer Request> ? Request : never;

/** The caller's knobs, as they stand in the body. */
export const knobs = fc.record(
  {
    routing: optional(
      fc.record({
        objective: optional(fc.constantFrom('cost', 'quality', 'fast')),
        ...limits,
        models: rarely(fc.subarray(MODELS, { minLength: 1 })),
        deny: rarely(fc.subarray(MODELS)),
        region: rarely(fc.constantFrom(...REGIONS)),
      }),
    ),
    provider: optional(
      fc.record({
        ignore: rarely(fc.subarray(['e0', 'E1', 'all'])),
        max_price: rarely(fc.record({ prompt: price })),
        data_collection: rarely(fc.constantFrom('allow', 'deny')),
      }),
    ),
    models: rarely(fc.subarray(MODELS, { minLength: 1 })),
  },
  { requiredKeys: [] },
);

/** The whole input of one decision. */
export function inputOf(
  config: object,
  drawn: DrawnRequest,
  fields: object = {},
  over: Partial<ChatRequest> = {},
): DecisionInput {
  const registry = buildRegistry(configSchema.parse(JSON.parse(JSON.stringify(config))));
  const p = drawn.math / 100;
  return {
    registry,
    request: requestOf({
      toolCount: drawn.toolCount,
      responseFormat: drawn.wantsJson ? 'json_object' : null,
      maxOutputTokens: drawn.maxOutputTokens ?? null,
      user: drawn.user ?? null,
      routingFields: {
        routing: undefined,
        provider: undefined,
        models: undefined,
        ...(JSON.parse(JSON.stringify(fields)) as object),
      },
      ...over,
    }),
    signals: signalsOf(
      { math: p, law: 1 - p },
      {
        encoding: { difficulty: drawn.difficulty ?? null, jailbreak: drawn.jailbreak ?? null },
        shape: { inputTokens: drawn.inputTokens },
        pii: drawn.pii.map((kind, index) => ({ kind, start: index, end: index + 1, confidence: 1 })),
      },
    ),
    endpoints: allUp(registry),
    random: fixedRandom(drawn.random),
    maxFallbackModels: MODELS.length,
  };
}

export function ask(config: object, drawn: DrawnRequest, fields: object = {}): DecisionOutcome {
  return decide(inputOf(config, drawn, fields));
}

/** Models that may serve; of a refusal too. */
export function admissible(outcome: DecisionOutcome): string[] {
  const { candidates } = outcome.kind === 'decided' ? outcome.decision : outcome;
  return candidates.filter((one) => one.admissible).map((one) => one.model);
}

export function chosenOf(outcome: DecisionOutcome): string | null {
  return outcome.kind === 'decided' ? outcome.decision.selectedModel : null;
}

/** Expected quality of a model as the decision saw it. */
export function qualityOf(decision: Decision, name: string): number {
  const parts = decision.candidates.find((one) => one.model === name)?.parts ?? [];
  const value = parts.find((part) => part.name === 'quality')?.value;
  if (value == null) throw new Error(`${name} has no expected quality`);
  return value;
}
