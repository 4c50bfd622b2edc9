/** Which targets of a plan are tried, and which of them a prompt may go to that is too long for the first. */
import type { Registry } from '../config/registry.ts';
import type { Plan, Target } from '../decision/decision.ts';

/**
 * The plan cut to `maxAttempts` targets (at least 1). Where the plan has other models, one of the places is theirs: what is wrong with a model is
 * often wrong with all of its replicas. Only a plan of fewer than three attempts keeps to the first model's replicas. A cascade has one replica of the
 * first model, then the other models.
 */
export function limitAttempts(plan: Plan, maxAttempts: number): Plan {
  const groups = groupByModel(plan.targets);
  if (plan.cascade !== undefined) return cut(plan, inCascade(groups), maxAttempts);
  const [own = [], ...others] = groups;
  const kept = others.length > 0 && maxAttempts >= 3 ? own.slice(0, maxAttempts - 1) : own;
  return cut(plan, [...kept, ...inTurns(others)], maxAttempts);
}

/** Envoy goes down the list, whatever the reason: behind an answer that did not pass must stand another model, not another replica. */
function inCascade([own = [], ...others]: readonly (readonly Target[])[]): readonly Target[] {
  return [...own.slice(0, 1), ...inTurns(others), ...own.slice(1)];
}

function cut(plan: Plan, targets: readonly Target[], maxAttempts: number): Plan {
  const [first, ...rest] = targets.slice(0, Math.max(1, maxAttempts));
  return first === undefined ? plan : { ...plan, targets: [first, ...rest] };
}

/**
 * The later targets whose model is known to have a larger context window than the first one's, in the plan's order. A window that is not known
 * counts as no larger; a first model without a known window has just said that it is too small.
 */
export function largerWindows(plan: Plan, registry: Registry): readonly Target[] {
  const windowOf = ({ model }: Target) => registry.models.get(model)?.config.context_window;
  const [first, ...rest] = plan.targets;
  const own = windowOf(first) ?? 0;
  return rest.filter((target) => target.model !== first.model && (windowOf(target) ?? 0) > own);
}

/** Targets of each model, models in the plan's order. */
export function groupByModel(targets: readonly Target[]): readonly (readonly Target[])[] {
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const group = groups.get(target.model);
    if (group === undefined) groups.set(target.model, [target]);
    else group.push(target);
  }
  return [...groups.values()];
}

/** The first of each group, then the second of each, and so on. */
function inTurns(groups: readonly (readonly Target[])[]): readonly Target[] {
  const longest = Math.max(0, ...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, round) => groups.flatMap((group) => group.slice(round, round + 1))).flat();
}
