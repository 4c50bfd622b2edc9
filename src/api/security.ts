import { elapsedMs, json, type Answer } from './answer.ts';
import type { SecurityBody } from './bodies.ts';
import { judgeText } from './classify.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Lanes } from './lane.ts';

/**
 * POST /api/v1/classify/security: how likely a text is an attempt to talk a model out of its instructions, as the request path would see it,
 * and what the configured guard makes of it. A model without such an output has no score, and says so: nothing is flagged then.
 */
export async function classifySecurity(
  body: SecurityBody,
  signal: AbortSignal,
  { dependencies, lanes }: { readonly dependencies: ApiDependencies; readonly lanes: Lanes },
): Promise<Answer> {
  const { clock } = dependencies;
  const start = clock();
  const judged = await judgeText(body.text, signal, { dependencies, lanes });
  if (judged.kind === 'refused') return judged.answer;
  const { threshold, action } = dependencies.registry().config.guards.jailbreak;
  const score = judged.encoding.jailbreak;
  return json({
    jailbreak: {
      score,
      threshold,
      flagged: score !== null && score >= threshold,
      available: score !== null,
      action,
    },
    processing_time_ms: elapsedMs(clock, start),
  });
}
