import type { RouterConfig } from './schema.ts';

/** Milliseconds that a request may wait before it goes on to a model: for the encoder, and for room where the config limits what is under way. */
export function longestWaitMs({ timeouts, overload }: Pick<RouterConfig, 'timeouts' | 'overload'>): number {
  const limited = overload.max_in_flight_per_endpoint !== undefined || overload.max_in_flight_per_model !== undefined;
  return timeouts.decision + (limited && overload.queue > 0 ? overload.queue_timeout : 0);
}
