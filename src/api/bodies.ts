/** The bodies that the API takes, as zod schemas: they validate, and /openapi.json is made from them. Unknown members are ignored. */
import { z } from 'zod';

const text = z
  .string()
  .refine((value) => value.trim() !== '', { message: 'must not be empty or blank' })
  .meta({ description: 'A text, as a user would write it' });

const options = z
  .object({
    return_probabilities: z
      .boolean()
      .optional()
      .meta({ description: 'Whether to list the probability of every category' }),
    confidence_threshold: z.number().min(0).max(1).optional().meta({
      description: 'What counts as confident in routing_decision and in statistics; the config decides what is routed',
    }),
    include_explanation: z
      .boolean()
      .optional()
      .meta({ description: 'Whether to add the candidates and why each was kept or dropped' }),
  })
  .meta({ description: 'Options of a classification' });

export const intentBody = z.object({ text, options: options.optional() });

export const piiBody = z.object({
  text,
  options: z
    .object({
      mask: z.boolean().optional().meta({ description: 'Whether to answer the text with its findings masked' }),
    })
    .optional(),
});

export const securityBody = z.object({ text });

/** Header values beyond this are none that routing reads. */
const MAX_HEADER_CHARACTERS = 8192;
const MAX_HEADERS = 100;

/** The router itself says what is wrong with a chat request. */
export const explainBody = z
  .looseObject({
    // Counted before the single headers are looked at: a body has room for a million of them.
    headers: z
      .preprocess(
        (headers, context) => {
          if (typeof headers !== 'object' || headers === null || Object.keys(headers).length <= MAX_HEADERS) {
            return headers;
          }
          context.addIssue({ code: 'custom', message: `has more than ${MAX_HEADERS} names` });
          return z.NEVER;
        },
        z.record(
          z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, { message: 'is not a header name' }),
          z.string().max(MAX_HEADER_CHARACTERS),
        ),
      )
      .optional()
      .meta({ description: 'HTTP headers that the request would have; they are no part of its body' }),
  })
  .meta({ description: 'A chat request, as a client would send it' });

export const batchBody = z.object({
  texts: z.array(text).min(1),
  task_type: z.enum(['intent', 'security', 'pii']).default('intent'),
  options: options.optional(),
});

export const embeddingsBody = z.object({
  texts: z.array(text).min(1),
  model: z.string().optional().meta({ description: '"auto" or the name of the loaded model' }),
  dimension: z.int().optional().meta({ description: 'Only the dimension that the model has' }),
});

export const similarityBody = z.object({
  text1: text,
  text2: text,
  model: z.string().optional().meta({ description: '"auto" or the name of the loaded model' }),
  dimension: z.int().optional().meta({ description: 'Only the dimension that the model has' }),
});

export const systemPromptsBody = z
  .object({
    category: z.string().min(1).optional().meta({ description: 'One category; all that have a prompt when left out' }),
    enabled: z.boolean().optional(),
    mode: z.enum(['replace', 'insert']).optional(),
  })
  .refine((change) => change.enabled !== undefined || change.mode !== undefined, {
    message: 'needs at least one of "enabled" and "mode"',
  });

/** What Envoy sends to ask for clusters; of it only the version that it has matters to us. */
export const discoveryBody = z.object({ version_info: z.string().max(200).optional() });

export const outcomeBody = z.object({
  request_id: z.string().min(1).max(128).meta({ description: 'The x-request-id of a routed request' }),
  score: z.number().min(0).max(1).meta({ description: 'How good its answer was: 0 useless, 1 as good as can be' }),
});

export type IntentBody = z.infer<typeof intentBody>;
export type PiiBody = z.infer<typeof piiBody>;
export type SecurityBody = z.infer<typeof securityBody>;
export type BatchBody = z.infer<typeof batchBody>;
export type EmbeddingsBody = z.infer<typeof embeddingsBody>;
export type SimilarityBody = z.infer<typeof similarityBody>;
export type SystemPromptsBody = z.infer<typeof systemPromptsBody>;
export type ExplainBody = z.infer<typeof explainBody>;
export type OutcomeBody = z.infer<typeof outcomeBody>;
