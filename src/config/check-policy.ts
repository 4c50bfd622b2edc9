/** Checks of the keys that decide: names of rules and tenants, patterns, time zones. Like all checks they read the values before the schema does. */
import { isRecord } from '../record.ts';
import { patternProblem } from './pattern.ts';
import { isPiiKind, NAMED_PII_KINDS } from './pii-kinds.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { type Check, knownModels, repeated } from './references.ts';
import { select, selectText } from './select.ts';
import { suggestion } from './suggest.ts';

const same = (name: string) => name;

/** Rules and tenants are told apart by their names: in logs, headers and the explanation. */
const namesStandOnce: Check = (raw) => [
  ...repeated(selectText(raw, 'rules[].name'), same, 'rule', 'a name that no other rule has'),
  ...repeated(selectText(raw, 'tenants.list[].name'), same, 'tenant', 'a name that no other tenant has'),
  ...keysStandOnce(raw),
];

/** A key that two tenants claim would belong to one of them only. Keys are not repeated in messages, hashed or not. */
const keysStandOnce: Check = (raw) => {
  const seen = new Set<string>();
  return selectText(raw, 'tenants.list[].api_key_sha256[]').flatMap(({ path, value }): readonly Finding[] => {
    if (!seen.has(value)) {
      seen.add(value);
      return [];
    }
    const message = 'this key is already listed';
    return [{ code: 'CONFIG_DUPLICATE_NAME', path, message, allowed: 'each key once', fix: 'remove one of them' }];
  });
};

const splitsNameModels: Check = (raw) => {
  const known = knownModels(raw);
  return select(raw, 'rules[].then.split.weights{}')
    .filter(({ path }) => !known.has(String(path.at(-1))))
    .map(({ path }) => ({
      code: 'CONFIG_UNKNOWN_MODEL',
      path,
      at: 'key',
      message: `${JSON.stringify(path.at(-1))} is not a configured model`,
      allowed: 'a model of model_config or of an endpoint',
      fix: suggestion(String(path.at(-1)), known, 'correct the name or configure the model'),
    }));
};

const splitsShareSomething: Check = (raw) =>
  select(raw, 'rules[].then.split.weights')
    .filter(({ value }) => isRecord(value) && !Object.values(value).some((weight) => Number(weight) > 0))
    .map(({ path }) => ({
      code: 'CONFIG_INVALID_VALUE',
      path,
      message: 'no model has a share',
      allowed: 'at least one weight above 0',
      fix: 'give a model a weight above 0',
    }));

const routeHasATarget: Check = (raw) =>
  selectText(raw, 'guards.jailbreak.action')
    .filter(({ value }) => value === 'route' && select(raw, 'guards.jailbreak.route_to').length === 0)
    .map(({ path }) => ({
      code: 'CONFIG_MISSING_KEY',
      path,
      message: 'action route needs "route_to"',
      allowed: 'a model in route_to',
      fix: 'add route_to, or choose block or flag',
    }));

/** Levels of all, any and not that a condition may have: enough for people, and a bound for whoever evaluates it. */
export const DEEPEST_CONDITION = 16;

const conditionsCanBeAsked: Check = (raw) =>
  select(raw, 'rules[].when').flatMap(({ path, value }) => conditionFindings(path, value, 0));

function conditionFindings(path: ConfigPath, condition: unknown, depth: number): readonly Finding[] {
  if (!isRecord(condition)) return [];
  if (depth > DEEPEST_CONDITION) {
    const message = `conditions are nested more than ${DEEPEST_CONDITION} deep`;
    return [
      {
        code: 'CONFIG_INVALID_VALUE',
        path,
        message,
        allowed: `at most ${DEEPEST_CONDITION} levels`,
        fix: 'write several rules',
      },
    ];
  }
  return [
    ...patternFindings([...path, 'regex'], condition['regex']),
    ...zoneFindings(path, condition['time']),
    ...kindFindings([...path, 'pii'], condition['pii']),
    ...listed(condition['all']).flatMap((inner, index) => conditionFindings([...path, 'all', index], inner, depth + 1)),
    ...listed(condition['any']).flatMap((inner, index) => conditionFindings([...path, 'any', index], inner, depth + 1)),
    ...conditionFindings([...path, 'not'], condition['not'], depth + 1),
  ];
}

function patternFindings(path: ConfigPath, given: unknown): readonly Finding[] {
  const patterns = typeof given === 'string' ? [{ path, value: given }] : items(path, given);
  return patterns.flatMap(({ path: at, value }): Finding[] => {
    const problem = patternProblem(value);
    if (problem === null) return [];
    return [
      {
        code: 'CONFIG_INVALID_VALUE',
        path: at,
        message: `this pattern ${problem}`,
        allowed: 'RE2 syntax, without look-around and back-references',
        fix: 'mend the pattern, or use keywords',
      },
    ];
  });
}

/** A rule that waits for a kind that is never found would guard nothing. */
function kindFindings(path: ConfigPath, given: unknown): readonly Finding[] {
  const kinds = typeof given === 'string' ? [{ path, value: given }] : items(path, given);
  return kinds
    .filter(({ value }) => value !== '' && value.toLowerCase() !== 'any' && !isPiiKind(value))
    .map(({ path: at, value }) => ({
      code: 'CONFIG_UNKNOWN_PII_KIND',
      path: at,
      message: `personal data of the kind ${JSON.stringify(value)} is not looked for, so this never holds`,
      allowed: `any, or one of ${NAMED_PII_KINDS.join(', ')}`,
      fix: suggestion(value, NAMED_PII_KINDS, 'use a kind that is looked for'),
    }));
}

function items(path: ConfigPath, given: unknown): readonly { readonly path: ConfigPath; readonly value: string }[] {
  return listed(given).flatMap((value, index) =>
    typeof value === 'string' ? [{ path: [...path, index], value }] : [],
  );
}

function zoneFindings(path: ConfigPath, time: unknown): readonly Finding[] {
  const zone = isRecord(time) ? time['timezone'] : undefined;
  if (typeof zone !== 'string' || isTimeZone(zone)) return [];
  return [
    {
      code: 'CONFIG_INVALID_VALUE',
      path: [...path, 'time', 'timezone'],
      message: `${JSON.stringify(zone)} is not a time zone`,
      allowed: 'an IANA name like Europe/Berlin, or UTC',
      fix: suggestion(zone, Intl.supportedValuesOf('timeZone'), 'correct the name'),
    },
  ];
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export const POLICY_CHECKS: readonly Check[] = [
  namesStandOnce,
  splitsNameModels,
  splitsShareSomething,
  routeHasATarget,
  conditionsCanBeAsked,
];
