import type { ApiError } from '../errors.ts';
import type { RawRoutingFields } from '../openai/request.ts';
import type { Limits, ObjectiveKind } from './decision.ts';
import { invalidKnob } from './refusals.ts';

/** Header that names the objective of one request. */
export const OBJECTIVE_HEADER = 'x-routing-objective';

/** What a caller asks of the routing of one request. It can only take away: models, endpoints, room for cost and time. */
export interface Knobs {
  readonly objective: { readonly kind: ObjectiveKind; readonly source: string } | null;
  readonly limits: Limits;
  /** Only these models, when not null. */
  readonly models: readonly string[] | null;
  /** Try the models in the order of `models` (OpenRouter's meaning) in place of an objective. */
  readonly modelsInOrder: boolean;
  readonly deny: readonly string[];
  /** Only endpoints of these regions, when not null. */
  readonly regions: readonly string[] | null;
  readonly trace: boolean;
  readonly provider: ProviderKnobs;
  /** Members of the body that were understood as ours. */
  readonly fields: readonly string[];
  readonly notes: readonly string[];
}

/** OpenRouter's `provider` object. A provider is an endpoint here, by its configured name in any case. Prices in US dollars per million tokens. */
export interface ProviderKnobs {
  readonly order: readonly string[];
  readonly only: readonly string[] | null;
  readonly ignore: readonly string[];
  readonly maxPromptPrice: number | null;
  readonly maxCompletionPrice: number | null;
  readonly denyDataCollection: boolean;
  readonly allowFallbacks: boolean;
}

export type KnobsOutcome =
  { readonly kind: 'knobs'; readonly knobs: Knobs } | { readonly kind: 'invalid'; readonly error: ApiError };

const OBJECTIVES: Readonly<Record<string, ObjectiveKind>> = {
  category: 'category',
  quality: 'quality',
  cost: 'cost',
  latency: 'latency',
  fast: 'latency',
  balanced: 'balanced',
};

/** OpenRouter's words for what to sort providers by. */
const SORTS: Readonly<Record<string, ObjectiveKind>> = { price: 'cost', latency: 'latency', throughput: 'latency' };

const ROUTING_KEYS = [
  'objective',
  'quality_floor',
  'max_cost_usd',
  'max_latency_ms',
  'models',
  'deny',
  'region',
  'trace',
] as const;

const PROVIDER_KEYS = ['order', 'only', 'ignore', 'sort', 'max_price', 'data_collection', 'allow_fallbacks', 'zdr'];

/** Items that one list of names may have. */
const MAX_NAMES = 64;
const MAX_NAME_LENGTH = 256;

/** An objective by the name that a caller gives it; null for an unknown name. */
export function objectiveNamed(name: string): ObjectiveKind | null {
  return Object.hasOwn(OBJECTIVES, name) ? (OBJECTIVES[name] ?? null) : null;
}

/**
 * Reads the `routing`, `provider` and `models` members and the objective header. What is of ours (`routing`, the header) must be right to
 * the last key: a limit that is misspelt must not be ignored. Of `provider`, keys that mean nothing here are passed over with a note.
 */
export function readKnobs(fields: RawRoutingFields, headers: ReadonlyMap<string, string>): KnobsOutcome {
  const problems: ApiError[] = [];
  const read = reader(problems);
  const routing = read.object(fields.routing, 'routing', ROUTING_KEYS);
  const provider = read.object(fields.provider, 'provider', null);
  const price = read.object(provider['max_price'], 'provider.max_price', null);
  const routingModels = read.names(routing['models'], 'routing.models');
  const listed = read.names(fields.models, 'models');
  const knobs: Knobs = {
    objective: read.objective(routing['objective'], provider['sort'], headers.get(OBJECTIVE_HEADER)),
    limits: {
      qualityFloor: read.number(routing['quality_floor'], 'routing.quality_floor', 1),
      maxCostUsd: read.number(routing['max_cost_usd'], 'routing.max_cost_usd'),
      maxLatencyMs: read.number(routing['max_latency_ms'], 'routing.max_latency_ms'),
      maxTtftMs: null,
    },
    models: routingModels === null ? listed : narrowed(listed, routingModels),
    modelsInOrder: listed !== null,
    deny: read.names(routing['deny'], 'routing.deny') ?? [],
    regions: read.names(routing['region'], 'routing.region'),
    trace: read.boolean(routing['trace'], 'routing.trace') ?? false,
    provider: {
      order: read.names(provider['order'], 'provider.order') ?? [],
      only: read.names(provider['only'], 'provider.only'),
      ignore: read.names(provider['ignore'], 'provider.ignore') ?? [],
      maxPromptPrice: read.price(price['prompt'], 'provider.max_price.prompt'),
      maxCompletionPrice: read.price(price['completion'], 'provider.max_price.completion'),
      denyDataCollection: read.dataCollection(provider['data_collection'], provider['zdr']),
      allowFallbacks: read.boolean(provider['allow_fallbacks'], 'provider.allow_fallbacks') ?? true,
    },
    fields: Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field])),
    notes: Object.keys(provider)
      .filter((key) => !PROVIDER_KEYS.includes(key))
      .map((key) => `provider.${key.slice(0, 40)} has no meaning here and was passed over`),
  };
  const [problem] = problems;
  return problem === undefined ? { kind: 'knobs', knobs } : { kind: 'invalid', error: problem };
}

function narrowed(listed: readonly string[] | null, by: readonly string[]): readonly string[] {
  return listed === null ? by : listed.filter((model) => by.includes(model));
}

/** Functions that read one value each: null when it is absent, a problem collected when it is wrong. */
function reader(problems: ApiError[]) {
  const wrong = (param: string, allowed: string): null => {
    problems.push(invalidKnob(param, allowed));
    return null;
  };
  const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;
  const boundedNumber = (value: unknown, param: string, max = Number.MAX_VALUE): number | null => {
    if (isAbsent(value)) return null;
    const isGood = typeof value === 'number' && value >= 0 && value <= max;
    return isGood ? value : wrong(param, max === 1 ? 'a number from 0 to 1' : 'a number that is not negative');
  };
  return {
    object(value: unknown, param: string, keys: readonly string[] | null): Readonly<Record<string, unknown>> {
      if (isAbsent(value)) return {};
      if (typeof value !== 'object' || Array.isArray(value)) {
        wrong(param, 'an object');
        return {};
      }
      const unknown = keys === null ? undefined : Object.keys(value).find((key) => !keys.includes(key));
      if (unknown !== undefined) wrong(`${param}.${unknown.slice(0, 40)}`, `one of ${keys?.join(', ') ?? ''}`);
      return value as Readonly<Record<string, unknown>>;
    },
    number: boundedNumber,
    /** OpenRouter writes prices as numbers or as texts. */
    price: (value: unknown, param: string) =>
      boundedNumber(typeof value === 'string' && value.trim() !== '' ? Number(value) : value, param),
    boolean(value: unknown, param: string): boolean | null {
      if (isAbsent(value)) return null;
      return typeof value === 'boolean' ? value : wrong(param, 'true or false');
    },
    /** One name or a list of them. */
    names(value: unknown, param: string): readonly string[] | null {
      if (isAbsent(value)) return null;
      const list: unknown[] = Array.isArray(value) ? value : [value];
      const isName = (item: unknown) => typeof item === 'string' && item !== '' && item.length <= MAX_NAME_LENGTH;
      if (list.length > MAX_NAMES || !list.every(isName)) return wrong(param, `a list of at most ${MAX_NAMES} names`);
      return list as string[];
    },
    dataCollection(value: unknown, noRetention: unknown): boolean {
      if (!isAbsent(value) && value !== 'allow' && value !== 'deny') {
        wrong('provider.data_collection', 'allow or deny');
      }
      return value === 'deny' || noRetention === true;
    },
    /** The body's own word counts before OpenRouter's, and that before the header. */
    objective(value: unknown, sort: unknown, header: string | undefined): Knobs['objective'] {
      const known = Object.keys(OBJECTIVES).join(', ');
      if (!isAbsent(value)) {
        const kind = typeof value === 'string' ? objectiveNamed(value) : null;
        return kind === null ? wrong('routing.objective', `one of ${known}`) : { kind, source: 'routing.objective' };
      }
      if (!isAbsent(sort)) {
        const by: unknown = typeof sort === 'object' && 'by' in sort ? sort.by : sort;
        const kind = typeof by === 'string' && Object.hasOwn(SORTS, by) ? SORTS[by] : undefined;
        if (kind === undefined) return wrong('provider.sort', `one of ${Object.keys(SORTS).join(', ')}`);
        return { kind, source: 'provider.sort' };
      }
      if (header === undefined) return null;
      const kind = objectiveNamed(header.trim().toLowerCase());
      return kind === null ? wrong(OBJECTIVE_HEADER, `one of ${known}`) : { kind, source: 'header' };
    },
  };
}

/** What a request without knobs asks for: nothing. */
export const NO_LIMITS: Limits = { qualityFloor: null, maxCostUsd: null, maxLatencyMs: null, maxTtftMs: null };
export const NO_KNOBS: Knobs = {
  objective: null,
  limits: NO_LIMITS,
  models: null,
  modelsInOrder: false,
  deny: [],
  regions: null,
  trace: false,
  provider: {
    order: [],
    only: null,
    ignore: [],
    maxPromptPrice: null,
    maxCompletionPrice: null,
    denyDataCollection: false,
    allowFallbacks: true,
  },
  fields: [],
  notes: [],
};
