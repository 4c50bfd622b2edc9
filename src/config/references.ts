import type { ConfigPath, Finding } from './problem.ts';
import { BUILT_IN_FAMILIES, FIXED_ALIASES } from './registry.ts';
import { isMapping, select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';

/**
 * A check across the file, on the values before the schema reads them: so a typing error in one place hides no dangling name in another.
 * Wrong shapes are passed over, the schema reports those.
 */
export type Check = (raw: unknown) => readonly Finding[];

/** Where names stand that must be known. A new key that names a model or an endpoint gets a row here. */
const MODEL_REFERENCES = ['default_model', 'categories[].model_scores[].model', 'model_config{}.fallbacks[]'];
const ENDPOINT_REFERENCES = ['model_config{}.preferred_endpoints[]'];
const FAMILY_REFERENCES = ['model_config{}.reasoning_family'];

/** Every model that is configured or served. */
export function knownModels(raw: unknown): ReadonlySet<string> {
  const configured = select(raw, 'model_config{}').map(({ path }) => String(path[1]));
  return new Set([...configured, ...selectText(raw, 'vllm_endpoints[].models[]').map(({ value }) => value)]);
}

/** A finding for each name under the patterns that is not known. */
export function dangling(
  raw: unknown,
  patterns: readonly string[],
  known: ReadonlySet<string>,
  describe: (name: string) => Omit<Finding, 'path'>,
): readonly Finding[] {
  return patterns
    .flatMap((pattern) => selectText(raw, pattern))
    .filter(({ value }) => value !== '' && !known.has(value))
    .map(({ path, value }) => ({ path, ...describe(value) }));
}

/** Findings for models that nothing serves or configures; the patterns say where model names stand. */
export function danglingModels(raw: unknown, patterns: readonly string[]): readonly Finding[] {
  const known = knownModels(raw);
  return dangling(raw, patterns, known, (name) => ({
    code: 'CONFIG_UNKNOWN_MODEL',
    message: `${JSON.stringify(name)} is not a configured model`,
    allowed: listNames('a model of model_config or of an endpoint', known),
    fix: suggestion(name, known, 'correct the name or configure the model'),
  }));
}

const modelReferences: Check = (raw) => danglingModels(raw, MODEL_REFERENCES);

const endpointReferences: Check = (raw) => {
  const known = new Set(selectText(raw, 'vllm_endpoints[].name').map(({ value }) => value));
  return dangling(raw, ENDPOINT_REFERENCES, known, (name) => ({
    code: 'CONFIG_UNKNOWN_ENDPOINT',
    message: `${JSON.stringify(name)} is not in vllm_endpoints`,
    allowed: listNames('the name of an endpoint', known),
    fix: suggestion(name, known, 'correct the name or add the endpoint'),
  }));
};

const familyReferences: Check = (raw) => {
  const own = select(raw, 'reasoning_families{}').map(({ path }) => String(path[1]));
  const known = new Set([...Object.keys(BUILT_IN_FAMILIES), ...own]);
  return dangling(raw, FAMILY_REFERENCES, known, (name) => ({
    code: 'CONFIG_UNKNOWN_FAMILY',
    message: `${JSON.stringify(name)} is not a reasoning family`,
    allowed: listNames('a family', known),
    fix: suggestion(name, known, 'define it under reasoning_families'),
  }));
};

const namesStandOnce: Check = (raw) => [
  ...repeated(selectText(raw, 'vllm_endpoints[].name'), (name) => name, 'endpoint'),
  ...repeated(selectText(raw, 'categories[].name'), (name) => name.toLowerCase(), 'category'),
];

function repeated(
  names: readonly { readonly path: ConfigPath; readonly value: string }[],
  fold: (name: string) => string,
  what: string,
): readonly Finding[] {
  const seen = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { path, value } of names) {
    const first = seen.get(fold(value));
    if (first === undefined) seen.set(fold(value), value);
    else {
      findings.push({
        code: 'CONFIG_DUPLICATE_NAME',
        path,
        message: `there is already ${what === 'endpoint' ? 'an endpoint' : 'a category'} named ${JSON.stringify(first)}`,
        allowed:
          what === 'endpoint'
            ? 'a name that no other endpoint has'
            : 'a name that no other category has, in any case of letters',
        fix: 'rename one or merge the two',
      });
    }
  }
  return findings;
}

/** Models that an endpoint serves, by its position: listed by itself or preferring it. */
function servedAt(raw: unknown, index: number): readonly string[] {
  const name = selectText(raw, 'vllm_endpoints[].name').find(({ path }) => path[1] === index)?.value;
  const listed = selectText(raw, 'vllm_endpoints[].models[]').filter(({ path }) => path[1] === index);
  const preferring = selectText(raw, 'model_config{}.preferred_endpoints[]').filter(({ value }) => value === name);
  return [...listed.map(({ value }) => value), ...preferring.map(({ path }) => String(path[1]))];
}

const everyEndpointServes: Check = (raw) =>
  select(raw, 'vllm_endpoints[]')
    .filter(({ path, value }) => isMapping(value) && servedAt(raw, Number(path[1])).length === 0)
    .map(({ path }) => ({
      code: 'CONFIG_ENDPOINT_WITHOUT_MODELS',
      path,
      message: 'this endpoint serves no model',
      allowed: 'at least one model in models, or a model whose preferred_endpoints names it',
      fix: 'list its models, or remove it',
    }));

const everyModelIsServed: Check = (raw) => {
  // Until the endpoints can be read at all, every model would look orphaned.
  if (select(raw, 'vllm_endpoints[]').length === 0) return [];
  const listed = new Set(selectText(raw, 'vllm_endpoints[].models[]').map(({ value }) => value));
  return select(raw, 'model_config{}')
    .filter(({ path, value }) => {
      const preferred = isMapping(value) ? value['preferred_endpoints'] : undefined;
      if (Array.isArray(preferred)) return preferred.length === 0;
      return preferred === undefined && !listed.has(String(path[1]));
    })
    .map(({ path }) => ({
      code: 'CONFIG_MODEL_WITHOUT_ENDPOINT',
      path,
      at: 'key',
      message: `no endpoint serves ${JSON.stringify(path[1])}`,
      allowed: "a model of an endpoint's models, or one with preferred_endpoints",
      fix: suggestion(
        String(path[1]),
        [...listed].filter(
          (name) =>
            !isMapping(select(raw, 'model_config')[0]?.value) ||
            !Object.hasOwn(select(raw, 'model_config')[0]?.value as object, name),
        ),
        'add it to an endpoint',
      ),
    }));
};

const TRANSPORT_KEYS = ['tls', 'api_key_env', 'region', 'health_check_path'];

const addressesAgree: Check = (raw) => {
  const seen = new Map<string, { readonly name: unknown; readonly settings: string }>();
  const findings: Finding[] = [];
  for (const { path, value } of select(raw, 'vllm_endpoints[]')) {
    if (!isMapping(value) || typeof value['address'] !== 'string' || typeof value['port'] !== 'number') continue;
    const address = `${value['address'].toLowerCase()}:${value['port']}`;
    const settings = JSON.stringify(TRANSPORT_KEYS.map((key) => value[key]));
    const first = seen.get(address);
    if (first === undefined) seen.set(address, { name: value['name'], settings });
    else if (first.settings !== settings) {
      findings.push({
        code: 'CONFIG_CONFLICTING_ADDRESS',
        path: [...path, 'address'],
        message: `${address} is also the address of ${JSON.stringify(first.name)}, with other settings`,
        allowed: `one address and port with one set of ${TRANSPORT_KEYS.join(', ')}`,
        fix: 'make the settings equal, or list the models under one endpoint',
      });
    }
  }
  return findings;
};

const THRESHOLDS = { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2 } as const;

const thresholdsDescend: Check = (raw) => {
  const given = select(raw, 'reasoning_decision')[0]?.value;
  if (!isMapping(given)) return [];
  const findings: Finding[] = [];
  let above: { readonly name: string; readonly value: number } | null = null;
  for (const [name, byDefault] of Object.entries(THRESHOLDS)) {
    const value: unknown = given[name] ?? byDefault;
    if (typeof value !== 'number') continue;
    if (above !== null && value >= above.value) {
      findings.push({
        code: 'CONFIG_THRESHOLD_ORDER',
        path: ['reasoning_decision', Object.hasOwn(given, name) ? name : above.name],
        message: `${name} (${value}) is not below ${above.name} (${above.value})`,
        allowed: 'very_high > high > medium > low',
        fix: 'write descending thresholds; those left out are .8, .6, .4 and .2',
      });
    }
    above = { name, value };
  }
  return findings;
};

const aliasesAreNoModels: Check = (raw) => {
  const chosen = selectText(raw, 'auto_model_name')[0]?.value ?? 'MoM';
  const aliases = new Set([...FIXED_ALIASES, chosen]);
  const places = [
    ...select(raw, 'model_config{}').map(({ path }) => ({ path, value: String(path[1]), at: 'key' as const })),
    ...selectText(raw, 'vllm_endpoints[].models[]').map((found) => ({ ...found, at: 'value' as const })),
  ];
  return places
    .filter(({ value }) => aliases.has(value))
    .map(({ path, value, at }) => ({
      code: 'CONFIG_ALIAS_AS_MODEL',
      path,
      at,
      message: `${JSON.stringify(value)} means "choose for me" and cannot be a model's name`,
      allowed: `any name but ${[...aliases].join(', ')}`,
      fix:
        value === chosen && !FIXED_ALIASES.includes(value)
          ? 'rename the model, or change auto_model_name'
          : 'rename the model; served_model_name keeps the name that its endpoint knows',
    }));
};

/** In the order of the tables of docs/errors.md. Problems are sorted by their place in the file afterwards. */
export const CHECKS: readonly Check[] = [
  modelReferences,
  endpointReferences,
  familyReferences,
  namesStandOnce,
  everyEndpointServes,
  everyModelIsServed,
  addressesAgree,
  thresholdsDescend,
  aliasesAreNoModels,
];

function listNames(what: string, names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return what;
  const shown = all.slice(0, 8).map((name) => JSON.stringify(name));
  return `${what}: ${shown.join(', ')}${all.length > shown.length ? `, … (${all.length} in all)` : ''}`;
}
