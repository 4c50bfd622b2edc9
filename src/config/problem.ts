/** Everything that can be wrong with a configuration. docs/errors.md is generated from this table: the list is closed. */
export const CONFIG_CODES = {
  CONFIG_SYNTAX: {
    severity: 'error',
    what: 'The file is not one well-formed YAML document.',
    fix: 'Mend the YAML at the place named. Only the first syntax error is known: the parser cannot go on after it.',
  },
  CONFIG_DUPLICATE_KEY: {
    severity: 'error',
    what: 'The same key stands twice in one mapping, so one of the two values would be lost.',
    fix: 'Keep one of them.',
  },
  CONFIG_UNKNOWN_KEY: {
    severity: 'error',
    what: 'A key that nothing reads, often a typing error.',
    fix: 'Use the key that the message suggests, or remove it. docs/config.md lists every key.',
  },
  CONFIG_MISSING_KEY: {
    severity: 'error',
    what: 'A required key is absent.',
    fix: 'Add the key.',
  },
  CONFIG_WRONG_TYPE: {
    severity: 'error',
    what: 'The value has the wrong type: text where a number belongs, one value where a list belongs, and so on.',
    fix: 'Write a value of the type that the message names.',
  },
  CONFIG_OUT_OF_RANGE: {
    severity: 'error',
    what: 'The value is too small, too large, too short or too long.',
    fix: 'Write a value inside the range that the message names.',
  },
  CONFIG_NOT_ALLOWED: {
    severity: 'error',
    what: 'The value is none of those that the key knows.',
    fix: 'Use one of the values that the message lists.',
  },
  CONFIG_BAD_UNIT: {
    severity: 'error',
    what: 'A duration or size without a unit, or with one that is not known.',
    fix: 'Durations: ms, s, m, h. Sizes: B, KB, KiB, MB, MiB, GB, GiB.',
  },
  CONFIG_INVALID_VALUE: {
    severity: 'error',
    what: 'The value has the right type but not the right form.',
    fix: 'Follow the form that the message names.',
  },
  CONFIG_UNREADABLE: {
    severity: 'error',
    what: 'The file cannot be read: it is gone, or the process may not open it.',
    fix: 'Restore the file or its permissions. A running router keeps the configuration that it has.',
  },
  CONFIG_MISSING_VARIABLE: {
    severity: 'error',
    what: 'A ${VAR} in a value names an environment variable that is not set.',
    fix: 'Set the variable, or give a default: ${VAR:-default}.',
  },
  CONFIG_BAD_VARIABLE: {
    severity: 'error',
    what: 'A ${…} in a value is neither ${VAR} nor ${VAR:-default}.',
    fix: 'Mend it, or write $${ for a literal ${.',
  },
  CONFIG_UNKNOWN_MODEL: {
    severity: 'error',
    what: 'A model is named that neither an endpoint lists nor model_config knows.',
    fix: 'Correct the name, add the model to an endpoint’s models, or give it a model_config entry with preferred_endpoints.',
  },
  CONFIG_UNKNOWN_ENDPOINT: {
    severity: 'error',
    what: 'An endpoint is named that is not in vllm_endpoints.',
    fix: 'Correct the name, or add the endpoint.',
  },
  CONFIG_UNKNOWN_FAMILY: {
    severity: 'error',
    what: 'reasoning_family names a family that is neither built in nor in reasoning_families.',
    fix: 'Correct the name, or define the family under reasoning_families.',
  },
  CONFIG_UNKNOWN_TENANT: {
    severity: 'error',
    what: 'tenants.default or a rule names a tenant that is not in tenants.list.',
    fix: 'Correct the name, or add the tenant.',
  },
  CONFIG_ENDPOINT_WITHOUT_MODELS: {
    severity: 'error',
    what: 'An endpoint serves no model: it has no models and no preferred_endpoints names it.',
    fix: 'List its models, or remove it.',
  },
  CONFIG_MODEL_WITHOUT_ENDPOINT: {
    severity: 'error',
    what: 'A model of model_config is served by no endpoint.',
    fix: 'Add it to an endpoint’s models, or name an endpoint in its preferred_endpoints.',
  },
  CONFIG_DUPLICATE_NAME: {
    severity: 'error',
    what: 'Two endpoints, categories (whatever the case of the letters), tenants or rules have the same name, or two tenants the same API key.',
    fix: 'Rename one, or merge the two.',
  },
  CONFIG_CONFLICTING_ADDRESS: {
    severity: 'error',
    what: 'Two endpoints have the same address and port but differ in tls, api_key_env, region or health_check_path.',
    fix: 'Make them equal, or list all the models under one endpoint.',
  },
  CONFIG_THRESHOLD_ORDER: {
    severity: 'error',
    what: 'The thresholds of reasoning_decision do not descend from very_high to low.',
    fix: 'Write them so that very_high > high > medium > low.',
  },
  CONFIG_ALIAS_AS_MODEL: {
    severity: 'error',
    what: 'A model has a name that means “choose for me”: auto, vllm-sr/auto or the auto_model_name.',
    fix: 'Rename the model (served_model_name keeps the name that its endpoint knows), or change auto_model_name.',
  },
  CONFIG_UNKNOWN_PII_KIND: {
    severity: 'error',
    what: 'A rule waits for a kind of personal data that is not looked for, so it would never match.',
    fix: 'Use a kind that docs/pii.md lists, or any.',
  },
  CONFIG_CLASSIFIER_UNUSABLE: {
    severity: 'error',
    what: 'category_model.model_id names no folder under models/, or what is in the folder is no sound model.',
    fix: 'Name one of the folders that the message lists, restore the folder from the release, or make it with switchyard train.',
  },
  CONFIG_NO_EFFECT: {
    severity: 'warning',
    what: 'A key of vLLM Semantic Router that is understood but has no effect here yet.',
    fix: 'Nothing breaks. Remove the key to silence the warning.',
  },
  CONFIG_MODEL_REPLACED: {
    severity: 'warning',
    what: 'category_model.model_id names a classifier of vLLM Semantic Router; the built-in one is used in its place.',
    fix: 'Remove model_id, or name a folder under models/.',
  },
  CONFIG_UNKNOWN_CATEGORY: {
    severity: 'warning',
    what: 'The classifier has no label of this category’s name and mmlu_categories maps none to it, so no request ever falls into it.',
    fix: 'Correct the name, or list the labels that mean it under mmlu_categories.',
  },
  CONFIG_UNKNOWN_LABEL: {
    severity: 'warning',
    what: 'mmlu_categories names a label that the classifier does not have.',
    fix: 'Correct the label, or remove it.',
  },
  CONFIG_CATEGORY_TWICE: {
    severity: 'warning',
    what: 'Two categories claim the same label of the classifier; the first one gets its requests.',
    fix: 'Take the label out of one of them.',
  },
  CONFIG_MODEL_TWICE: {
    severity: 'warning',
    what: 'A model stands twice in the model_scores of one category; the first entry counts.',
    fix: 'Keep one of the two.',
  },
  CONFIG_FALLBACK_UNUSED: {
    severity: 'warning',
    what: 'A model names itself, or another one twice, in its fallbacks.',
    fix: 'Take it out of the list.',
  },
  CONFIG_PII_KIND_NOT_SEARCHED: {
    severity: 'warning',
    what: 'pii_types_allowed names a kind of personal data that is not looked for; a misspelt one leaves the kind that was meant forbidden.',
    fix: 'Correct the name, or remove it: docs/pii.md lists the kinds.',
  },
  CONFIG_ENDPOINT_UNUSED: {
    severity: 'warning',
    what: 'An endpoint lists a model whose preferred_endpoints leave this endpoint out, so it gets none of its requests.',
    fix: 'Add the endpoint to the model’s preferred_endpoints, or take the model out of the endpoint’s list.',
  },
  CONFIG_CASCADE_UNUSED: {
    severity: 'warning',
    what: 'A cascade or one of its checks can have no effect: requests have one attempt or one model, or a threshold is missing.',
    fix: 'Set what the message names, or take the cascade or the check out.',
  },
  CONFIG_JAILBREAK_NOT_SCORED: {
    severity: 'warning',
    what: 'The jailbreak guard is on or a rule waits for its score, and the classifier of category_model.model_id gives none.',
    fix: 'Choose a classifier whose manifest has outputs.jailbreak, like switchyard-minilm, or set guards.jailbreak.action: off.',
  },
  CONFIG_KEY_NOT_SET: {
    severity: 'warning',
    what: 'api_key_env names an environment variable that is not set, so the endpoint will get no key of ours.',
    fix: 'Set the variable before the router starts.',
  },
} as const satisfies Record<string, { severity: 'error' | 'warning'; what: string; fix: string }>;

export type ConfigCode = keyof typeof CONFIG_CODES;
/** Keys and list positions from the root: `['categories', 2, 'name']`. */
export type ConfigPath = readonly (string | number)[];

/** One thing that is wrong with a file. Line and column count from 1; a column is a UTF-16 code unit. */
export interface Problem {
  readonly code: ConfigCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Like `categories[2].model_scores[0].model`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly allowed: string;
  readonly fix: string;
}

/** A problem before it is known where in the text its path stands. */
export interface Finding {
  readonly code: ConfigCode;
  readonly path: ConfigPath;
  /** Point at the key or at the value (the value is the default). */
  readonly at?: 'key' | 'value';
  /** Where exactly, when that is not the start of the key or value: an offset in the text. */
  readonly offset?: number;
  readonly message: string;
  readonly allowed: string;
  readonly fix: string;
}

/** The printed form of a path: `a.b[2]["odd key"].c`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** `CODE file:line:col path: what; allowed; how to fix`, always one line. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const what = [problem.message, problem.allowed, problem.fix].filter((part) => part !== '').join('; ');
  return `${problem.code} ${place}${problem.path === '' ? '' : ` ${problem.path}`}: ${what}`.replace(
    /\s*[\r\n]+\s*/g,
    ' ',
  );
}
