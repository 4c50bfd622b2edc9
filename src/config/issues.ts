/** zod's issues in the words of docs/errors.md. */
import type { z } from 'zod';
import { isRecord } from '../record.ts';
import { configJsonSchema, describeAllowed, keysOf, schemaAt } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { CONFIG_CODES } from './problem.ts';
import type { ConfigCode, ConfigPath, Finding } from './problem.ts';
import { suggestion } from './suggest.ts';

type Issue = z.core.$ZodIssue;
/** Prints the value at a path, without giving away what came from the environment. */
type Show = (path: ConfigPath, value: unknown) => string;

/** The findings of one parse of `raw`. An issue that a schema adds by hand says more in its `params`: code, what, allowed, fix (all texts, all optional). */
export function issueFindings(issues: readonly Issue[], raw: unknown, show: Show): readonly Finding[] {
  const root = configJsonSchema();
  return issues.flatMap((issue) => findingsOf(issue, pathOf(issue), raw, root, show));
}

/** Issue paths have keys as texts and positions as numbers, like ours; symbols never occur in YAML. */
export function pathOf(issue: { readonly path: readonly PropertyKey[] }): ConfigPath {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

/** The value that a path leads to in an unchecked config; undefined where it leads nowhere. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isRecord(value) && Object.hasOwn(value, String(step))) value = value[String(step)];
    else return undefined;
  }
  return value;
}

/** A key that looks as if its value were a secret: the message then says where secrets go, and the value is never printed. */
const SECRET_KEY = /^(api_?key|access_?key|secret|token|password|authorization)$/i;

/** A longer list of keys is no help in a terminal. */
const MOST_KEYS_SHOWN = 12;

function findingsOf(issue: Issue, path: ConfigPath, raw: unknown, root: JsonSchema, show: Show): readonly Finding[] {
  const value = valueAt(raw, path);
  const here = schemaAt(root, path);
  const allowed = describeAllowed(here);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(here);
      return issue.keys.map((key) => ({
        code: 'CONFIG_UNKNOWN_KEY',
        path: [...path, key],
        at: 'key',
        message: `${JSON.stringify(key)} is not a key here`,
        allowed: known.length > MOST_KEYS_SHOWN ? 'a key that docs/config.md lists' : `one of ${known.join(', ')}`,
        fix: SECRET_KEY.test(key)
          ? 'secrets do not stand in this file: put the name of an environment variable under api_key_env of the endpoint'
          : suggestion(key, known, 'remove it'),
      }));
    }
    case 'invalid_type':
      return [wrongType(issue.expected, path, value, here, show)];
    case 'too_small':
    case 'too_big': {
      const much = issue.code === 'too_small' ? 'too small' : 'too large';
      const message =
        value === ''
          ? 'this text is empty'
          : Array.isArray(value)
            ? `this list has ${value.length} items`
            : `${show(path, value)} is ${much}`;
      return [{ code: 'CONFIG_OUT_OF_RANGE', path, message, allowed, fix: 'write a value that is allowed' }];
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const fix = typeof value === 'string' ? suggestion(value, values, 'use one of them') : 'use one of them';
      return [
        {
          code: 'CONFIG_NOT_ALLOWED',
          path,
          message: `${isContainer(value) ? 'this' : show(path, value)} is not a known value`,
          allowed: `one of ${values.join(', ')}`,
          fix,
        },
      ];
    }
    case 'invalid_union': {
      // The alternative that could be read furthest is the one that was meant.
      const deepest = [...issue.errors].sort((one, two) => reach(two) - reach(one))[0] ?? [];
      const words = issue.errors.flat().find((inner) => inner.code === 'invalid_value' && inner.path.length === 0);
      if (typeof value === 'string' && words !== undefined) return findingsOf(words, path, raw, root, show);
      if (reach(deepest) > 0) {
        return deepest.flatMap((inner) => findingsOf(inner, [...path, ...pathOf(inner)], raw, root, show));
      }
      return [
        {
          code: isContainer(value) ? 'CONFIG_WRONG_TYPE' : 'CONFIG_NOT_ALLOWED',
          path,
          message: isContainer(value) ? `this is ${kindOf(value)}` : `${show(path, value)} is not a known value`,
          allowed,
          fix: 'write one of the allowed forms',
        },
      ];
    }
    case 'custom': {
      const code = param(issue, 'code');
      return [
        {
          code: code !== null && isConfigCode(code) ? code : 'CONFIG_INVALID_VALUE',
          path,
          message: param(issue, 'what') ?? `${isContainer(value) ? 'this' : show(path, value)} ${issue.message}`,
          allowed: param(issue, 'allowed') ?? allowed,
          fix: param(issue, 'fix') ?? 'write a value that is allowed',
        },
      ];
    }
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element': {
      const prefix = 'prefix' in issue && typeof issue.prefix === 'string' ? issue.prefix : null;
      const own =
        issue.code === 'invalid_format' && issue.format === 'regex' ? issue.message : 'does not have the right form';
      return [
        {
          code: 'CONFIG_INVALID_VALUE',
          path,
          message: `${isContainer(value) ? 'this' : show(path, value)} ${own}`,
          allowed: prefix === null ? allowed : `a text that starts with ${JSON.stringify(prefix)}`,
          fix: 'write it in that form',
        },
      ];
    }
  }
}

function wrongType(expected: string, path: ConfigPath, value: unknown, here: JsonSchema | null, show: Show): Finding {
  const allowed = describeAllowed(here);
  if (value === undefined) {
    return {
      code: 'CONFIG_MISSING_KEY',
      path,
      message: `${JSON.stringify(path.at(-1) ?? '')} is missing`,
      allowed,
      fix: 'add it',
    };
  }
  if (typeof value === 'number' && here?.title !== undefined) {
    return {
      code: 'CONFIG_BAD_UNIT',
      path,
      message: `${show(path, value)} has no unit`,
      allowed,
      fix: 'write a number and its unit',
    };
  }
  const subject = isContainer(value) || value === null ? 'this' : show(path, value);
  return {
    code: 'CONFIG_WRONG_TYPE',
    path,
    message: `${subject} is ${kindOf(value)}`,
    allowed,
    fix: typeFix(expected, value),
  };
}

/** Length of the longest path of a branch's issues: how far into the value it was readable. */
function reach(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function param(issue: Issue, name: string): string | null {
  const params: unknown = 'params' in issue ? issue.params : undefined;
  const given = isRecord(params) ? params[name] : undefined;
  return typeof given === 'string' ? given : null;
}

function isConfigCode(code: string): code is ConfigCode {
  return Object.hasOwn(CONFIG_CODES, code);
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number with a fraction';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'boolean' ? 'true or false' : 'a mapping';
}

function typeFix(expected: string, value: unknown): string {
  if (value === null) return 'write a value, or remove the key';
  if (expected === 'string' && !isContainer(value)) return 'put it in quotes';
  if (expected === 'array') return 'write a list: [a, b], or lines that start with "- "';
  if (typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value)) return 'remove the quotes';
  if (expected === 'boolean' && typeof value === 'string' && /^(yes|no|on|off|true|false)$/i.test(value)) {
    return `write ${/^(yes|on|true)$/i.test(value) ? 'true' : 'false'}`;
  }
  return 'write a value of that type';
}
