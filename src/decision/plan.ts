import type { ModelEntry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import type { Plan, ReasoningEdit, Target } from './decision.ts';

/** A uniform number in [0, 1). */
export type Random = () => number;

/** One model of the plan and what its targets carry. */
export interface PlannedModel {
  readonly model: ModelEntry;
  /** Its endpoints that may take this request; weights are positive. */
  readonly endpoints: readonly EndpointConfig[];
  readonly reasoning: ReasoningEdit;
}

export interface PlanInput {
  /** The chosen model first, then the models that may stand in for it. */
  readonly models: readonly PlannedModel[];
  /** `ip:port` of every endpoint by name. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly random: Random;
  readonly untouched: boolean;
  /** Names of endpoints (any case) that come first, in this order, before the draw by weight. */
  readonly first?: readonly string[];
  /** False: only the first target. */
  readonly retry?: boolean;
}

/** Replicas worth listing: whoever puts them in order by load cuts the list to the attempts that there may be. */
const MAX_TARGETS = 64;

/**
 * Lays the targets out: entry n serves attempt n. Each model's endpoints come in an order drawn by weight (the first is picked with
 * probability weight / sum of weights, the next from the rest), one address of each; further addresses of an endpoint follow behind
 * all of its model's endpoints. Null when no model has an address. At most 64 targets.
 */
export function planTargets(input: PlanInput): Plan | null {
  const targets: Target[] = [];
  for (const planned of input.models) {
    const spare: Target[] = [];
    for (const endpoint of ordered(planned.endpoints, input)) {
      const [first, ...others] = rotate(input.addresses.get(endpoint.name) ?? [], input.random);
      if (first === undefined) continue;
      targets.push(target(planned, endpoint, first));
      spare.push(...others.map((address) => target(planned, endpoint, address)));
    }
    targets.push(...spare);
  }
  const [first, ...rest] = targets.slice(0, input.retry === false ? 1 : MAX_TARGETS);
  return first === undefined ? null : { targets: [first, ...rest], untouched: input.untouched };
}

/** What to write for a model's reasoning family; `none` when it has no family. */
export function reasoningEdit(model: ModelEntry, enabled: boolean, effort: string): ReasoningEdit {
  const family = model.reasoningFamily;
  if (family === null) return { kind: 'none' };
  switch (family.type) {
    case 'chat_template_kwargs':
      return { kind: 'chat_template_kwargs', parameter: family.parameter, enabled };
    case 'reasoning_effort':
    case 'top_level_reasoning_effort':
      return { kind: 'reasoning_effort', enabled, effort };
  }
}

function target(planned: PlannedModel, endpoint: EndpointConfig, address: string): Target {
  return {
    model: planned.model.name,
    servedModel: planned.model.servedName,
    endpoint: endpoint.name,
    address,
    reasoning: planned.reasoning,
  };
}

function ordered(endpoints: readonly EndpointConfig[], { first = [], random }: PlanInput): EndpointConfig[] {
  const named = first.flatMap((name) => endpoints.filter((one) => one.name.toLowerCase() === name.toLowerCase()));
  const fixed = [...new Set(named)];
  return [
    ...fixed,
    ...drawByWeight(
      endpoints.filter((endpoint) => !fixed.includes(endpoint)),
      random,
    ),
  ];
}

/** A random order in which each next element is drawn with probability proportional to its weight among those left. */
function drawByWeight(endpoints: readonly EndpointConfig[], random: Random): EndpointConfig[] {
  const left = [...endpoints];
  const order: EndpointConfig[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, endpoint) => sum + endpoint.weight, 0);
    let point = left.length > 1 ? random() * total : 0;
    let index = 0;
    for (; index < left.length - 1; index += 1) {
      point -= left[index]?.weight ?? 0;
      if (point < 0) break;
    }
    order.push(...left.splice(index, 1));
  }
  return order;
}

function rotate(addresses: readonly string[], random: Random): readonly string[] {
  if (addresses.length < 2) return addresses;
  const start = Math.min(addresses.length - 1, Math.floor(random() * addresses.length));
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}
