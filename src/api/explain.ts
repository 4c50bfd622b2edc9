import { clientHeaders } from '../rewrite/headers.ts';
import { failure, json, type Answer } from './answer.ts';
import type { ExplainBody } from './bodies.ts';
import { overloaded } from './classify.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Lanes } from './lane.ts';

/**
 * POST /api/v1/explain: what the request path would do with a chat request now, without sending it; `headers` is taken out of the body and
 * stands for the request's headers. A request that would be refused is a 200
 * too: the question was answered. The explanation names the system prompt, so that the route is a management route.
 */
export async function explainRequest(
  { headers = {}, ...request }: ExplainBody,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<Answer> {
  const bytes = bytesOf(request);
  if (bytes === null) return failure(400, 'INVALID_INPUT', 'body: it is nested too deeply.');
  const given = clientHeaders(Object.entries(headers));
  const explained = await lanes.interactive.run(() => dependencies.explain(bytes, given, signal), signal);
  return explained === null ? overloaded() : json(explained);
}

/** The request as JSON; null when it is nested more deeply than the stack allows, some thousands of levels. */
function bytesOf(request: Readonly<Record<string, unknown>>): Uint8Array | null {
  try {
    return Buffer.from(JSON.stringify(request));
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}
