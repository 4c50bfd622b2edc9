/** Keys of cascades: a cheap model answers first, and what does not pass a check goes to the next one (docs/cascade.md). */
import { z } from 'zod';
import { answerSize, duration, name, share } from './fields.ts';

const about = (description: string) => ({ description });

/** In the order in which they are asked: the first that an answer fails is the cause. */
export const CASCADE_CHECKS = ['refusal', 'truncated', 'empty', 'invalid_json', 'low_confidence'] as const;
export type CascadeCheck = (typeof CASCADE_CHECKS)[number];

const keys = {
  escalate_to: z
    .array(name)
    .min(1)
    .meta(about('Models to go to, in this order, those that are admissible; without it the plan’s own order.')),
  checks: z
    .array(z.enum(CASCADE_CHECKS))
    .min(1)
    .meta(about('What an answer must pass. low_confidence needs min_mean_logprob.')),
  min_mean_logprob: z
    .number()
    .max(0)
    .meta(about('Least mean log-probability of the tokens; counts only where the answer has them (logprobs: true).')),
  max_share: share.meta(
    about('Share of a route’s checked requests that may be escalated; beyond it the cheap answer is kept.'),
  ),
  min_escalations: z
    .int()
    .min(0)
    .max(1_000_000)
    .meta(about('Requests within the window that may be escalated whatever the share is.')),
  window: duration.meta(about('The sliding window of both.')),
  max_answer: answerSize.meta(about('Larger answers, and those that do not say their length, pass unchecked.')),
};

const cascadeSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .meta(about('For every alias request whose rule says nothing about it; streams are never checked.')),
  escalate_to: keys.escalate_to.optional(),
  checks: keys.checks.default([...CASCADE_CHECKS]),
  min_mean_logprob: keys.min_mean_logprob.optional(),
  max_share: keys.max_share.default(0.2),
  min_escalations: keys.min_escalations.default(10),
  window: keys.window.prefault('1m'),
  max_answer: keys.max_answer.prefault('1MiB'),
});

/** What a rule says: on or off, or on with some keys in place of the global ones. */
export const ruleCascadeSchema = z.union([
  z.boolean(),
  z.strictObject({
    escalate_to: keys.escalate_to.optional(),
    checks: keys.checks.optional(),
    min_mean_logprob: keys.min_mean_logprob.optional(),
    max_share: keys.max_share.optional(),
    min_escalations: keys.min_escalations.optional(),
    window: keys.window.optional(),
    max_answer: keys.max_answer.optional(),
  }),
]);

/** The keys as the whole file's schema takes them in. */
export const cascadeKeys = {
  cascade: cascadeSchema
    .prefault({})
    .meta(about('A cheap model answers first; an answer that fails a check is asked for again from the next model.')),
};

/** Whether any request of a config may be a cascade: only then does Envoy get the filter for it. */
export function usesCascade(config: {
  readonly cascade: { readonly enabled: boolean };
  readonly rules: readonly { readonly then: { readonly cascade?: unknown } }[];
}): boolean {
  return config.cascade.enabled || config.rules.some(({ then }) => (then.cascade ?? false) !== false);
}
