/** The classifier that `classifier.category_model.model_id` names: whether it can be loaded, and whether the categories mean labels that it has. */
import { isRecord } from '../record.ts';
import { DEEPEST_CONDITION } from './check-policy.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { Check } from './references.ts';
import { select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';

/** What a look at the folder of a model_id shows. This part of the code reads no files: whoever loads a config brings the look along. */
export type ModelLook =
  | {
      readonly kind: 'sound';
      readonly labels: readonly string[];
      /** Whether it gives a jailbreak score. */
      readonly hasJailbreak: boolean;
    }
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
    return modelId === BUILT_IN_MODEL ? { kind: 'sound', labels: BUILT_IN_LABELS, hasJailbreak: true } : null;
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
      if (found?.kind !== 'sound') return [];
      const { labels, hasJailbreak } = found;
      return [...unreachable(raw, labels), ...unknownLabels(raw, labels), ...(hasJailbreak ? [] : unscored(raw))];
    },
  ];
}

/** Categories that no label means. */
function unreachable(raw: unknown, labels: readonly string[]): readonly Finding[] {
  const known = new Set(labels.map((label) => label.toLowerCase()));
  return select(raw, 'categories[]').flatMap(({ path, value }): readonly Finding[] => {
    if (!isRecord(value) || typeof value['name'] !== 'string') return [];
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

/** What waits for a jailbreak score that the classifier never gives. The guard counts when it is asked for: it flags by default. */
function unscored(raw: unknown): readonly Finding[] {
  const isClosed = selectText(raw, 'failure_mode').some(({ value }) => value === 'closed');
  const guards = select(raw, 'guards.jailbreak').flatMap(({ path, value }): readonly Finding[] => {
    if (!isRecord(value) || value['action'] === 'off') return [];
    const { action } = value;
    const refusesAll = isClosed && (action === 'block' || action === 'route');
    const then = refusesAll
      ? 'with failure_mode closed it refuses all that it cannot judge'
      : 'nothing is ever flagged';
    return [
      {
        code: 'CONFIG_JAILBREAK_NOT_SCORED',
        path: action === undefined ? path : [...path, 'action'],
        message: `the classifier gives no jailbreak score, so this guard has nothing to judge by: ${then}`,
        allowed: `off, or a classifier whose manifest has outputs.jailbreak, like ${BUILT_IN_MODEL}`,
        fix: 'choose such a model in classifier.category_model.model_id, or set action: off',
      },
    ];
  });
  const conditions = select(raw, 'rules[].when').flatMap(({ path, value }) => jailbreakConditions(path, value, 0));
  return [
    ...guards,
    ...conditions.map((path) => ({
      code: 'CONFIG_JAILBREAK_NOT_SCORED' as const,
      path,
      message: 'the classifier gives no jailbreak score, so this condition never holds',
      allowed: `a classifier whose manifest has outputs.jailbreak, like ${BUILT_IN_MODEL}`,
      fix: 'choose such a model in classifier.category_model.model_id, or take the condition out',
    })),
  ];
}

/** Paths of the conditions on the score, at any level of all, any and not. */
function jailbreakConditions(path: ConfigPath, condition: unknown, depth: number): readonly ConfigPath[] {
  // Deeper ones are an error of their own.
  if (!isRecord(condition) || depth > DEEPEST_CONDITION) return [];
  const own = condition['jailbreak'] === undefined ? [] : [[...path, 'jailbreak']];
  const inner = ['all[]', 'any[]', 'not'].flatMap((key) => select(condition, key));
  return [...own, ...inner.flatMap((one) => jailbreakConditions([...path, ...one.path], one.value, depth + 1))];
}

/** More labels than this make a message longer than a terminal. */
const LABELS_SHOWN = 20;

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, LABELS_SHOWN).join(', ');
  return labels.length > LABELS_SHOWN ? `${shown}, … (${labels.length} in all)` : shown;
}
