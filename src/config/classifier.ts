/** The classifier that `classifier.category_model.model_id` names: whether it can be loaded, and whether the categories mean labels that it has. */
import type { Finding } from './problem.ts';
import type { Check } from './references.ts';
import { isMapping, select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';

/** What a look at the folder of a model_id shows. This part of the code reads no files: whoever loads a config brings the look along. */
export type ModelLook =
  | { readonly kind: 'sound'; readonly labels: readonly string[] }
  | ({ readonly kind: 'unsound' } & Pick<Finding, 'message' | 'allowed' | 'fix'>);
export type LookUpModel = (modelId: string) => ModelLook;

/** The model that comes with Switchyard. */
export const BUILT_IN_MODEL = 'switchyard-minilm';
/** Its labels, in its order. */
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

const MODEL_ID = 'classifier.category_model.model_id';

/** `lookUp` null: only the built-in model is known, and nothing is said of another. */
export function classifierChecks(lookUp: LookUpModel | null): readonly Check[] {
  const look = (raw: unknown): ModelLook | null => {
    const given = select(raw, MODEL_ID)[0];
    const modelId = given === undefined ? BUILT_IN_MODEL : given.value;
    // What is no name is the schema's business.
    if (typeof modelId !== 'string' || modelId === '') return null;
    if (lookUp !== null) return lookUp(modelId);
    return modelId === BUILT_IN_MODEL ? { kind: 'sound', labels: BUILT_IN_LABELS } : null;
  };
  return [
    (raw) => {
      const found = look(raw);
      if (found?.kind !== 'unsound') return [];
      const { message, allowed, fix } = found;
      return [{ code: 'CONFIG_CLASSIFIER_UNUSABLE', path: MODEL_ID.split('.'), message, allowed, fix }];
    },
    (raw) => {
      const found = look(raw);
      return found?.kind === 'sound' ? [...unreachable(raw, found.labels), ...unknownLabels(raw, found.labels)] : [];
    },
  ];
}

/** Categories that no label means. */
function unreachable(raw: unknown, labels: readonly string[]): readonly Finding[] {
  const known = new Set(labels.map((label) => label.toLowerCase()));
  return select(raw, 'categories[]').flatMap(({ path, value }): readonly Finding[] => {
    if (!isMapping(value) || typeof value['name'] !== 'string') return [];
    const mapped = selectText(value, 'mmlu_categories[]').map((label) => label.value);
    if ([value['name'], ...mapped].some((label) => known.has(label.toLowerCase()))) return [];
    return [
      {
        code: 'CONFIG_UNKNOWN_CATEGORY',
        path: [...path, 'name'],
        message: `no label of the classifier means ${JSON.stringify(value['name'])}, so no request falls into this category`,
        allowed: `one of ${listed(labels)}, or a name of your own with mmlu_categories`,
        fix: suggestion(value['name'], labels, 'list the labels that mean it under mmlu_categories'),
      },
    ];
  });
}

/** Labels that are mapped to a category and that the classifier does not have. */
function unknownLabels(raw: unknown, labels: readonly string[]): readonly Finding[] {
  const known = new Set(labels.map((label) => label.toLowerCase()));
  return selectText(raw, 'categories[].mmlu_categories[]')
    .filter(({ value }) => value !== '' && !known.has(value.toLowerCase()))
    .map(({ path, value }) => ({
      code: 'CONFIG_UNKNOWN_LABEL',
      path,
      message: `the classifier has no label ${JSON.stringify(value)}, so this maps nothing`,
      allowed: `one of ${listed(labels)}`,
      fix: suggestion(value, labels, 'remove it'),
    }));
}

/** More labels than this make a message longer than a terminal. */
const LABELS_SHOWN = 20;

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, LABELS_SHOWN).join(', ');
  return labels.length > LABELS_SHOWN ? `${shown}, … (${labels.length} in all)` : shown;
}
