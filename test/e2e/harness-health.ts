/** Endpoints that fail and are tried again all the same. */
import type { Stack } from './harness.ts';
import { until } from './harness-wait.ts';

/** Config lines under which nothing is left alone for failing, but for a moment after a Retry-After. */
export const LENIENT = `
timeouts: { first_byte: 1500ms, decision: 5s }
health: { consecutive_errors: 1000, min_requests: 100000, ejection: 1ms, max_ejection: 1ms }
affinity: { enabled: false }
`;

/** Resolves when no endpoint is left alone. */
export async function allUp(stack: Stack): Promise<void> {
  const isAllUp = async (): Promise<boolean> => {
    const answer = await fetch(`${stack.apiUrl}/info/endpoints`);
    const { endpoints } = (await answer.json()) as { endpoints: { state: string }[] };
    return endpoints.every(({ state }) => state === 'up');
  };
  await until(isAllUp, 'all endpoints to be up');
}
