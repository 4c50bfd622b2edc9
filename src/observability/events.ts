/** The log events that are not about one routing decision. Each is one function, so that docs/logs.md and the code list the same. */
import type { Block } from '../decision/decision.ts';
import type { Log } from './log.ts';
import type { RoutingRecord } from './record.ts';

/** What one answer used. Tokens are null where the answer does not say; cost and currency are absent without full pricing. */
export interface UsageEvent {
  readonly request_id: string | null;
  readonly model: string;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly total_tokens: number | null;
  readonly completion_latency_ms: number;
  /** Null when no content arrived. */
  readonly ttft_ms: number | null;
  readonly cost?: number;
  readonly currency?: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly stream: boolean;
  /** True when the answer ended before it said that it was complete. */
  readonly cut_short: boolean;
  /** The check of a cascade that the answer did not pass, so that another model was asked; absent for every other answer. */
  readonly escalated?: string;
}

export function logUsage(log: Log, usage: UsageEvent): void {
  log.info({ msg: 'llm_usage', event: 'llm_usage', ...usage });
}

/** A request that a policy, a guard or a rule stopped: kinds and scores, never text. */
export function logBlock(
  log: Log,
  record: Pick<RoutingRecord, 'request_id' | 'reason_code' | 'status'>,
  block: Block,
): void {
  log.warn({
    msg: block.event,
    event: block.event,
    request_id: record.request_id,
    reason_code: record.reason_code,
    rule: block.rule,
    tenant: block.tenant,
    guards: block.flags.map(({ guard, action, score, threshold, kinds }) => ({
      guard,
      action,
      score,
      threshold,
      kinds,
    })),
    answered: block.form,
  });
}

/** A config change was applied. `source` says where it came from. */
export function logConfigReloaded(
  log: Log,
  change: { readonly version: string; readonly previousVersion: string; readonly source: 'file' | 'api' },
): void {
  log.info({
    msg: 'config_reloaded',
    event: 'config_reloaded',
    policy_version: change.version,
    previous_version: change.previousVersion,
    source: change.source,
  });
}

/** Problems listed in one line at most. */
const MAX_PROBLEMS = 20;

/** A config change was refused; the version named stays in force. `problems` are the lines that `switchyard check` prints. */
export function logConfigReloadFailed(
  log: Log,
  failure: { readonly version: string; readonly problems: readonly string[]; readonly source: 'file' | 'api' },
): void {
  log.error({
    msg: 'config_reload_failed',
    event: 'config_reload_failed',
    policy_version: failure.version,
    problem_count: failure.problems.length,
    problems: failure.problems.slice(0, MAX_PROBLEMS),
    source: failure.source,
  });
}
