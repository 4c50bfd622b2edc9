import type { ModelEntry, Registry } from '../config/registry.ts';
import type { EndpointConfig } from '../config/schema.ts';
import { type Fitness, judgeFitness, type Need, type RequestSize } from './capabilities.ts';
import type { Rejection } from './decision.ts';
import { usdPerUnit } from './estimate.ts';
import type { Knobs } from './knobs.ts';
import { forbiddenKinds, isInRegion, matchesRegion, type Policy, policyRejections } from './policy.ts';
import { type EndpointState, type NotServed, usableEndpoints, whyNotServed } from './served.ts';

/** One model against one request: what keeps it out, and where it could be sent. */
export interface Judged {
  readonly model: ModelEntry;
  readonly rejections: readonly Rejection[];
  readonly notes: readonly string[];
  /** Endpoints that policy, caller and health leave it; empty when it may not serve. */
  readonly endpoints: readonly EndpointConfig[];
}

export interface JudgeInput {
  readonly registry: Registry;
  readonly policy: Policy;
  /** Kinds of personal data that count; null when nobody looked. */
  readonly piiKinds: readonly string[] | null;
  /** Null for a concrete model: its endpoint judges itself. */
  readonly fitness: { readonly needs: readonly Need[]; readonly size: RequestSize } | null;
  readonly knobs: Knobs;
  readonly endpoints: EndpointState;
}

const NOT_SERVED: Readonly<Record<NotServed, string>> = {
  no_endpoint: 'no endpoint serves it',
  drained: 'all of its endpoints have weight 0',
  unresolved: 'none of its endpoints has a resolved address',
  unhealthy: 'all of its endpoints are unhealthy',
};

const NONE: readonly Rejection[] = [];
const ANY_FIT: Fitness = { rejections: NONE, notes: [] };

/** Runs every filter, so that the explanation has all reasons; the stages come in the order policy, capability, caller, health. */
export function judge(model: ModelEntry, input: JudgeInput): Judged {
  const { registry, policy, fitness } = input;
  const fit =
    fitness === null ? ANY_FIT : judgeFitness(model, fitness.needs, fitness.size, registry.config.unknown_capability);
  const inRegion = model.endpoints.filter((endpoint) => isInRegion(endpoint, policy));
  const wanted = inRegion.filter((endpoint) => isWanted(endpoint, input));
  const isFull = input.endpoints.fullModels?.has(model.name) === true;
  const usable = isFull ? [] : usableEndpoints(wanted, input.endpoints);
  const rejections = [
    ...policyRejections(model, policy),
    ...piiRejections(model, input),
    ...fit.rejections,
    ...callerRejections(model, input, inRegion.length > 0 && wanted.length === 0),
    ...(usable.length > 0 ? NONE : healthRejections(model, wanted, input.endpoints)),
  ];
  return { model, rejections, notes: fit.notes, endpoints: rejections.length === 0 ? usable : [] };
}

function piiRejections(model: ModelEntry, { registry, piiKinds }: JudgeInput): readonly Rejection[] {
  if (registry.config.guards.pii.action !== 'block') return NONE;
  if (piiKinds === null) {
    const detail = 'its pii_policy restricts what it may receive and nobody looked for personal data';
    return forbiddenKinds(model, ['ANY']).length === 0 ? [] : [{ stage: 'policy', reason: 'pii_unknown', detail }];
  }
  const forbidden = forbiddenKinds(model, piiKinds);
  if (forbidden.length === 0) return NONE;
  return [{ stage: 'policy', reason: 'pii_not_allowed', detail: `it may not receive ${forbidden.join(', ')}` }];
}

function callerRejections(model: ModelEntry, input: JudgeInput, noEndpointWanted: boolean): readonly Rejection[] {
  const { knobs } = input;
  const rejections: Rejection[] = [];
  const reject = (reason: string, detail: string) => rejections.push({ stage: 'caller', reason, detail });
  if (knobs.models?.includes(model.name) === false) reject('not_in_models', 'the request does not list it');
  if (knobs.deny.includes(model.name)) reject('denied_by_request', 'the request denies it');
  if (noEndpointWanted) reject('no_endpoint_wanted', 'the request rules out all of its endpoints');
  rejections.push(...priceRejections(model, input));
  return rejections;
}

function priceRejections(model: ModelEntry, { knobs, registry }: JudgeInput): readonly Rejection[] {
  if (knobs.provider.maxPromptPrice === null && knobs.provider.maxCompletionPrice === null) return NONE;
  const { pricing } = model.config;
  const rate = usdPerUnit(pricing?.currency ?? 'USD', registry.config.estimates);
  const check = (what: string, most: number | null, price: number | undefined): readonly Rejection[] => {
    if (most === null) return [];
    if (price === undefined || rate === null) {
      return [{ stage: 'caller', reason: 'price_unknown', detail: `its price for the ${what} is not known in USD` }];
    }
    if (price * rate <= most) return [];
    return [{ stage: 'caller', reason: 'over_price', detail: `its price for the ${what} is over ${most}` }];
  };
  return [
    ...check('prompt', knobs.provider.maxPromptPrice, pricing?.prompt_per_1m),
    ...check('completion', knobs.provider.maxCompletionPrice, pricing?.completion_per_1m),
  ];
}

/** What the caller says of endpoints: OpenRouter's providers, regions, and whether prompts may be kept. */
function isWanted(endpoint: EndpointConfig, { knobs, registry }: JudgeInput): boolean {
  const name = endpoint.name.toLowerCase();
  const { only, ignore, denyDataCollection } = knobs.provider;
  if (!matchesRegion(endpoint, knobs.regions)) return false;
  if (only !== null && !only.some((wanted) => wanted.toLowerCase() === name)) return false;
  if (ignore.some((unwanted) => unwanted.toLowerCase() === name)) return false;
  const collecting = registry.config.policy.data_collecting_endpoints;
  return !denyDataCollection || collecting?.includes(endpoint.name) === false;
}

/** Health of the endpoints that are left; of all, where an earlier stage left none. */
function healthRejections(
  model: ModelEntry,
  wanted: readonly EndpointConfig[],
  state: EndpointState,
): readonly Rejection[] {
  if (state.fullModels?.has(model.name) === true) {
    return [{ stage: 'health', reason: 'full', detail: 'it has as many requests under way as it may' }];
  }
  const cause = whyNotServed(wanted.length > 0 ? wanted : model.endpoints, state);
  return cause === null ? [] : [{ stage: 'health', reason: cause, detail: NOT_SERVED[cause] }];
}
