import { json, type Answer } from './answer.ts';
import { overloaded } from './classify.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Lanes } from './lane.ts';

/**
 * POST /api/v1/explain: what the request path would do with a chat request now, without sending it. A request that would be refused is a 200
 * too: the question was answered. The explanation names the system prompt, so that the route is a management route.
 */
export async function explainRequest(
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<Answer> {
  const bytes = Buffer.from(JSON.stringify(body));
  const explained = await lanes.interactive.run(() => dependencies.explain(bytes, signal), signal);
  return explained === null ? overloaded() : json(explained);
}
