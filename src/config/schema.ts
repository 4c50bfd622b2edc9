/** The whole configuration file. Every key has its meaning beside it: docs/config.md and the editors' schema are made from here. */
import { z } from 'zod';
import { BUILT_IN_MODEL } from './classifier.ts';
import { duration, effort, host, name, share, size, variableName } from './fields.ts';
import { cascadeKeys } from './schema-cascade.ts';
import { executionKeys } from './schema-execution.ts';
import { outcomesKeys } from './schema-outcomes.ts';
import { decisionKeys } from './schema-policy.ts';

const about = (description: string) => ({ description });

export const endpointSchema = z.strictObject({
  name: name.meta(about('Name of the endpoint, unique.')),
  address: host.meta(about('IP address or DNS name.')),
  port: z.int().min(1).max(65535).meta(about('TCP port.')),
  models: z
    .array(name)
    .optional()
    .meta(about('Models served here; without it, those whose preferred_endpoints names this endpoint.')),
  weight: z
    .int()
    .min(0)
    .max(1000)
    .default(1)
    .meta(about('Share of the traffic among the endpoints of one model; 0 drains it.')),
  region: name.optional().meta(about('Where it stands, for rules about data residency.')),
  tls: z
    .strictObject({
      enabled: z.boolean().default(true).meta(about('Speak TLS to this endpoint.')),
      sni: name.optional().meta(about('Server name to ask for; the address, when it is a DNS name.')),
    })
    .optional()
    .meta(about('TLS to this endpoint; without it the connection is plain.')),
  api_key_env: variableName
    .optional()
    .meta(
      about('Environment variable with the key that this endpoint gets as a bearer token, in place of the client’s.'),
    ),
  health_check_path: z
    .string()
    .startsWith('/')
    .optional()
    .meta(about('HTTP path that answers 200 while the endpoint is well.')),
});

const pricing = z.strictObject({
  currency: name.default('USD').meta(about('ISO 4217 code.')),
  prompt_per_1m: z.number().min(0).optional().meta(about('Price of a million prompt tokens.')),
  completion_per_1m: z.number().min(0).optional().meta(about('Price of a million completion tokens.')),
});

export const modelSchema = z.strictObject({
  reasoning_family: name
    .optional()
    .meta(
      about(
        'How reasoning is switched: qwen3, deepseek, gpt-oss, gpt or one of reasoning_families. Without it: no switch.',
      ),
    ),
  preferred_endpoints: z
    .array(name)
    .optional()
    .meta(about('Exactly the endpoints that serve this model, first choice first; without it, those that list it.')),
  pii_policy: z
    .strictObject({
      allow_by_default: z.boolean().default(true).meta(about('Whether personal data of any kind may be sent here.')),
      pii_types_allowed: z
        .array(name)
        .default([])
        .meta(about('Kinds that may be sent although allow_by_default is false: EMAIL_ADDRESS, PHONE_NUMBER, …')),
    })
    .optional()
    .meta(about('Which personal data this model may see; without it, all.')),
  pricing: pricing.optional().meta(about('Without it the price is unknown: it is never taken for free.')),
  context_window: z.int().positive().optional().meta(about('Tokens of prompt and answer together.')),
  capabilities: z
    .array(z.enum(['tools', 'vision', 'json', 'audio', 'files', 'logprobs', 'n']))
    .optional()
    .meta(about('What it can do beyond text; without it, unknown. files, logprobs and n stay unknown unless listed.')),
  quality: share.optional().meta(about('General quality, where a category has no score for it.')),
  latency: z
    .strictObject({
      ttft_ms: z.number().positive().optional().meta(about('Typical time to the first token, in milliseconds.')),
      tokens_per_s: z.number().positive().optional().meta(about('Typical speed of generation.')),
    })
    .optional()
    .meta(about('Expected speed, until it has been observed.')),
  served_model_name: name.optional().meta(about('The name that its endpoints know it by; its own name when absent.')),
  max_output_tokens: z.int().positive().optional().meta(about('Longest answer, in tokens.')),
  fallbacks: z.array(name).optional().meta(about('Models to try when this one fails, in order.')),
});

const modelScoreSchema = z.strictObject({
  model: name.meta(about('A configured model.')),
  score: share.meta(about('How good it is in this category.')),
  use_reasoning: z.boolean().default(false).meta(about('Whether it should reason on this category.')),
  reasoning_description: z.string().optional().meta(about('Why; a note for people.')),
  reasoning_effort: effort.optional().meta(about('Effort for effort families; default_reasoning_effort when absent.')),
});

export const categorySchema = z.strictObject({
  name: name.meta(about('A label of the classifier, or a name of your own together with mmlu_categories.')),
  description: z.string().optional().meta(about('A note for people.')),
  mmlu_categories: z.array(name).optional().meta(about('Labels of the classifier that mean this category.')),
  system_prompt: z.string().optional().meta(about('System prompt for requests of this category.')),
  system_prompt_enabled: z.boolean().optional().meta(about('False keeps the prompt but does not use it.')),
  system_prompt_mode: z
    .enum(['replace', 'insert'])
    .default('replace')
    .meta(about('replace: in place of the caller’s system message; insert: before its text.')),
  model_scores: z
    .array(modelScoreSchema)
    .default([])
    .meta(about('Models for this category; the best one that is served gets the request.')),
});

export const reasoningFamilySchema = z.strictObject({
  type: z
    .enum(['chat_template_kwargs', 'reasoning_effort', 'top_level_reasoning_effort'])
    .meta(
      about(
        'Where the switch stands: in chat_template_kwargs, or the top-level field reasoning_effort (both other types).',
      ),
    ),
  parameter: name.meta(about('Name of the switch: enable_thinking, thinking, reasoning_effort, …')),
});

const categoryModelSchema = z.strictObject({
  model_id: name.default(BUILT_IN_MODEL).meta(about('Folder under models/.')),
  threshold: share
    .default(0.6)
    .meta(about('Below this probability a request has no category: default model, no system prompt.')),
  use_cpu: z.boolean().default(true).meta(about('False asks for CUDA first and falls back to the CPU with a warning.')),
});

const band = (value: number, bandName: string) =>
  share.default(value).meta(about(`Normalised entropy from which the uncertainty is ${bandName}.`));

/** Everything has a default but the endpoints. Keys stay snake_case: one grep finds schema, docs, code and error. */
export const configSchema = z.strictObject({
  vllm_endpoints: z.array(endpointSchema).min(1).meta(about('Where models are served.')),
  model_config: z
    .record(name, modelSchema)
    .default({})
    .meta(about('What is known of each model. A model that an endpoint lists needs no entry.')),
  categories: z
    .array(categorySchema)
    .default([])
    .meta(about('Which model is how good at what, and whether it should reason.')),
  default_model: name
    .optional()
    .meta(about('Model when nothing else decides; the first endpoint’s first model when absent.')),
  auto_model_name: name
    .default('MoM')
    .meta(about('Model name that means “choose for me”, beside auto and vllm-sr/auto.')),
  default_reasoning_effort: effort.default('medium').meta(about('Effort where a category gives none.')),
  include_config_models_in_list: z
    .boolean()
    .default(false)
    .meta(about('GET /v1/models lists the models too, not only the aliases.')),
  failure_mode: z
    .enum(['open', 'closed'])
    .default('open')
    .meta(
      about(
        'When the router is dead or failing: open sends aliases to the default model, closed answers 503, also to what a guard could not judge.',
      ),
    ),
  reasoning_decision: z
    .strictObject({
      very_high: band(0.8, 'very high'),
      high: band(0.6, 'high'),
      medium: band(0.4, 'medium'),
      low: band(0.2, 'low'),
      very_high_reasoning: z.boolean().default(true).meta(about('Reason when the uncertainty is very high.')),
    })
    .prefault({})
    .meta(about('Entropy-based reasoning decision.')),
  caller_reasoning_wins: z
    .boolean()
    .default(true)
    .meta(about('Reasoning fields that the caller set stay as they are.')),
  timeouts: z
    .strictObject({
      decision: duration
        .prefault('250ms')
        .meta(
          about(
            'For the classifier; past it the table of tokens decides, and the default model where that is not sure.',
          ),
        ),
      first_byte: duration.prefault('60s').meta(about('For the first byte of an endpoint’s answer.')),
      connect: duration.prefault('1s').meta(about('For the connection to an endpoint.')),
      total: duration.optional().meta(about('For the whole answer; no limit when absent.')),
    })
    .prefault({})
    .meta(about('Durations with their unit: ms, s, m, h.')),
  limits: z
    .strictObject({
      request_body: size
        .prefault('32MiB')
        .meta(
          about('Largest request body; a larger one gets 413. A change takes a restart and a new bootstrap for Envoy.'),
        ),
      json_depth: z.int().min(1).max(100_000).default(10_000).meta(about('Deepest nesting of a request body.')),
      batch_texts: z.int().min(1).max(100_000).default(1000).meta(about('Most texts in one classification batch.')),
    })
    .prefault({})
    .meta(about('Sizes with their unit: B, KB, KiB, MB, MiB, GB, GiB.')),
  log: z
    .strictObject({
      prompts: z.boolean().default(false).meta(about('Write prompt text to the log. Leave it off in production.')),
    })
    .prefault({})
    .meta(about('The log. Its level is the environment variable LOG_LEVEL.')),
  reasoning_families: z
    .record(name, reasoningFamilySchema)
    .default({})
    .meta(
      about('Reasoning switches beyond the built-in qwen3, deepseek, gpt-oss and gpt; the same name replaces one.'),
    ),
  classifier: z
    .strictObject({
      category_model: categoryModelSchema.prefault({}).meta(about('The encoder that finds the category.')),
    })
    .prefault({})
    .meta(about('Classification.')),
  ...decisionKeys,
  ...executionKeys,
  ...cascadeKeys,
  ...outcomesKeys,
});

/** The parsed file: defaults filled, durations in milliseconds, sizes in bytes. */
export type RouterConfig = z.output<typeof configSchema>;
export type EndpointConfig = z.output<typeof endpointSchema>;
export type ModelConfig = z.output<typeof modelSchema>;
export type CategoryConfig = z.output<typeof categorySchema>;
export type ReasoningFamily = z.output<typeof reasoningFamilySchema>;
