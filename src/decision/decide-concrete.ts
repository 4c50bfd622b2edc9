import type { ModelEntry } from '../config/registry.ts';
import { upstreamUnavailable } from '../openai/reply.ts';
import { type Asked, candidateOf, decisionBase } from './asked.ts';
import { NO_CATEGORY } from './category.ts';
import type { DecisionOutcome } from './decision.ts';
import { judge } from './judge.ts';
import { planTargets } from './plan.ts';
import { block, type BlockContext, refuse } from './refuse.ts';
import * as refusals from './refusals.ts';

const UNREAD_KNOBS = 'the routing fields could not be understood and went on with the body';

/** Policy and guards bind a named model too; what it can do is for its endpoint to judge. Prices and model lists of the caller are not asked. */
export function decideConcrete(asked: Asked, model: ModelEntry, context: BlockContext): DecisionOutcome {
  const { input, guards, knobs, policy } = asked;
  const { registry, request } = input;
  const provider = { ...knobs.provider, maxPromptPrice: null, maxCompletionPrice: null };
  const judged = judge(model, {
    registry,
    policy,
    piiKinds: guards.piiKinds,
    fitness: null,
    knobs: { ...knobs, models: null, deny: [], provider },
    endpoints: input.endpoints,
  });
  const candidate = candidateOf(judged);
  if (guards.jailbreak.kind === 'route' && guards.jailbreak.model !== model.name) {
    return block('security_block', refusals.jailbreakBlocked(), context, [candidate]);
  }
  const forbidden = judged.rejections.find(({ stage }) => stage === 'policy');
  if (forbidden !== undefined) {
    return forbidden.reason.startsWith('pii_')
      ? block('security_block', refusals.piiNotAllowed(guards.piiKinds ?? []), context, [candidate])
      : block('routing_block', refusals.modelNotAllowed(model.name, forbidden.detail), context, [candidate]);
  }
  if (judged.rejections.some(({ stage }) => stage === 'caller')) {
    return refuse(refusals.nothingLeftByCaller(), [candidate]);
  }
  const plan = planTargets({
    models: [{ model, endpoints: judged.endpoints, reasoning: { kind: 'none' } }],
    addresses: input.endpoints.addresses,
    random: input.random,
    // An endpoint that knows the model by another name needs that name in the body, and the router's members go no further.
    untouched: model.servedName === model.name && knobs.fields.length === 0,
    first: knobs.provider.order,
    retry: knobs.provider.allowFallbacks,
  });
  if (plan === null) return refuse(upstreamUnavailable(model.name), [candidate]);
  return {
    kind: 'decided',
    plan,
    decision: {
      ...decisionBase(asked, null),
      decision: 'model_specified',
      reasonCode: 'model_specified',
      selectedModel: model.name,
      category: NO_CATEGORY,
      reasoning: null,
      reasoningEffort: null,
      systemPrompt: null,
      candidates: [candidate],
      degraded: null,
      classifierTier: null,
      objective: null,
      signals: null,
      fallbacks: [],
      because: `${request.model} was asked for by name`,
      notes: [...guards.notes, ...knobs.notes, ...(asked.knobsAreUnread ? [UNREAD_KNOBS] : [])],
    },
  };
}
