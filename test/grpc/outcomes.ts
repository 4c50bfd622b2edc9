import type { RouteOutcome } from '../../src/extproc/machine.ts';

/** Forwards a body, changed in a way that a test can see. */
export function forwardTo(
  model: string,
  context?: string,
  body: string | null = `{"model":"${model}"}`,
): RouteOutcome<string> {
  return {
    kind: 'forward',
    mutations: {
      body: body === null ? null : Buffer.from(body),
      setHeaders: [{ name: 'x-selected-model', value: model }],
      removeHeaders: [],
      metadata: { 'envoy.lb': { 'x-gateway-destination-endpoint': '10.0.0.1:8000,10.0.0.2:8000' } },
    },
    context,
  };
}
