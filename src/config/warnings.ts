/** Configurations that work, but hardly as meant. */
import { isRecord } from '../record.ts';
import { VARIABLE_NAME } from './fields.ts';
import { isPiiKind, NAMED_PII_KINDS } from './pii-kinds.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { Check } from './references.ts';
import { select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';
import type { Environment } from './variables.ts';

/** Two categories that want one label: a category's own name wins, then the first that maps it. */
const labelsAreClaimedOnce: Check = (raw) => {
  const names = new Map(selectText(raw, 'categories[].name').map(({ path, value }) => [value.toLowerCase(), path[1]]));
  const claims = new Map<string, string | number | undefined>();
  return selectText(raw, 'categories[].mmlu_categories[]').flatMap(({ path, value }): readonly Finding[] => {
    const label = value.toLowerCase();
    const category = path[1];
    if (!claims.has(label)) claims.set(label, names.get(label) ?? category);
    const owner = claims.get(label);
    if (owner === category) return [];
    return [
      {
        code: 'CONFIG_CATEGORY_TWICE',
        path,
        message: `the label ${JSON.stringify(value)} already belongs to categories[${String(owner)}]`,
        allowed: 'each label in one category',
        fix: 'take it out of one of them',
      },
    ];
  });
};

const listedModelsComeHere: Check = (raw) => {
  const endpoints = new Set(selectText(raw, 'vllm_endpoints[].name').map(({ value }) => value));
  return select(raw, 'vllm_endpoints[]').flatMap(({ path, value }): readonly Finding[] => {
    if (!isRecord(value) || typeof value['name'] !== 'string') return [];
    const config = select(raw, 'model_config')[0]?.value;
    const passedOver = selectText(value, 'models[]').filter(({ value: model }) => {
      const entry = isRecord(config) && Object.hasOwn(config, model) ? config[model] : undefined;
      const preferred = selectText(entry, 'preferred_endpoints[]').map((found) => found.value);
      // Names that lead nowhere are errors: what they leave unused is no second complaint.
      return (
        preferred.length > 0 &&
        !preferred.includes(String(value['name'])) &&
        preferred.every((name) => endpoints.has(name))
      );
    });
    return passedOver.map(({ path: inner, value: model }) => ({
      code: 'CONFIG_ENDPOINT_UNUSED',
      path: [...path, ...inner],
      message: `nothing is sent here for ${JSON.stringify(model)}: its preferred_endpoints leave this endpoint out`,
      allowed: '',
      fix: `add ${JSON.stringify(value['name'])} to its preferred_endpoints, or take the model out of this list`,
    }));
  });
};

/** Endpoints whose key the environment does not hold. A warning, so that files can be checked where the secrets are not. */
export function keysAreSet(environment: Environment): Check {
  return (raw) =>
    selectText(raw, 'vllm_endpoints[].api_key_env')
      .filter(({ value }) => VARIABLE_NAME.test(value) && (environment[value] ?? '') === '')
      .map(({ path, value }) => ({
        code: 'CONFIG_KEY_NOT_SET',
        path,
        message: `the environment variable ${value} is not set, so this endpoint will get no key`,
        allowed: 'the name of a variable that is set',
        fix: `set ${value} before the router starts`,
      }));
}

/** A model that stands twice in one category, as LoRA adapters of one base do in files of vLLM Semantic Router: the first entry counts. */
const modelsAreScoredOnce: Check = (raw) =>
  select(raw, 'categories[].model_scores').flatMap(({ path, value }) =>
    secondMentions(selectText(value, '[].model')).map(({ path: inner, value: model }) => ({
      code: 'CONFIG_MODEL_TWICE',
      path: [...path, ...inner],
      message: `${JSON.stringify(model)} already has a score in this category; this entry is not read`,
      allowed: 'each model once in a category',
      fix: 'keep one of the two entries',
    })),
  );

/** A model that has failed is not tried again under its own name. */
const fallbacksAreOthers: Check = (raw) =>
  select(raw, 'model_config{}.fallbacks').flatMap(({ path, value }) => {
    const own = String(path[1]);
    const named = selectText(value, '[]');
    const itself = named.filter(({ value: model }) => model === own);
    const again = secondMentions(named).filter(({ value: model }) => model !== own);
    return [
      ...itself.map((found) => ({ ...found, message: `${JSON.stringify(own)} can be no fallback of its own` })),
      ...again.map((found) => ({ ...found, message: `${JSON.stringify(found.value)} is already in this list` })),
    ].map(({ path: inner, message }) => ({
      code: 'CONFIG_FALLBACK_UNUSED' as const,
      path: [...path, ...inner],
      message,
      allowed: 'other models, each once',
      fix: 'take it out of the list',
    }));
  });

/** Allowing a kind that is not looked for changes nothing; a misspelt one leaves the kind that was meant forbidden. */
const allowedKindsAreSearched: Check = (raw) =>
  selectText(raw, 'model_config{}.pii_policy.pii_types_allowed[]')
    .filter(({ value }) => value !== '' && !isPiiKind(value))
    .map(({ path, value }) => ({
      code: 'CONFIG_PII_KIND_NOT_SEARCHED',
      path,
      message: `personal data of the kind ${JSON.stringify(value)} is not looked for, so this allows nothing`,
      allowed: `one of ${NAMED_PII_KINDS.join(', ')}`,
      fix: suggestion(value, NAMED_PII_KINDS, 'remove it to silence this warning'),
    }));

/** A cascade that has nowhere to go, or a check that nothing can fail. */
const cascadesCanEscalate: Check = (raw) => {
  const shared = select(raw, 'cascade').filter(({ value }) => isRecord(value));
  const owns = select(raw, 'rules[].then.cascade').filter(({ value }) => value === true || isRecord(value));
  const isOn = shared.some(({ value }) => isRecord(value) && value['enabled'] === true);
  const places = [...(isOn ? shared : []), ...owns];
  const fallback = select(raw, 'fallback')[0]?.value;
  const reason = !isRecord(fallback)
    ? null
    : fallback['max_attempts'] === 1
      ? 'fallback.max_attempts is 1'
      : fallback['other_models'] === false
        ? 'fallback.other_models is false'
        : null;
  const hasThreshold = shared.some(({ value }) => isRecord(value) && value['min_mean_logprob'] !== undefined);
  const stuck = places.flatMap(({ path }): readonly Finding[] =>
    reason === null
      ? []
      : [
          {
            code: 'CONFIG_CASCADE_UNUSED',
            path,
            message: `no answer can be escalated: ${reason}`,
            allowed: '',
            fix: 'allow two attempts and other models, or take the cascade out',
          },
        ],
  );
  const unsure = places.flatMap(({ path, value }): readonly Finding[] => {
    if (!isRecord(value) || value['min_mean_logprob'] !== undefined || hasThreshold) return [];
    const listed = selectText(value, 'checks[]').filter(({ value: check }) => check === 'low_confidence');
    return listed.map(({ path: inner }) => ({
      code: 'CONFIG_CASCADE_UNUSED',
      path: [...path, ...inner],
      message: 'no answer can fail low_confidence without min_mean_logprob',
      allowed: '',
      fix: 'set min_mean_logprob, or take the check out',
    }));
  });
  return [...stuck, ...unsure];
};

interface Mention {
  readonly path: ConfigPath;
  readonly value: string;
}

/** The names that stand in a list a second time or more. */
function secondMentions(named: readonly Mention[]): readonly Mention[] {
  const seen = new Set<string>();
  return named.filter(({ value }) => {
    const isSecond = seen.has(value);
    seen.add(value);
    return isSecond;
  });
}

export const WARNING_CHECKS: readonly Check[] = [
  labelsAreClaimedOnce,
  listedModelsComeHere,
  modelsAreScoredOnce,
  fallbacksAreOthers,
  allowedKindsAreSearched,
  cascadesCanEscalate,
];
