import { withoutClassicKeys } from './classic.ts';
import { issueFindings, pathOf, valueAt } from './issues.ts';
import { offsetOfPath, placeOfOffset } from './locate.ts';
import { CONFIG_CODES, formatPath } from './problem.ts';
import type { ConfigPath, Finding, Problem } from './problem.ts';
import { CHECKS } from './references.ts';
import { buildRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import { configSchema } from './schema.ts';
import type { RouterConfig } from './schema.ts';
import { isMapping } from './select.ts';
import { toPlain } from './plain.ts';
import type { PlainResult } from './plain.ts';
import type { Environment } from './variables.ts';
import { parseTree } from './yaml-tree.ts';
import type { TreeError } from './yaml-tree.ts';

export type LoadOutcome =
  | { readonly kind: 'loaded'; readonly registry: Registry; readonly warnings: readonly Problem[] }
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * Reads a configuration: YAML → variables → classic keys out → schema → cross references → registry. Never throws, reports all problems at
 * once, in the order of the file. `file` is only printed; nothing is read but `text` and `environment`.
 */
export function load(text: string, file: string, environment: Environment): LoadOutcome {
  const tree = parseTree(text);
  const problemAt = (finding: Omit<Finding, 'at'>, offset: number): Problem => ({
    code: finding.code,
    file,
    ...placeOfOffset(text, offset),
    path: formatPath(finding.path),
    message: finding.message,
    allowed: finding.allowed,
    fix: finding.fix,
  });
  const treeProblems = tree.errors.map((error) => problemAt(treeFinding(error), error.offset));
  const root = tree.root;
  if (root === null) return { kind: 'rejected', problems: treeProblems, warnings: [] };

  const plain = toPlain(root, environment);
  const classic = withoutClassicKeys(plain.value);
  const checked = parseConfig(classic.value, plain);
  const findings = [...plain.findings, ...classic.findings, ...checked.findings];
  const all = [
    ...treeProblems,
    ...findings.map((finding) => problemAt(finding, offsetOfPath(root, finding.path, finding.at))),
  ].sort((one, two) => one.line - two.line || one.column - two.column);

  const problems = all.filter(({ code }) => CONFIG_CODES[code].severity === 'error');
  const warnings = all.filter(({ code }) => CONFIG_CODES[code].severity === 'warning');
  if (problems.length > 0 || checked.config === null) return { kind: 'rejected', problems, warnings };
  return { kind: 'loaded', registry: buildRegistry(checked.config), warnings };
}

function treeFinding(error: TreeError): Finding {
  return error.kind === 'duplicate_key'
    ? {
        code: 'CONFIG_DUPLICATE_KEY',
        path: error.path,
        message: error.message,
        allowed: 'each key once in a mapping',
        fix: 'keep one of them',
      }
    : {
        code: 'CONFIG_SYNTAX',
        path: error.path,
        message: error.message,
        allowed: 'one YAML document',
        fix: 'mend the YAML here',
      };
}

interface Checked {
  readonly config: RouterConfig | null;
  readonly findings: readonly Finding[];
}

function parseConfig(raw: unknown, plain: PlainResult): Checked {
  const show = (path: ConfigPath, value: unknown): string => {
    const source = plain.fromEnvironment.get(formatPath(path))?.source;
    return source === undefined ? abridge(JSON.stringify(value)) : source;
  };
  if (!isMapping(raw)) {
    const message = raw === null ? 'the file is empty' : 'the file is not a mapping';
    return {
      config: null,
      findings: [
        {
          code: 'CONFIG_WRONG_TYPE',
          path: [],
          message,
          allowed: 'a mapping of keys to values',
          fix: 'write at least vllm_endpoints',
        },
      ],
    };
  }
  let value: unknown = raw;
  let parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    value = reread(raw, parsed.error.issues.map(pathOf), plain);
    if (value !== raw) parsed = configSchema.safeParse(value);
  }
  const issues = parsed.success ? [] : issueFindings(parsed.error.issues, value, show);
  return { config: parsed.data ?? null, findings: [...issues, ...CHECKS.flatMap((check) => check(value))] };
}

/** Values of the environment are text; where the key wants a number or a boolean (or text after all), the other reading is taken. */
function reread(raw: unknown, paths: readonly ConfigPath[], plain: PlainResult): unknown {
  let value = raw;
  for (const path of paths) {
    const other = plain.fromEnvironment.get(formatPath(path))?.readings[1];
    if (other === undefined) continue;
    if (value === raw) value = structuredClone(raw);
    const holder = valueAt(value, path.slice(0, -1)) as Record<string | number, unknown>;
    const last = path.at(-1);
    if (last !== undefined) holder[last] = other;
  }
  return value;
}

/** Values in messages are cut: a pasted prompt or certificate belongs in no log. */
function abridge(text: string | undefined): string {
  if (text === undefined) return 'this';
  return text.length <= 60 ? text : `${text.slice(0, 57)}…"`;
}
