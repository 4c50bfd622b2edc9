import type { CheckEvent } from '../cascade/checker.ts';
import type { CheckNote } from '../cascade/carried.ts';
import type { ShareView } from '../cascade/share.ts';
import type { Registry } from '../config/registry.ts';
import { logUsage, type UsageEvent } from './events.ts';
import type { Log } from './log.ts';
import { modelLabel } from './metrics-decision.ts';
import type { Metrics } from './metrics.ts';
import { safeRequestId } from './record.ts';
import { costOf, measureUsage } from './usage.ts';

/** The counters of one checked answer. */
export function measureCheck(metrics: Metrics, registry: Registry, { route, model, result, check }: CheckEvent): void {
  metrics.inc('switchyard_cascade_answers_total', { route, result });
  if (check !== null) {
    metrics.inc('switchyard_cascade_failed_checks_total', { model: modelLabel(registry, model), check });
  }
}

/** An answer that did not pass, and that another one was asked for in place of. */
export interface Escalated {
  /** '' when the request had none. */
  readonly requestId: string;
  readonly model: string;
  readonly note: CheckNote;
  /** Milliseconds to its end; null where that was not noted. */
  readonly latencyMs: number | null;
}

/**
 * What such an answer used: one `llm_usage` line and the same counters as for any answer, for its tokens are as real, and the counters of what was
 * spent in vain.
 */
export function tellEscalated(
  { requestId, model, note, latencyMs }: Escalated,
  { metrics, log, registry }: { readonly metrics: Metrics; readonly log: Log; readonly registry: Registry },
): void {
  const { promptTokens, completionTokens, totalTokens, check } = note;
  const cost = costOf({ promptTokens, completionTokens, totalTokens }, registry.models.get(model)?.config.pricing);
  const event: UsageEvent = {
    request_id: safeRequestId(requestId === '' ? null : requestId),
    model,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
    completion_latency_ms: latencyMs ?? 0,
    ttft_ms: null,
    ...(cost ?? {}),
    status: 200,
    stream: false,
    cut_short: false,
    ...(check === null ? {} : { escalated: check }),
  };
  logUsage(log, event);
  const label = modelLabel(registry, model);
  measureUsage(metrics, label, event);
  metrics.add('switchyard_cascade_wasted_tokens_total', totalTokens ?? 0, { model: label });
  if (cost !== null) {
    metrics.add('switchyard_cascade_wasted_cost_total', cost.cost, { model: label, currency: cost.currency });
  }
}

/** The first answer of a window that was kept because too many had been escalated. */
export function logCapped(log: Log, route: string, maxShare: number): void {
  log.warn({
    msg: 'cascade_capped',
    event: 'cascade_capped',
    route,
    max_share: maxShare,
  });
}

/** The gauges of every route's window, read at each scrape. */
export function showShares(metrics: Metrics, view: () => readonly ShareView[]): void {
  metrics.gaugeSeries('switchyard_cascade_escalated_share', () =>
    view().map(({ route, checked, escalated }) => ({
      labels: { route },
      value: checked === 0 ? 0 : escalated / checked,
    })),
  );
  metrics.gaugeSeries('switchyard_cascade_capped', () =>
    view().map(({ route, refused }) => ({ labels: { route }, value: refused > 0 ? 1 : 0 })),
  );
}
