/** Keys of what decides beside the categories: policy, tenants, guards, objectives, estimates and rules (docs/decision.md). */
import { z } from 'zod';
import { effort, name, share } from './fields.ts';
import { ruleCascadeSchema } from './schema-cascade.ts';

const about = (description: string) => ({ description });

const names = z.union([name, z.array(name)]);
/** Bounds of a number. */
const range = z.strictObject({
  min: z.number().optional().meta(about('Lower bound, inclusive.')),
  max: z.number().optional().meta(about('Upper bound, inclusive.')),
});

const objectiveKind = z.enum(['category', 'quality', 'cost', 'latency', 'balanced']);

const weightsSchema = z.strictObject({
  quality: z.number().min(0).default(0).meta(about('Weight of the expected quality.')),
  cost: z.number().min(0).default(0).meta(about('Weight of the expected cost.')),
  latency: z.number().min(0).default(0).meta(about('Weight of the expected latency.')),
});

const objectiveObject = z.strictObject({
  kind: objectiveKind
    .optional()
    .meta(about('What the choice among the admissible models aims at; without it, that of the level above.')),
  quality_floor: share.optional().meta(about('Least expected quality.')),
  max_cost_usd: z.number().min(0).optional().meta(about('Highest expected cost of one request.')),
  max_latency_ms: z.number().positive().optional().meta(about('Highest expected time to the last token.')),
  max_ttft_ms: z.number().positive().optional().meta(about('Highest expected time to the first token.')),
  weights: weightsSchema.optional().meta(about('For balanced; only the ratio counts (0.6, 0.3, 0.1).')),
  unmet: z
    .enum(['relax', 'refuse'])
    .optional()
    .meta(about('When no model keeps all limits: give up the least important one, or refuse the request (relax).')),
});

const objectiveSchema = z.union([objectiveKind, objectiveObject]);

const policyShape = {
  allow_models: z.array(name).optional().meta(about('Only these models; without it, all.')),
  deny_models: z.array(name).default([]).meta(about('Never these models.')),
  allowed_regions: z
    .array(name)
    .optional()
    .meta(about('Only endpoints of these regions; "eu" also means "eu-west-1". An endpoint without a region is out.')),
  allow_trace: z.boolean().optional().meta(about('Callers may see the decision with routing.trace (false).')),
  caller_objective: z.boolean().optional().meta(about('Callers may choose the objective (true).')),
};
const policySchema = z.strictObject(policyShape);

const globalPolicySchema = z.strictObject({
  ...policyShape,
  data_collecting_endpoints: z
    .array(name)
    .optional()
    .meta(
      about(
        'Endpoints that keep prompts. Without the list none is known not to, and data_collection: deny finds none.',
      ),
    ),
});

const tenantSchema = z.strictObject({
  name: name.meta(about('Name of the tenant, unique.')),
  api_key_sha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, { error: 'is not a SHA-256 in lower-case hex' }))
    .default([])
    .meta(about('SHA-256 (lower-case hex) of each API key of the tenant.')),
  policy: policySchema.prefault({}).meta(about('Narrows the policy above it; it never widens it.')),
  objective: objectiveSchema.optional().meta(about('In place of the global objective, limit by limit.')),
});

const tenantsSchema = z.strictObject({
  from_header: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, { error: 'is not a header name' })
    .optional()
    .meta(about('Header that names the tenant; trusted only because it stands here. A listed API key beats it.')),
  default: name.optional().meta(about('The tenant of requests that name none.')),
  unknown: z
    .enum(['default', 'deny'])
    .default('default')
    .meta(about('What becomes of a request whose tenant is not listed, or that has none.')),
  list: z.array(tenantSchema).default([]).meta(about('The tenants.')),
});

const guardsSchema = z.strictObject({
  answer: z
    .enum(['error', 'content_filter'])
    .default('error')
    .meta(about('What a blocked request gets: an error, or 200 with finish_reason content_filter.')),
  pii: z
    .strictObject({
      action: z
        .enum(['block', 'flag', 'off'])
        .default('block')
        .meta(
          about('block: a model whose pii_policy forbids a kind that was found is out; flag: it is only recorded.'),
        ),
      min_confidence: share.default(0.5).meta(about('Findings below this count for nothing.')),
    })
    .prefault({})
    .meta(about('Personal data in the request against pii_policy of each model.')),
  jailbreak: z
    .strictObject({
      action: z
        .enum(['off', 'flag', 'block', 'route'])
        .default('flag')
        .meta(about('What becomes of a request at or above the threshold.')),
      threshold: share.default(0.7).meta(about('Score from which a request is suspicious.')),
      route_to: name.optional().meta(about('The model that answers suspicious requests, for action route.')),
    })
    .prefault({})
    .meta(about('Attempts to talk a model out of its instructions.')),
});

const estimatesSchema = z.strictObject({
  quality: share.default(0.5).meta(about('Expected quality of a model of which nothing is known.')),
  output_tokens: z.int().positive().default(400).meta(about('Length of an answer until enough answers were seen.')),
  output_reserve_tokens: z
    .int()
    .min(0)
    .default(256)
    .meta(about('Room for the answer in the context window when the request sets no maximum.')),
  difficulty_strength: z
    .number()
    .min(0)
    .max(4)
    .default(1)
    .meta(about('How much a hard prompt lowers the expected quality; 0: not at all.')),
  difficulty_reference: share.default(0.4).meta(about('The difficulty that model_scores and quality are meant for.')),
  exchange_rates: z
    .record(name, z.number().positive())
    .default({})
    .meta(
      about('US dollars for one unit of a currency: { EUR: 1.1 }. Prices in a currency without a rate are unknown.'),
    ),
  reference_cost_usd: z.number().positive().default(0.002).meta(about('The cost that counts half in balanced.')),
  reference_latency_ms: z.number().positive().default(3000).meta(about('The latency that counts half in balanced.')),
  min_samples: z
    .int()
    .min(1)
    .default(5)
    .meta(about('Answers that must have been seen before their latency beats the configured one.')),
});

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'is not a time of day like 08:30' });
const modality = z.enum(['text', 'image', 'audio', 'file']);

const leafShape = {
  category: names.optional().meta(about('The category found, at or above the threshold.')),
  confidence: range.optional().meta(about('Probability of the most probable category.')),
  entropy: range.optional().meta(about('Normalised entropy, 0..1.')),
  difficulty: range.optional().meta(about('1 minus the mean probability of a right answer, 0..1.')),
  jailbreak: range.optional().meta(about('Jailbreak score, 0..1.')),
  pii: names.optional().meta(about('One of these kinds was found; "any": whatever kind.')),
  language: names.optional().meta(about('ISO 639-1 code of the newest user text.')),
  keywords: names
    .optional()
    .meta(about('One of these words or phrases stands in the newest user text: whole words, any case.')),
  regex: names.optional().meta(about('One of these patterns (RE2 syntax) is found in the newest user text.')),
  tokens: range.optional().meta(about('Input tokens.')),
  turns: range.optional().meta(about('User messages.')),
  modality: z
    .union([modality, z.array(modality)])
    .optional()
    .meta(about('One of these is in the request; text: nothing else is.')),
  tools: z.boolean().optional().meta(about('The request offers tools.')),
  json: z.boolean().optional().meta(about('The request asks for JSON.')),
  code: z.boolean().optional().meta(about('The request has code in it.')),
  stream: z.boolean().optional().meta(about('The request asks for a stream.')),
  tenant: names.optional().meta(about('The tenant.')),
  model: names.optional().meta(about('The alias asked for.')),
  header: z
    .record(name, z.union([z.boolean(), names]))
    .optional()
    .meta(about('Each header has one of its values; true: it is there; false: it is not.')),
  time: z
    .strictObject({
      days: z
        .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
        .optional()
        .meta(about('On these days; without it, every day.')),
      from: clockTime.optional().meta(about('From this time on (00:00).')),
      to: clockTime
        .optional()
        .meta(about('Before this time (24:00). Before from: over midnight, of the day it began on.')),
      timezone: name.default('UTC').meta(about('IANA name: Europe/Berlin.')),
    })
    .optional()
    .meta(about('A window of time by the wall clock.')),
};

/** What must hold of a request for a rule: all keys of one mapping together. */
export interface ConditionConfig extends z.output<z.ZodObject<typeof leafShape>> {
  all?: ConditionConfig[] | undefined;
  any?: ConditionConfig[] | undefined;
  not?: ConditionConfig | undefined;
}

const conditionSchema: z.ZodType<ConditionConfig> = z.strictObject({
  ...leafShape,
  all: z
    .lazy(() => z.array(conditionSchema))
    .optional()
    .meta(about('All of these conditions hold.')),
  any: z
    .lazy(() => z.array(conditionSchema))
    .optional()
    .meta(about('One of these conditions holds.')),
  not: z
    .lazy(() => conditionSchema)
    .optional()
    .meta(about('This condition does not hold.')),
});

const thenSchema = z.strictObject({
  model: name.optional().meta(about('This model, if it is admissible.')),
  models: z.array(name).min(1).optional().meta(about('The choice is among these, if one is admissible.')),
  split: z
    .strictObject({
      sticky: z
        .enum(['user', 'session', 'none'])
        .default('session')
        .meta(about('What keeps its model: a user, a conversation, or nothing.')),
      weights: z.record(name, z.number().min(0)).meta(about('Share of the requests for each model.')),
    })
    .optional()
    .meta(about('A canary or A/B test.')),
  strict: z.boolean().default(false).meta(about('Refuse the request when none of the models named is admissible.')),
  objective: objectiveSchema.optional().meta(about('In place of the tenant’s objective, limit by limit.')),
  system_prompt: z
    .union([
      z.literal(false),
      z.strictObject({
        text: z.string().min(1).meta(about('The prompt.')),
        mode: z.enum(['replace', 'insert']).default('replace').meta(about('As in categories.')),
      }),
    ])
    .optional()
    .meta(about('In place of the category’s; false: none.')),
  reasoning: z.boolean().optional().meta(about('In place of the entropy decision.')),
  reasoning_effort: effort.optional().meta(about('In place of the category’s effort.')),
  cascade: ruleCascadeSchema
    .optional()
    .meta(about('A cascade for this rule’s requests: true or false, or keys in place of those of cascade.')),
  deny: z
    .strictObject({
      status: z
        .union([z.literal(400), z.literal(403), z.literal(404), z.literal(429), z.literal(451), z.literal(503)])
        .default(403)
        .meta(about('HTTP status of the answer.')),
      message: z.string().min(1).default('This request is not allowed here.').meta(about('Text of the error.')),
    })
    .optional()
    .meta(about('Refuse the request.')),
});

const ruleSchema = z.strictObject({
  name: name.meta(about('Name of the rule, unique: the decision in logs and headers.')),
  when: conditionSchema.default({}).meta(about('All keys must hold; empty: every request.')),
  then: thenSchema.meta(about('What the rule does.')),
});

/** The keys as the whole file's schema takes them in. */
export const decisionKeys = {
  unknown_capability: z
    .enum(['allow', 'deny'])
    .default('allow')
    .meta(about('May a model serve a request whose needs its capabilities say nothing about?')),
  policy: globalPolicySchema.prefault({}).meta(about('What binds every request.')),
  tenants: tenantsSchema.prefault({}).meta(about('Who is asking, and what binds them beside the policy.')),
  guards: guardsSchema.prefault({}).meta(about('Checks of the request’s content.')),
  objective: objectiveSchema.default('category').meta(about('What the choice aims at.')),
  estimates: estimatesSchema.prefault({}).meta(about('Stand-ins for numbers that the registry does not give.')),
  rules: z.array(ruleSchema).default([]).meta(about('In order: the first that matches decides.')),
};

export type PolicyConfig = z.output<typeof policySchema>;
export type TenantConfig = z.output<typeof tenantSchema>;
export type TenantsConfig = z.output<typeof tenantsSchema>;
export type ObjectiveConfig = z.output<typeof objectiveSchema>;
export type EstimatesConfig = z.output<typeof estimatesSchema>;
export type RuleConfig = z.output<typeof ruleSchema>;
