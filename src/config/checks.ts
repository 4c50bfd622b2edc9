/** What only shows when parts of the file are held against each other. */
import { isRecord } from '../record.ts';
import { POLICY_CHECKS } from './check-policy.ts';
import type { Finding } from './problem.ts';
import { REFERENCE_CHECKS, listedModels, repeated } from './references.ts';
import type { Check } from './references.ts';
import { FIXED_ALIASES } from './registry.ts';
import { select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';
import { WARNING_CHECKS } from './warnings.ts';

const namesStandOnce: Check = (raw) => [
  ...repeated(
    selectText(raw, 'vllm_endpoints[].name'),
    (name) => name,
    'endpoint',
    'a name that no other endpoint has',
  ),
  ...repeated(
    selectText(raw, 'categories[].name'),
    (name) => name.toLowerCase(),
    'category',
    'a name that no other category has, in any case of letters',
  ),
];

const everyEndpointServes: Check = (raw) => {
  const preferred = new Set(selectText(raw, 'model_config{}.preferred_endpoints[]').map(({ value }) => value));
  return select(raw, 'vllm_endpoints[]')
    .filter(({ value }) => {
      if (!isRecord(value)) return false;
      const models = value['models'];
      const listsSome = models !== undefined && (!Array.isArray(models) || models.length > 0);
      return !listsSome && !(typeof value['name'] === 'string' && preferred.has(value['name']));
    })
    .map(({ path }) => ({
      code: 'CONFIG_ENDPOINT_WITHOUT_MODELS',
      path,
      message: 'this endpoint serves no model',
      allowed: 'at least one model in models, or a model whose preferred_endpoints names it',
      fix: 'list its models, or remove it',
    }));
};

const everyModelIsServed: Check = (raw) => {
  // Until the endpoints can be read at all, every model would look orphaned.
  if (select(raw, 'vllm_endpoints[]').length === 0) return [];
  const configured = new Set(select(raw, 'model_config{}').map(({ path }) => String(path[1])));
  const listed = listedModels(raw);
  const unconfigured = [...listed].filter((name) => !configured.has(name));
  return select(raw, 'model_config{}')
    .filter(({ path, value }) => {
      const preferred = isRecord(value) ? value['preferred_endpoints'] : undefined;
      const prefersNone = preferred === undefined || (Array.isArray(preferred) && preferred.length === 0);
      return prefersNone && !listed.has(String(path[1]));
    })
    .map(({ path }) => ({
      code: 'CONFIG_MODEL_WITHOUT_ENDPOINT',
      path,
      at: 'key',
      message: `no endpoint serves ${JSON.stringify(path[1])}`,
      allowed: 'a model that an endpoint lists, or one with preferred_endpoints',
      fix: suggestion(String(path[1]), unconfigured, "add it to an endpoint's models"),
    }));
};

/** Envoy tells endpoints apart by address and port: what differs below that cannot be told apart. */
const TRANSPORT_KEYS = ['tls', 'api_key_env', 'region', 'health_check_path'];

const addressesAgree: Check = (raw) => {
  const seen = new Map<string, { readonly name: unknown; readonly settings: string }>();
  const findings: Finding[] = [];
  for (const { path, value } of select(raw, 'vllm_endpoints[]')) {
    if (!isRecord(value) || typeof value['address'] !== 'string' || typeof value['port'] !== 'number') continue;
    const address = `${value['address'].toLowerCase()}:${value['port']}`;
    const settings = JSON.stringify(TRANSPORT_KEYS.map((key) => value[key]));
    const first = seen.get(address);
    if (first === undefined) seen.set(address, { name: value['name'], settings });
    else if (first.settings !== settings) {
      findings.push({
        code: 'CONFIG_CONFLICTING_ADDRESS',
        path: [...path, 'address'],
        message: `${address} is also the address of ${JSON.stringify(first.name ?? 'another endpoint')}, with other settings`,
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
  if (!isRecord(given)) return [];
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
        fix: 'write descending thresholds; those left out are 0.8, 0.6, 0.4 and 0.2',
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
      fix: FIXED_ALIASES.includes(value)
        ? 'rename the model; served_model_name keeps the name that its endpoint knows'
        : 'rename the model, or change auto_model_name',
    }));
};

/** All of them run on every file; the problems are sorted by their place in it afterwards. */
export const CHECKS: readonly Check[] = [
  ...REFERENCE_CHECKS,
  namesStandOnce,
  everyEndpointServes,
  everyModelIsServed,
  addressesAgree,
  thresholdsDescend,
  aliasesAreNoModels,
  ...POLICY_CHECKS,
  ...WARNING_CHECKS,
];
