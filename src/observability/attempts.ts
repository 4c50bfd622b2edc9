import type { Registry } from '../config/registry.ts';
import type { Attempt } from '../execution/attempts.ts';
import type { EndpointChange } from '../execution/traffic.ts';
import type { Log } from './log.ts';
import { modelLabel } from './metrics-decision.ts';
import type { Metrics } from './metrics.ts';
import { safeRequestId } from './record.ts';

/** The counters of the attempts at one request. */
export function measureAttempts(metrics: Metrics, registry: Registry, attempts: readonly Attempt[]): void {
  for (const { target, cause } of attempts) {
    metrics.inc('switchyard_attempts_total', { model: modelLabel(registry, target.model), outcome: cause });
  }
  const [first] = attempts;
  const last = attempts.at(-1);
  if (first === undefined || last === undefined || last.cause !== 'answered') return;
  if (last.target.model === first.target.model) return;
  metrics.inc('switchyard_model_fallbacks_total', {
    from: modelLabel(registry, first.target.model),
    to: modelLabel(registry, last.target.model),
  });
}

/**
 * One line for a request that took more than one attempt, or whose only one failed: who was tried, what came of it, how long it took. `givenAttempt`:
 * the earlier one whose answer the client got after all.
 */
export function logAttempts(
  log: Log,
  requestId: string | null,
  attempts: readonly Attempt[],
  givenAttempt: number | null = null,
): void {
  if (attempts.length < 2 && attempts.every(({ cause }) => cause === 'answered')) return;
  log.info({
    msg: 'routing_attempts',
    event: 'routing_attempts',
    request_id: safeRequestId(requestId),
    answered: givenAttempt !== null || attempts.at(-1)?.cause === 'answered',
    ...(givenAttempt === null ? {} : { given_attempt: givenAttempt }),
    attempts: attempts.map(({ attempt, target, cause, status, latencyMs }) => ({
      attempt,
      model: target.model,
      endpoint: target.endpoint,
      address: target.address,
      outcome: cause,
      status,
      latency_ms: latencyMs,
    })),
  });
}

/** An endpoint's address went out or came back. */
export function logEndpointState(log: Log, change: EndpointChange): void {
  const line = {
    msg: 'endpoint_state',
    event: 'endpoint_state',
    endpoint: change.endpoint,
    address: change.address,
    state: change.state,
    reason: change.reason,
    out_for_ms: Math.round(change.forMs),
  };
  if (change.state === 'out') log.warn(line);
  else log.info(line);
}
