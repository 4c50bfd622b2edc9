/** Configurations that work, but hardly as meant. */
import type { Finding } from './problem.ts';
import { VARIABLE_NAME } from './fields.ts';
import type { Check } from './references.ts';
import { isMapping, select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';
import type { Environment } from './variables.ts';

/** The labels of the classifier that comes with Switchyard, in its order. */
export const BUILT_IN_LABELS: readonly string[] = [
  'biology',
  'business',
  'chemistry',
  'computer science',
  'economics',
  'engineering',
  'health',
  'history',
  'law',
  'math',
  'other',
  'philosophy',
  'physics',
  'psychology',
];

/** A category that no label means. A classifier of the user's own has labels that are not known here: nothing is said then. */
const categoriesAreReachable: Check = (raw) => {
  if (selectText(raw, 'classifier.category_model.model_id').some(({ value }) => value !== '')) return [];
  const labels = new Set(BUILT_IN_LABELS);
  return select(raw, 'categories[]').flatMap(({ path, value }): readonly Finding[] => {
    if (!isMapping(value) || typeof value['name'] !== 'string') return [];
    const mapped = selectText(value, 'mmlu_categories[]').map((label) => label.value);
    if ([value['name'], ...mapped].some((label) => labels.has(label.toLowerCase()))) return [];
    return [
      {
        code: 'CONFIG_UNKNOWN_CATEGORY',
        path: [...path, 'name'],
        message: `no label of the classifier means ${JSON.stringify(value['name'])}, so no request falls into this category`,
        allowed: `one of ${BUILT_IN_LABELS.join(', ')}, or a name of your own with mmlu_categories`,
        fix: suggestion(value['name'], BUILT_IN_LABELS, 'list the labels that mean it under mmlu_categories'),
      },
    ];
  });
};

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
    if (!isMapping(value) || typeof value['name'] !== 'string') return [];
    const config = select(raw, 'model_config')[0]?.value;
    const passedOver = selectText(value, 'models[]').filter(({ value: model }) => {
      const entry = isMapping(config) && Object.hasOwn(config, model) ? config[model] : undefined;
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

export const WARNING_CHECKS: readonly Check[] = [categoriesAreReachable, labelsAreClaimedOnce, listedModelsComeHere];
