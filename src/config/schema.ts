import { z } from 'zod';
import { parseBytes, parseDuration } from './units.ts';

/** A share or probability, 0..1. */
const share = z.number().min(0).max(1);
const name = z.string().min(1);
/** A duration with its unit ("250ms", "60s", "1m"); parsed to milliseconds. */
const duration = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed === null) {
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a duration`,
      params: { allowed: 'a number with a unit: 250ms, 60s, 5m, 1h' },
    });
    return z.NEVER;
  }
  return parsed;
});
/** A size with its unit ("32MiB"); parsed to bytes. */
const size = z.string().transform((text, context) => {
  const parsed = parseBytes(text);
  if (parsed === null) {
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a size`,
      params: { allowed: 'a number with a unit: 512KiB, 32MiB, 1GiB' },
    });
    return z.NEVER;
  }
  return parsed;
});

export const endpointSchema = z.strictObject({
  name,
  address: name.meta({ description: 'IP address or DNS name' }),
  port: z.int().min(1).max(65535),
  models: z.array(name).optional(),
  weight: z
    .int()
    .min(0)
    .max(1000)
    .default(1)
    .meta({ description: 'Share of the traffic among endpoints of one model; 0 drains it' }),
  region: name.optional(),
  tls: z.strictObject({ enabled: z.boolean().default(true), sni: name.optional() }).optional(),
  api_key_env: name
    .optional()
    .meta({ description: 'Environment variable that holds the key sent to this endpoint as a bearer token' }),
  health_check_path: z.string().startsWith('/').optional(),
});

export const modelSchema = z.strictObject({
  reasoning_family: name.optional(),
  preferred_endpoints: z.array(name).optional(),
  pii_policy: z
    .strictObject({ allow_by_default: z.boolean().default(true), pii_types_allowed: z.array(name).default([]) })
    .optional(),
  pricing: z
    .strictObject({
      currency: name.default('USD'),
      prompt_per_1m: z.number().min(0).optional(),
      completion_per_1m: z.number().min(0).optional(),
    })
    .optional(),
  context_window: z.int().positive().optional(),
  capabilities: z.array(z.enum(['tools', 'vision', 'json', 'audio'])).optional(),
  quality: share.optional(),
  latency: z
    .strictObject({ ttft_ms: z.number().positive().optional(), tokens_per_s: z.number().positive().optional() })
    .optional(),
  served_model_name: name.optional(),
  max_output_tokens: z.int().positive().optional(),
  fallbacks: z.array(name).optional(),
});

export const categorySchema = z.strictObject({
  name,
  description: z.string().optional(),
  mmlu_categories: z.array(name).optional(),
  system_prompt: z.string().optional(),
  system_prompt_enabled: z.boolean().optional(),
  system_prompt_mode: z.enum(['replace', 'insert']).default('replace'),
  model_scores: z
    .array(
      z.strictObject({
        model: name,
        score: share,
        use_reasoning: z.boolean().default(false),
        reasoning_description: z.string().optional(),
        reasoning_effort: name.optional(),
      }),
    )
    .default([]),
});

export const reasoningFamilySchema = z.strictObject({
  type: z.enum(['chat_template_kwargs', 'reasoning_effort', 'top_level_reasoning_effort']),
  parameter: name,
});

const categoryModelSchema = z.strictObject({
  model_id: name.default('switchyard-minilm'),
  threshold: share.default(0.6),
  category_mapping_path: z.string().optional(),
  use_cpu: z.boolean().default(true),
});

/** The whole file. Everything has a default but the endpoints. Keys stay snake_case: one grep finds schema, docs, code and error. */
export const configSchema = z.strictObject({
  vllm_endpoints: z.array(endpointSchema).min(1),
  model_config: z.record(z.string(), modelSchema).default({}),
  categories: z.array(categorySchema).default([]),
  default_model: name.optional(),
  auto_model_name: name.default('MoM'),
  default_reasoning_effort: name.default('medium'),
  include_config_models_in_list: z.boolean().default(false),
  failure_mode: z.enum(['open', 'closed']).default('open'),
  reasoning_decision: z
    .strictObject({
      very_high: share.default(0.8),
      high: share.default(0.6),
      medium: share.default(0.4),
      low: share.default(0.2),
      very_high_reasoning: z.boolean().default(true),
    })
    .prefault({}),
  caller_reasoning_wins: z
    .boolean()
    .default(true)
    .meta({ description: 'Reasoning fields that the caller set stay as they are' }),
  timeouts: z
    .strictObject({
      decision: duration.prefault('250ms'),
      first_byte: duration.prefault('60s'),
      connect: duration.prefault('1s'),
      total: duration.optional(),
    })
    .prefault({}),
  limits: z
    .strictObject({
      request_body: size.prefault('32MiB'),
      json_depth: z.int().min(1).max(100_000).default(10_000),
      batch_texts: z.int().min(1).max(100_000).default(1000),
    })
    .prefault({}),
  log: z.strictObject({ prompts: z.boolean().default(false) }).prefault({}),
  reasoning_families: z.record(z.string(), reasoningFamilySchema).default({}),
  classifier: z.strictObject({ category_model: categoryModelSchema.prefault({}) }).prefault({}),
});

/** The parsed file: defaults filled, durations in milliseconds, sizes in bytes. */
export type RouterConfig = z.infer<typeof configSchema>;
export type EndpointConfig = z.infer<typeof endpointSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type CategoryConfig = z.infer<typeof categorySchema>;
export type ReasoningFamily = z.infer<typeof reasoningFamilySchema>;
