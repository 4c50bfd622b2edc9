import type { ConfigPath, Finding } from './problem.ts';
import { formatPath } from './problem.ts';
import type { YamlNode, ScalarNode } from './yaml-tree.ts';
import { retype, substitute } from './variables.ts';
import type { Environment } from './variables.ts';

/** A plain value out of a tree. Objects have no prototype, so that no key of a file can reach one. */
export interface PlainResult {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Printed paths of values that came from the environment → both ways to read them (typed and as text). */
  readonly fromEnvironment: ReadonlyMap<string, { readonly source: string; readonly readings: readonly unknown[] }>;
}

/** The tree of a text as JSON-like values, with the environment's variables put in. Keys are never substituted. */
export function toPlain(root: YamlNode, text: string, environment: Environment): PlainResult {
  const findings: Finding[] = [];
  const fromEnvironment = new Map<string, { source: string; readings: readonly unknown[] }>();

  const scalar = (node: ScalarNode, path: ConfigPath): unknown => {
    if (!node.text.includes('${')) return node.value;
    const result = substitute(node.text, environment);
    for (const error of result.errors) {
      // Inside a long prompt the variable itself is the place to point at.
      const found = text.indexOf(`\${${error.name}`, node.start);
      const offset = found >= node.start && found < node.end ? found : node.start;
      findings.push(
        error.kind === 'missing'
          ? {
              code: 'CONFIG_MISSING_VARIABLE',
              path,
              offset,
              message: `the environment variable ${error.name} is not set`,
              allowed: 'a variable that is set, or one with a default',
              fix: `set ${error.name}, or write \${${error.name}:-default}`,
            }
          : {
              code: 'CONFIG_BAD_VARIABLE',
              path,
              offset,
              message: `\${${firstLine(error.name)}${error.closed ? '}' : ''} is not a variable`,
              allowed: '${VAR} or ${VAR:-default}, where VAR is letters, digits and _',
              fix: 'mend it, or write $${ for a literal ${',
            },
      );
    }
    if (!result.substituted) return result.text;
    const typed = result.whole ? retype(result.text) : result.text;
    // Quotes say "text"; without them YAML decides. When the key wants the other reading, `load` takes that one.
    const readings = node.plain ? [typed, result.text] : [result.text, typed];
    fromEnvironment.set(formatPath(path), { source: node.text, readings });
    return readings[0];
  };

  const plain = (node: YamlNode, path: ConfigPath): unknown => {
    if (node.kind === 'scalar') return scalar(node, path);
    if (node.kind === 'list') return node.items.map((item, index) => plain(item, [...path, index]));
    const object = Object.create(null) as Record<string, unknown>;
    for (const [key, entry] of node.entries) object[key] = plain(entry.value, [...path, key]);
    return object;
  };
  return { value: plain(root, []), findings, fromEnvironment };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
