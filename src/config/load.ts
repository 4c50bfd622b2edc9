import { isRecord } from '../record.ts';
import { CHECKS } from './checks.ts';
import { classifierChecks, type LookUpModel } from './classifier.ts';
import { modernize } from './classic.ts';
import { fillEmpty } from './empty.ts';
import { issueFindings, pathOf, valueAt } from './issues.ts';
import { configJsonSchema } from './json-schema.ts';
import { offsetOfPath, placesIn } from './locate.ts';
import { toPlain } from './plain.ts';
import type { PlainResult } from './plain.ts';
import { CONFIG_CODES, formatPath } from './problem.ts';
import type { ConfigPath, Finding, Problem } from './problem.ts';
import type { Check } from './references.ts';
import { buildRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import { configSchema } from './schema.ts';
import type { RouterConfig } from './schema.ts';
import type { Environment } from './variables.ts';
import { keysAreSet } from './warnings.ts';
import { parseTree } from './yaml-tree.ts';
import type { TreeError } from './yaml-tree.ts';

export type LoadOutcome =
  | { readonly kind: 'loaded'; readonly registry: Registry; readonly warnings: readonly Problem[] }
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * Reads a configuration: YAML → variables → classic keys out → schema → cross references → registry. Never throws on any text. All problems
 * come at once, in the order of the file. `file` is only printed; nothing is read but `text`, the variables that it names, and what `lookUp` looks
 * at: without it, whether there is such a classifier is not asked.
 */
export function load(
  text: string,
  file: string,
  environment: Environment,
  lookUp: LookUpModel | null = null,
): LoadOutcome {
  const { root, errors } = parseTree(text);
  const placeOf = placesIn(text);
  const problemAt = (finding: Finding, offset: number): Problem => ({
    code: finding.code,
    file,
    ...placeOf(offset),
    path: formatPath(finding.path),
    message: finding.message,
    allowed: finding.allowed,
    fix: finding.fix,
  });
  const treeProblems = errors.map((error) => problemAt(treeFinding(error), error.offset));
  if (root === null) return { kind: 'rejected', problems: treeProblems, warnings: [] };

  const plain = toPlain(root, text, environment);
  const shellChecks = [keysAreSet(environment), ...classifierChecks(lookUp)];
  const checked = checkPlain(plain, shellChecks, new Set(errors.map(({ path }) => formatPath(path))));
  const all = [
    ...treeProblems,
    ...checked.findings.map((finding) =>
      problemAt(finding, finding.offset ?? offsetOfPath(root, finding.path, finding.at)),
    ),
  ].sort((one, two) => one.line - two.line || one.column - two.column);

  const problems = all.filter(({ code }) => CONFIG_CODES[code].severity === 'error');
  const warnings = all.filter(({ code }) => CONFIG_CODES[code].severity === 'warning');
  if (problems.length > 0 || checked.config === null) return { kind: 'rejected', problems, warnings };
  return { kind: 'loaded', registry: buildRegistry(checked.config), warnings };
}

function treeFinding(error: TreeError): Finding {
  const { path, message } = error;
  switch (error.kind) {
    case 'syntax':
      return {
        code: 'CONFIG_SYNTAX',
        path,
        message,
        allowed: 'one well-formed YAML document',
        fix: 'mend the YAML here',
      };
    case 'unquoted_variable':
      return {
        code: 'CONFIG_SYNTAX',
        path,
        message: `${shortened(error.variable)} stands here without quotes, so its braces and colons are read as YAML (${message})`,
        allowed: 'quotes around a value with a ${…} inside [ ] or { }, or with a colon and a space in it',
        fix: 'put the whole value in quotes; it still takes the type that the key wants',
      };
    case 'duplicate_key':
      return {
        code: 'CONFIG_DUPLICATE_KEY',
        path,
        message,
        allowed: 'each key once in a mapping',
        fix: 'keep one of them',
      };
    case 'forbidden_key':
      return { code: 'CONFIG_UNKNOWN_KEY', path, message, allowed: 'any other name', fix: 'rename or remove it' };
  }
}

interface Checked {
  readonly config: RouterConfig | null;
  readonly findings: readonly Finding[];
}

/** `more`: checks of what lies outside the file. `broken`: paths of values that could not be read as YAML. */
function checkPlain(plain: PlainResult, more: readonly Check[], broken: ReadonlySet<string>): Checked {
  if (!isRecord(plain.value)) {
    const message = plain.value === null ? 'the file is empty' : 'the file is not a mapping';
    const allowed = 'a mapping of keys to values, with vllm_endpoints at least';
    return {
      config: null,
      findings: [{ code: 'CONFIG_WRONG_TYPE', path: [], message, allowed, fix: 'see docs/config.md' }],
    };
  }
  const modern = modernize(fillEmpty(plain.value, configJsonSchema()));
  let value = modern.value;
  let parsed = configSchema.safeParse(value);
  if (!parsed.success && plain.fromEnvironment.size > 0) {
    value = reread(value, parsed.error.issues.map(pathOf), plain);
    parsed = configSchema.safeParse(value);
  }
  const shown = (path: ConfigPath, given: unknown) => show(plain, path, given);
  const issues = parsed.success ? [] : issueFindings(parsed.error.issues, value, shown);
  const checks = [...CHECKS, ...more].flatMap((check) => check(value));
  // A value whose variable is missing, or that is no YAML, has been complained about: what its absence leads to is no second problem.
  const missing = new Set([...broken, ...plain.findings.map(({ path }) => formatPath(path))]);
  const others = [...issues, ...checks].filter(({ path }) => !missing.has(formatPath(path)));
  return { config: parsed.data ?? null, findings: [...plain.findings, ...modern.findings, ...others] };
}

/** Values of the environment are text; where the key wants a number or a boolean (or text after all), the other reading is taken. */
function reread(raw: unknown, paths: readonly ConfigPath[], plain: PlainResult): unknown {
  const value = structuredClone(raw);
  for (const path of paths) {
    const other = plain.fromEnvironment.get(formatPath(path))?.readings[1];
    const holder = valueAt(value, path.slice(0, -1));
    const last = path.at(-1);
    if (other === undefined || last === undefined) continue;
    if (Array.isArray(holder) || isRecord(holder)) (holder as Record<string | number, unknown>)[last] = other;
  }
  return value;
}

/** Longer values are cut: a pasted prompt or certificate belongs in no message. */
const LONGEST_SHOWN = 60;

/** Where someone may have put a secret by mistake. */
const SECRETIVE = /^(?:api_key|access_key|secret|token|password)/i;

/** A value as messages show it. One from the environment may be a secret: its `${VAR}` is shown; one beside a key's name is not shown at all. */
function show(plain: PlainResult, path: ConfigPath, value: unknown): string {
  if (path.some((step) => typeof step === 'string' && SECRETIVE.test(step))) return 'this';
  const source = plain.fromEnvironment.get(formatPath(path))?.source;
  return shortened(source ?? JSON.stringify(value));
}

function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN - 2)}…"`;
}
