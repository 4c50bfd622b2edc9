/** The schema as JSON Schema: for editors, for docs/config.md, and to say what is allowed at a place. */
import { z } from 'zod';
import type { ConfigPath } from './problem.ts';
import { configSchema } from './schema.ts';

/** The parts of JSON Schema that ours uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  /** The kind of a text that is written with a unit: duration or size. */
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly pattern?: string;
}

/** JSON Schema (2020-12) of what may stand in the file: durations and sizes are text, keys with a default are optional. */
export function configJsonSchema(): JsonSchema {
  cached ??= z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return cached;
}

/** Made at the first use: most commands never need it. */
let cached: JsonSchema | undefined;

/** The schema of the value at a path; null where the path leads out of it. Of alternatives, the first that knows the next step. */
export function schemaAt(root: JsonSchema, path: ConfigPath): JsonSchema | null {
  return descend(root, root, path);
}

function descend(schema: JsonSchema, root: JsonSchema, path: ConfigPath): JsonSchema | null {
  const here = resolve(schema, root);
  const [step, ...rest] = path;
  if (step === undefined) return here;
  const inner = typeof step === 'number' ? here.items : propertyOf(here, step);
  if (inner !== undefined) return descend(inner, root, rest);
  for (const branch of here.anyOf ?? here.oneOf ?? []) {
    const found = descend(branch, root, path);
    if (found !== null) return found;
  }
  return null;
}

function propertyOf(schema: JsonSchema, key: string): JsonSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** A schema that contains itself is written once, under $defs, and referred to: `#/$defs/name`, or `#` for the root. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  return schema.$ref === '#' ? root : (root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? schema);
}

/** Keys that a mapping may have; empty for one with free keys. Those of all alternatives, where there are several. */
export function keysOf(schema: JsonSchema | null): readonly string[] {
  if (schema === null) return [];
  const branches = schema.anyOf ?? schema.oneOf ?? [];
  return [...new Set([...Object.keys(schema.properties ?? {}), ...branches.flatMap((branch) => keysOf(branch))])];
}

/** What may stand here, in words: `a whole number from 1 to 65535`, `one of open, closed`, `a list`. */
export function describeAllowed(schema: JsonSchema | null): string {
  if (schema === null) return '';
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const constants = branches.flatMap((branch) => (branch.const === undefined ? [] : [JSON.stringify(branch.const)]));
    if (constants.length === branches.length) return `one of ${constants.join(', ')}`;
    return [...new Set(branches.map(describeAllowed))].join(', or ');
  }
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'string':
      if (schema.title !== undefined) return `a ${schema.title} with its unit: ${(schema.examples ?? []).join(', ')}`;
      return schema.minLength !== undefined && schema.minLength > 0 ? 'a text that is not empty' : 'a text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return schema.minItems !== undefined && schema.minItems > 0 ? 'a list that is not empty' : 'a list';
    case 'object':
      return 'a mapping';
    case undefined:
    default:
      return '';
  }
}

function range(schema: JsonSchema): string {
  // zod writes the safe integers as limits of every int(); they are no limit that anyone meant.
  const low = schema.minimum === Number.MIN_SAFE_INTEGER ? undefined : schema.minimum;
  const high = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum;
  if (schema.exclusiveMinimum === 0) return high === undefined ? ' above 0' : ` above 0, at most ${high}`;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return ` of at least ${low}`;
  return high === undefined ? '' : ` of at most ${high}`;
}
