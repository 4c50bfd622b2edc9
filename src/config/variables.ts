import { resolveScalar } from './yaml-tree.ts';

/** What the process was given; only names that a config mentions are read. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface VariableError {
  readonly kind: 'missing' | 'malformed';
  /** The variable's name, or the text between the braces when it is not a name. */
  readonly name: string;
  readonly closed: boolean;
}

export interface Substituted {
  readonly text: string;
  /** True when any variable was read: such a text may hold a secret and is never printed. */
  readonly substituted: boolean;
  /** True when the whole text is one variable, whose value may then be a number, a boolean or null. */
  readonly whole: boolean;
  readonly errors: readonly VariableError[];
}

/** `$${` or `${…}`; a dollar sign in any other company is plain text, so that prices and formulas in prompts stay as they are. */
const PATTERN = /\$\$\{|\$\{([^}]*)\}?/g;
const FORM = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Puts the environment's values for `${VAR}` and `${VAR:-default}` (unset or empty) and `${` for `$${`. A default is taken literally. */
export function substitute(text: string, environment: Environment): Substituted {
  const errors: VariableError[] = [];
  let substituted = false as boolean;
  const result = text.replace(PATTERN, (match: string, inside: string | undefined) => {
    if (match === '$${') return '${';
    const form = match.endsWith('}') ? FORM.exec(inside ?? '') : null;
    const name = form?.[1];
    if (form === null || name === undefined) {
      errors.push({ kind: 'malformed', name: inside ?? '', closed: match.endsWith('}') });
      return match;
    }
    substituted = true;
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const fallback = form[2];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) errors.push({ kind: 'missing', name, closed: true });
    return value ?? '';
  });
  return { text: result, substituted, whole: substituted && /^\$\{[^}]*\}$/.test(text), errors };
}

/** A variable's text as YAML would read it unquoted: "8000" → 8000, "true" → true. Text that is not one plain scalar stays text. */
export function retype(text: string): unknown {
  return resolveScalar(text);
}
