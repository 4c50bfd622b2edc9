import type { RouterConfig } from '../config/schema.ts';
import { CASCADE_CHECKS } from '../config/schema-cascade.ts';
import type { RuleConfig } from '../config/schema-policy.ts';
import type { ChatRequest } from '../openai/request.ts';
import type { Cascade } from './decision.ts';

/** A cascade and the models that the config sends its escalations to; null: those of the plan, in its order. */
export interface CascadeChoice {
  readonly cascade: Cascade;
  readonly escalateTo: readonly string[] | null;
}

/**
 * The cascade of a request: what its rule says, else the global setting. Null where there is none, and for streams, whose first byte can't wait
 * for the last.
 */
export function cascadeOf(
  { cascade: shared }: RouterConfig,
  rule: RuleConfig | null,
  request: ChatRequest,
): CascadeChoice | null {
  const own: Exclude<RuleConfig['then']['cascade'], undefined> = rule?.then.cascade ?? shared.enabled;
  if (own === false || request.stream) return null;
  const keys: Extract<typeof own, object> = own === true ? {} : own;
  const checks = keys.checks ?? shared.checks;
  return {
    cascade: {
      route: rule?.name ?? 'auto',
      checks: CASCADE_CHECKS.filter((check) => checks.includes(check)),
      minMeanLogprob: keys.min_mean_logprob ?? shared.min_mean_logprob ?? null,
      maxShare: keys.max_share ?? shared.max_share,
      minEscalations: keys.min_escalations ?? shared.min_escalations,
      windowMs: keys.window ?? shared.window,
      maxAnswerBytes: keys.max_answer ?? shared.max_answer,
    },
    escalateTo: keys.escalate_to ?? shared.escalate_to ?? null,
  };
}
