import type { RuleConfig } from '../config/schema-policy.ts';
import type { Knobs } from './knobs.ts';
import { round } from './limits.ts';
import { hasLimits, type Objective } from './objective.ts';
import type { Ranked, Ranking } from './rank.ts';
import { splitModel } from './rules/split.ts';

export interface ChoiceInput {
  readonly ranking: Ranking;
  readonly objective: Objective;
  readonly rule: RuleConfig | null;
  readonly knobs: Knobs;
  /** The model that the jailbreak guard sends the request to; null when it doesn't. */
  readonly guardModel: string | null;
  /** What a split sticks to; null when there is nothing. */
  readonly stickyKey: string | null;
  readonly random: () => number;
  /** The model that the conversation was answered by so far; null for none. */
  readonly heldModel?: string | null;
  /** The category that was found; null below the threshold. */
  readonly categoryName: string | null;
  /** The category has model_scores. */
  readonly categoryIsListed: boolean;
}

export interface Choice {
  readonly chosen: Ranked;
  /** The other admissible models that may stand in, best first. */
  readonly rest: readonly Ranked[];
  readonly because: string;
  readonly notes: readonly string[];
}

/**
 * Picks among the ranked, admissible models. In this order: the guard's model, the rule's model or split, the caller's order, the
 * conversation's model, then the objective (among the rule's models, if one of them is admissible). Null when none is admissible or the guard's or a strict rule's isn't.
 */
export function choose(input: ChoiceInput): Choice | null {
  const { ranking, rule, guardModel } = input;
  const pool = ranking.order;
  const find = (name: string) => pool.find((one) => one.model.name === name) ?? null;
  if (guardModel !== null) {
    // Nobody else is set aside for such requests, so nobody stands in.
    return result([], find(guardModel), 'the jailbreak guard sends suspicious requests there', []);
  }
  const notes: string[] = [];
  if (rule !== null) {
    const named = namedByRule(rule);
    const preferred = pool.filter((one) => named.includes(one.model.name));
    const others = rule.then.strict ? [] : pool.filter((one) => !preferred.includes(one));
    const ruled = byRule(rule, input, find);
    if (ruled !== null) return result([...preferred, ...others], ruled.chosen, ruled.because, notes);
    if (named.length > 0 && preferred.length === 0) {
      if (rule.then.strict) return null;
      notes.push(`rule ${rule.name} names ${named.join(', ')}, none of which is admissible`);
    } else if (rule.then.models !== undefined && preferred.length > 0) {
      return byOrder(input, [...preferred, ...others], preferred.length, notes);
    }
  }
  return byOrder(input, pool, pool.length, notes);
}

/** Models that a rule names for its requests. */
export function namedByRule({ then }: RuleConfig): readonly string[] {
  return [
    ...(then.model === undefined ? [] : [then.model]),
    ...Object.entries(then.split?.weights ?? {}).flatMap(([model, weight]) => (weight > 0 ? [model] : [])),
    ...(then.models ?? []),
  ];
}

function byRule(
  rule: RuleConfig,
  input: ChoiceInput,
  find: (name: string) => Ranked | null,
): { readonly chosen: Ranked; readonly because: string } | null {
  const { model, split } = rule.then;
  if (split !== undefined) {
    const drawn = splitModel(split, rule.name, input.stickyKey, (name) => find(name) !== null, input.random);
    const chosen = drawn === null ? null : find(drawn);
    if (chosen !== null) return { chosen, because: `rule ${rule.name} gives it this share of the requests` };
  }
  const chosen = model === undefined ? null : find(model);
  return chosen === null ? null : { chosen, because: `rule ${rule.name} names it` };
}

/** The caller's order if there is one, else the objective's. The first `preferred` of the pool come before the others. */
function byOrder(
  input: ChoiceInput,
  pool: readonly Ranked[],
  preferred: number,
  notes: readonly string[],
): Choice | null {
  const { knobs } = input;
  if (knobs.modelsInOrder && knobs.models !== null) {
    const place = (one: Ranked) => knobs.models?.indexOf(one.model.name) ?? 0;
    const sorted = pool.slice(0, preferred).sort((a, b) => place(a) - place(b));
    const [first] = sorted;
    return result(
      [...sorted, ...pool.slice(preferred)],
      first ?? null,
      'it comes first in the models that the request lists',
      notes,
    );
  }
  const held = pool
    .slice(0, preferred)
    .find(({ model, broken }) => model.name === input.heldModel && broken.length === 0);
  if (held !== undefined && held !== pool[0]) {
    return result(pool, held, 'the conversation was begun with it, and its endpoint has read it so far', notes);
  }
  const [first, second] = pool;
  return first === undefined ? null : result(pool, first, reasonOf(first, second, input), notes);
}

function result(
  pool: readonly Ranked[],
  chosen: Ranked | null,
  because: string,
  notes: readonly string[],
): Choice | null {
  return chosen === null ? null : { chosen, rest: pool.filter((one) => one !== chosen), because, notes };
}

function reasonOf(first: Ranked, second: Ranked | undefined, input: ChoiceInput): string {
  const { ranking, objective, categoryName } = input;
  const { relaxed } = ranking;
  if (second === undefined) return 'it is the only admissible model';
  if (relaxed.length > 0) return `no model keeps ${relaxed.join(' and ')}; it comes nearest`;
  const { estimates } = first;
  const among = hasLimits(objective.view.limits) ? ' of those that keep the limits' : '';
  switch (objective.view.kind) {
    case 'category':
      if (first.entry !== null) return `its score of ${first.entry.score} for ${categoryName ?? ''} is the best`;
      if (!first.isDefault)
        return 'the default model is not admissible and its expected quality is the best of the rest';
      if (categoryName === null) return 'no category is certain enough, so it is the default model';
      return input.categoryIsListed
        ? `no model of ${categoryName} is admissible, so it is the default model`
        : `no model is listed for ${categoryName}, so it is the default model`;
    case 'quality':
      return `its expected quality of ${round(estimates.quality.value)} is the highest${among}`;
    case 'cost':
      return estimates.costUsd.value === null
        ? 'no price is known; its expected quality is the highest'
        : `its expected cost of ${round(estimates.costUsd.value)} USD is the lowest that is known${among}`;
    case 'latency':
      return estimates.latencyMs.value === null
        ? 'no latency is known; its expected quality is the highest'
        : `its expected latency of ${round(estimates.latencyMs.value)} ms is the lowest that is known${among}`;
    case 'balanced':
      return `its balanced score of ${round(first.score ?? 0)} is the highest`;
  }
}
