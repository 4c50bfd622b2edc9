/** The shapes of the answers, for /openapi.json; the tests hold every answer against them. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const ms = z.number().min(0).meta({ description: 'Milliseconds' });
const probabilities = z.record(z.string(), share).meta({ description: 'Probability of every category, unrounded' });

export const errorAnswer = z.object({
  error: z.looseObject({ code: z.string(), message: z.string(), timestamp: z.iso.datetime() }),
});

export const healthAnswer = z.strictObject({ status: z.literal('healthy'), service: z.string() });

export const readyAnswer = z.strictObject({
  status: z.literal('ready'),
  checks: z.array(z.object({ name: z.string(), ready: z.boolean(), detail: z.string().optional() })),
});

const model = z.strictObject({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() });
export const modelAnswer = model;
export const modelsAnswer = z.strictObject({ object: z.literal('list'), data: z.array(model) });

export const intentAnswer = z.strictObject({
  classification: z.strictObject({
    category: z.string().meta({ description: 'The most probable category, even below the threshold' }),
    confidence: share,
    processing_time_ms: ms,
  }),
  probabilities: probabilities.optional(),
  recommended_model: z
    .string()
    .nullable()
    .meta({ description: 'What the request path would choose; null when no endpoint could take the request' }),
  routing_decision: z.enum(['high_confidence_specialized', 'low_confidence_general']),
  entropy: z.strictObject({
    value: z.number().min(0).nullable().meta({ description: 'Bits' }),
    normalized: share.nullable(),
    level: z.enum(['very_high', 'high', 'medium', 'low', 'very_low']).nullable(),
  }),
  reasoning: z
    .strictObject({ enabled: z.boolean(), confidence: share, reason: z.string(), strategy: z.string() })
    .nullable(),
  explanation: z.looseObject({ policy_version: z.string(), candidates: z.array(z.unknown()) }).optional(),
});

export const piiAnswer = z.strictObject({
  kinds: z.array(z.string()).meta({ description: 'Every kind that was found, in order of place' }),
  findings: z.array(
    z.strictObject({
      kind: z.string(),
      start: z.int().min(0).meta({ description: 'UTF-16 code units from the beginning' }),
      end: z.int().min(1).meta({ description: 'Exclusive' }),
      confidence: share,
    }),
  ),
  finding_count: z.int().min(0).meta({ description: 'How many there are; the first 1000 are listed' }),
  masked_text: z.string().optional().meta({ description: 'The text with <KIND> in the place of each finding' }),
  processing_time_ms: ms,
});

export const securityAnswer = z.strictObject({
  jailbreak: z.strictObject({
    score: share.nullable().meta({ description: 'Null when the loaded model has no such output' }),
    threshold: share.meta({ description: 'guards.jailbreak.threshold' }),
    flagged: z.boolean(),
    available: z.boolean(),
    action: z.enum(['off', 'flag', 'block', 'route']).meta({ description: 'guards.jailbreak.action' }),
  }),
  processing_time_ms: ms,
});

export const explainAnswer = z.union([
  z.looseObject({ decision: z.looseObject({}), plan: z.looseObject({}), signals: z.looseObject({}).nullable() }),
  z.looseObject({ refused: z.looseObject({}), reasonCode: z.string(), candidates: z.array(z.unknown()) }),
]);

export const batchAnswer = z.strictObject({
  results: z.array(
    z.strictObject({
      category: z.string(),
      confidence: share,
      probabilities: probabilities.optional(),
      processing_time_ms: ms,
    }),
  ),
  total_count: z.int(),
  processing_time_ms: ms,
  statistics: z.strictObject({
    category_distribution: z.record(z.string(), z.int()),
    avg_confidence: share,
    low_confidence_count: z.int(),
  }),
});

export const embeddingsAnswer = z.strictObject({
  embeddings: z.array(z.strictObject({ embedding: z.array(z.number()), dimension: z.int(), processing_time_ms: ms })),
  model: z.string().nullable(),
  dimension: z.int(),
  total_count: z.int(),
  total_processing_time_ms: ms,
});

export const similarityAnswer = z.strictObject({
  similarity: z.number().min(-1).max(1),
  model_used: z.string().nullable(),
  processing_time_ms: ms,
});

export const systemPromptsAnswer = z.strictObject({
  system_prompts: z.array(
    z.strictObject({
      category: z.string(),
      prompt: z.string(),
      enabled: z.boolean(),
      mode: z.enum(['replace', 'insert']),
    }),
  ),
  policy_version: z.string(),
});

export const modelsInfoAnswer = z.object({
  models: z.array(z.looseObject({ name: z.string(), type: z.string(), loaded: z.boolean() })),
  system: z.looseObject({ architecture: z.string(), os: z.string() }),
});

export const classifierInfoAnswer = z.object({
  status: z.enum(['loaded', 'not_loaded']),
  policy_version: z.string(),
  config: z.looseObject({ threshold: share, default_model: z.string() }),
});

export const openApiAnswer = z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });

export const endpointsInfoAnswer = z.object({
  endpoints: z.array(
    z.object({
      name: z.string(),
      address: z.string(),
      models: z.array(z.string()),
      weight: z.number(),
      state: z.enum(['up', 'out', 'due', 'drained', 'pending']),
      reason: z.string().nullable(),
      out_for_ms: z.number(),
      in_flight: z.number(),
      failures_in_a_row: z.number(),
    }),
  ),
});

export const clustersAnswer = z.looseObject({ version_info: z.string(), resources: z.array(z.unknown()) });

const category = z.string().meta({ description: 'Empty for requests without a certain category' });
const graded = z.int().min(0).meta({ description: 'Graded answers' });

export const gradedAnswer = z.strictObject({
  model: z.string().meta({ description: 'The model that really answered' }),
  category,
  score: share,
  count: graded.meta({ description: 'Graded answers of this model in this category now' }),
  replaced: z.boolean().meta({ description: 'The request had a grade before, which this one replaces' }),
});

export const outcomesInfoAnswer = z.strictObject({
  used: z.boolean().meta({ description: 'Whether the objectives follow the grades' }),
  prior_strength: z.number().min(0),
  version: z.string().meta({ description: 'Hash of the cells' }),
  graded,
  gradable: z.int().min(0).meta({ description: 'Answers of late that a grade would still find' }),
  cells: z.array(
    z.strictObject({
      model: z.string(),
      category,
      count: graded,
      mean: share,
      prior: share.nullable().meta({ description: 'The configured quality; null for a model that is not configured' }),
      prior_source: z.string().nullable(),
      quality: share.nullable().meta({ description: 'What the grades make of it' }),
      low: share.nullable().meta({ description: 'Lower end of the 95 % interval' }),
      high: share.nullable().meta({ description: 'Upper end of the 95 % interval' }),
    }),
  ),
});
