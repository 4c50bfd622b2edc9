/** Names that must lead somewhere. */
import { BUILT_IN_FAMILIES } from './registry.ts';
import type { Finding } from './problem.ts';
import { select, selectText } from './select.ts';
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
  return new Set([...configured, ...listedModels(raw)]);
}

/** Every model that an endpoint lists; one that stands there without a list around it, too: that is another complaint. */
export function listedModels(raw: unknown): ReadonlySet<string> {
  const listed = [...selectText(raw, 'vllm_endpoints[].models[]'), ...selectText(raw, 'vllm_endpoints[].models')];
  return new Set(listed.map(({ value }) => value));
}

const modelReferences: Check = (raw) => {
  const known = knownModels(raw);
  return dangling(raw, MODEL_REFERENCES, known, (name) => ({
    code: 'CONFIG_UNKNOWN_MODEL',
    message: `${JSON.stringify(name)} is not a configured model`,
    allowed: listNames('a model of model_config or of an endpoint', known),
    fix: suggestion(name, known, 'correct the name or configure the model'),
  }));
};

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

export const REFERENCE_CHECKS: readonly Check[] = [modelReferences, endpointReferences, familyReferences];

/** A finding for each name under the patterns that is not known. */
function dangling(
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

/** More names than this make a message longer than a terminal. */
const NAMES_SHOWN = 8;

function listNames(what: string, names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, NAMES_SHOWN).map((name) => JSON.stringify(name));
  if (shown.length === 0) return what;
  return `${what}: ${shown.join(', ')}${names.size > shown.length ? `, … (${names.size} in all)` : ''}`;
}
