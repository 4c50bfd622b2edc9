/** Keys of what happens after the decision: fallback, health, balancing, affinity and overload (docs/fallback.md). */
import { z } from 'zod';
import { duration, name, share } from './fields.ts';

const about = (description: string) => ({ description });

const cause = z.enum(['connect', 'reset', '5xx', '429', 'context_length']);

const fallbackSchema = z.strictObject({
  max_attempts: z
    .int()
    .min(1)
    .max(16)
    .default(3)
    .meta(about('Attempts for one request, the first included; 1: no request is tried again.')),
  retry_on: z
    .array(cause)
    .default(['connect', 'reset', '5xx', '429', 'context_length'])
    .meta(
      about(
        'What is worth another attempt. reset: the connection broke or timeouts.first_byte passed; context_length: only where a model with a larger window is next. Envoy reads all but the last from its bootstrap.',
      ),
    ),
  other_models: z
    .boolean()
    .default(true)
    .meta(
      about('A request for an alias may be answered by the next-best admissible model, or by the model’s fallbacks.'),
    ),
  retry_budget: share
    .default(0.2)
    .meta(about('Share of the requests under way that may be repeats, so that an outage does not become a storm.')),
  min_retries: z
    .int()
    .min(0)
    .max(10_000)
    .default(20)
    .meta(about('Repeats that may be under way whatever the share is.')),
});

const healthSchema = z.strictObject({
  consecutive_errors: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .meta(about('Failures in a row that take an endpoint out: no answer, 5xx.')),
  error_ratio: share.default(0.5).meta(about('Share of failures within the window that takes an endpoint out.')),
  min_requests: z.int().min(1).default(20).meta(about('Answers within the window before error_ratio counts.')),
  window: duration.prefault('10s').meta(about('Window of error_ratio.')),
  ejection: duration
    .prefault('1s')
    .meta(about('How long an endpoint is out the first time; each time in a row doubles it.')),
  max_ejection: duration.prefault('30s').meta(about('Longest time out. A longer Retry-After is cut to it.')),
  check_interval: duration
    .prefault('2s')
    .meta(about('Time between two checks of health_check_path; endpoints without the path are not checked.')),
  check_timeout: duration.prefault('1s').meta(about('Time for one check.')),
});

const balanceSchema = z.strictObject({
  scrape_metrics: z
    .boolean()
    .default(true)
    .meta(about('Read vLLM’s /metrics of every endpoint once a second, for load that comes from elsewhere.')),
});

const affinitySchema = z.strictObject({
  enabled: z.boolean().default(true).meta(about('Keep a conversation on its replica, where its prefix is cached.')),
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, { error: 'is not a header name' })
    .default('x-session-id')
    .meta(about('Header that names a conversation; without it prompt_cache_key, user, or the first messages.')),
  keep_model: z
    .boolean()
    .default(true)
    .meta(
      about('A later turn of a conversation keeps the model too, unless policy, capabilities or a rule forbid it.'),
    ),
  load_factor: z
    .number()
    .min(1)
    .max(10)
    .default(1.25)
    .meta(about('A replica with more than so many times the mean load takes no new conversation.')),
  ttl: duration.prefault('1h').meta(about('A conversation is forgotten after so long without a request.')),
  max_sessions: z.int().min(1).max(10_000_000).default(50_000).meta(about('Conversations that are remembered.')),
});

const overloadSchema = z.strictObject({
  max_in_flight_per_endpoint: z
    .int()
    .min(1)
    .optional()
    .meta(about('Requests that one endpoint may have at a time, from this router; no limit when absent.')),
  max_in_flight_per_model: z
    .int()
    .min(1)
    .optional()
    .meta(about('Requests that one model may have at a time, from this router; no limit when absent.')),
  queue: z.int().min(0).max(100_000).default(100).meta(about('Requests that may wait for room.')),
  queue_timeout: duration
    .prefault('1s')
    .meta(
      about(
        'Longest wait; then 429 with Retry-After. Envoy allows for it by its bootstrap: print that anew when you raise it.',
      ),
    ),
  priorities: z
    .record(name, z.int().min(0).max(1000))
    .default({})
    .meta(about('Priority of a tenant by its name (0): the higher one waits in front, and the lowest is shed first.')),
});

/** The keys as the whole file's schema takes them in. */
export const executionKeys = {
  fallback: fallbackSchema.prefault({}).meta(about('What happens when an endpoint fails.')),
  health: healthSchema.prefault({}).meta(about('When an endpoint is taken out, and for how long.')),
  balance: balanceSchema.prefault({}).meta(about('Choice among the replicas of a model.')),
  affinity: affinitySchema.prefault({}).meta(about('Conversations and their replicas.')),
  forward_authorization: z
    .boolean()
    .default(true)
    .meta(about('An endpoint without api_key_env gets the client’s own Authorization header; false takes it off.')),
  overload: overloadSchema.prefault({}).meta(about('Limits of what is under way, and what waits.')),
};

export type HealthConfig = z.output<typeof healthSchema>;
export type AffinityConfig = z.output<typeof affinitySchema>;
