/** Names that must lead somewhere. */
import { BUILT_IN_FAMILIES } from './registry.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';

/**
 * A check across the file, on the values before the schema reads them: so a typing error in one place hides no dangling name in another.
 * Wrong shapes are passed over, the schema reports those.
 */
export type Check = (raw: unknown) => readonly Finding[];

/** Where names stand that must be known. A new key that names a model, an endpoint or a tenant gets a row here. */
const MODEL_REFERENCES = [
  'default_model',
  'categories[].model_scores[].model',
  'model_config{}.fallbacks[]',
  'policy.allow_models[]',
  'policy.deny_models[]',
  'tenants.list[].policy.allow_models[]',
  'tenants.list[].policy.deny_models[]',
  'guards.jailbreak.route_to',
  'rules[].then.model',
  'rules[].then.models[]',
  'rules[].then.cascade.escalate_to[]',
  'cascade.escalate_to[]',
];
const ENDPOINT_REFERENCES = ['model_config{}.preferred_endpoints[]', 'policy.data_collecting_endpoints[]'];
const TENANT_REFERENCES = ['tenants.default', 'rules[].when.tenant', 'rules[].when.tenant[]'];

/** Every model that is configured or served. */
export function knownModels(raw: unknown): ReadonlySet<string> {
  const configured = select(raw, 'model_config{}').map(({ path }) => String(path[1]));
  return new Set([...configured, ...listedModels(raw)]);
}

/** Every model that an endpoint lists; one that stands there without a list around it, too: that is another complaint. */
export function listedModels(raw: unknown): ReadonlySet<string> {
  const listed = [...selectText(raw, 'vllm_endpoints[].models[]'), ...selectText(raw, 'vllm_endpoints[].models')];
  return new Set(listed.map(({ value }) => value));
}

interface NamePlace {
  readonly path: ConfigPath;
  readonly value: string;
}

const modelReferences: Check = (raw) => {
  const known = knownModels(raw);
  return dangling(namesAt(raw, MODEL_REFERENCES), known, (name) => ({
    code: 'CONFIG_UNKNOWN_MODEL',
    message: `${JSON.stringify(name)} is not a configured model`,
    allowed: listNames('a model of model_config or of an endpoint', known),
    fix: suggestion(name, known, 'correct the name or configure the model'),
  }));
};

const endpointReferences: Check = (raw) => {
  const known = new Set(selectText(raw, 'vllm_endpoints[].name').map(({ value }) => value));
  return dangling(namesAt(raw, ENDPOINT_REFERENCES), known, (name) => ({
    code: 'CONFIG_UNKNOWN_ENDPOINT',
    message: `${JSON.stringify(name)} is not in vllm_endpoints`,
    allowed: listNames('the name of an endpoint', known),
    fix: suggestion(name, known, 'correct the name or add the endpoint'),
  }));
};

const tenantReferences: Check = (raw) => {
  const known = new Set(selectText(raw, 'tenants.list[].name').map(({ value }) => value));
  return dangling(namesAt(raw, TENANT_REFERENCES), known, (name) => ({
    code: 'CONFIG_UNKNOWN_TENANT',
    message: `${JSON.stringify(name)} is not in tenants.list`,
    allowed: listNames('the name of a tenant', known),
    fix: suggestion(name, known, 'correct the name or add the tenant'),
  }));
};

const familyReferences: Check = (raw) => {
  const own = select(raw, 'reasoning_families{}').map(({ path }) => String(path[1]));
  const known = new Set([...Object.keys(BUILT_IN_FAMILIES), ...own]);
  return dangling(selectText(raw, 'model_config{}.reasoning_family'), known, (name) => ({
    code: 'CONFIG_UNKNOWN_FAMILY',
    message: `${JSON.stringify(name)} is not a reasoning family`,
    allowed: listNames('a family', known),
    fix: suggestion(name, known, 'define it under reasoning_families'),
  }));
};

export const REFERENCE_CHECKS: readonly Check[] = [
  modelReferences,
  endpointReferences,
  tenantReferences,
  familyReferences,
];

function namesAt(raw: unknown, patterns: readonly string[]): readonly NamePlace[] {
  return patterns.flatMap((pattern) => selectText(raw, pattern));
}

/** A finding for each name that is not known; empty ones are the schema's business. */
function dangling(
  named: readonly NamePlace[],
  known: ReadonlySet<string>,
  describe: (name: string) => Omit<Finding, 'path'>,
): readonly Finding[] {
  return named
    .filter(({ value }) => value !== '' && !known.has(value))
    .map(({ path, value }) => ({ path, ...describe(value) }));
}

/** A finding for each name that stands a second time, after `fold` made equal what counts as equal. */
export function repeated(
  named: readonly NamePlace[],
  fold: (name: string) => string,
  what: string,
  allowed: string,
): readonly Finding[] {
  const seen = new Map<string, string>();
  return named.flatMap(({ path, value }): readonly Finding[] => {
    const first = seen.get(fold(value));
    if (first === undefined) {
      seen.set(fold(value), value);
      return [];
    }
    const message = `another ${what} is already named ${JSON.stringify(first)}`;
    return [{ code: 'CONFIG_DUPLICATE_NAME', path, message, allowed, fix: 'rename one or merge the two' }];
  });
}

/** More names than this make a message longer than a terminal. */
const NAMES_SHOWN = 8;

function listNames(what: string, names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, NAMES_SHOWN).map((name) => JSON.stringify(name));
  if (shown.length === 0) return what;
  return `${what}: ${shown.join(', ')}${names.size > shown.length ? `, … (${names.size} in all)` : ''}`;
}
