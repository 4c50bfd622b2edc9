import { resolve } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** One key of the file, as docs/config.md lists it. */
export interface ConfigKey {
  /** `vllm_endpoints[].tls.enabled`, `model_config.NAME.quality`. */
  readonly path: string;
  /** How many keys stand above it. */
  readonly depth: number;
  readonly type: string;
  readonly required: boolean;
  /** Undefined where absent means "not set". */
  readonly default: unknown;
  readonly meaning: string;
}

/** Every key of a schema, parents before children. A schema that contains itself is listed once and then referred to. */
export function configKeys(root: JsonSchema): readonly ConfigKey[] {
  return keysBelow(root, root, '', 0, new Set());
}

function keysBelow(
  schema: JsonSchema,
  root: JsonSchema,
  above: string,
  depth: number,
  open: ReadonlySet<JsonSchema>,
): readonly ConfigKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, given]) => {
    const inner = resolve(given, root);
    const path = above === '' ? name : `${above}.${name}`;
    const required = schema.required?.includes(name) === true && given.default === undefined;
    const meaning = given.description ?? inner.description ?? '';
    const shown = shownDefault(given.default ?? inner.default);
    const own = { path, depth, type: typeName(inner, root), required, default: shown, meaning };
    return [own, ...childrenOf(inner, root, path, depth, open)];
  });
}

function childrenOf(
  schema: JsonSchema,
  root: JsonSchema,
  path: string,
  depth: number,
  open: ReadonlySet<JsonSchema>,
): readonly ConfigKey[] {
  const here = resolve(schema, root);
  if (open.has(here)) return [];
  const within = new Set([...open, here]);
  if (here.properties !== undefined) return keysBelow(here, root, path, depth + 1, within);
  if (here.items !== undefined) return childrenOf(here.items, root, `${path}[]`, depth, within);
  if (typeof here.additionalProperties === 'object') {
    return childrenOf(here.additionalProperties, root, `${path}.NAME`, depth, within);
  }
  return (here.anyOf ?? here.oneOf ?? []).flatMap((branch) => childrenOf(branch, root, path, depth, within));
}

/** Empty lists and mappings say no more than "not set". */
function shownDefault(value: unknown): unknown {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? undefined : value;
}

function typeName(schema: JsonSchema, root: JsonSchema): string {
  const here = resolve(schema, root);
  const branches = here.anyOf ?? here.oneOf;
  if (branches !== undefined) return [...new Set(branches.map((branch) => typeName(branch, root)))].join(' or ');
  if (here.enum !== undefined) return here.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (here.const !== undefined) return `\`${JSON.stringify(here.const)}\``;
  switch (here.type) {
    case 'integer':
    case 'number': {
      const what = here.type === 'integer' ? 'whole number' : 'number';
      const { low, high } = limitsOf(here);
      if (low !== undefined && high !== undefined) return `${what} ${low}..${high}`;
      if (here.exclusiveMinimum === 0) return `${what} > 0`;
      return low === undefined ? what : `${what} ≥ ${low}`;
    }
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list of ${here.items === undefined ? 'values' : plural(typeName(here.items, root))}`;
    case 'object':
      return 'mapping';
    case 'string':
      return here.title ?? 'text';
    case undefined:
    default:
      return 'value';
  }
}

function plural(type: string): string {
  return ['text', 'mapping', 'number'].includes(type) ? `${type}s` : type;
}

function limitsOf(schema: JsonSchema): { readonly low: number | undefined; readonly high: number | undefined } {
  return {
    low: schema.minimum === Number.MIN_SAFE_INTEGER ? undefined : schema.minimum,
    high: schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum,
  };
}
