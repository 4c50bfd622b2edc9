import { CLASSIC_KEYS } from './classic.ts';
import { configJsonSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

type Editable = { -readonly [K in keyof JsonSchema]: JsonSchema[K] } & { deprecated?: boolean };

/**
 * The JSON Schema for editors: the file's own, with the classic keys marked as deprecated where it would call them unknown, and room for
 * `${VAR}` where a number or boolean belongs.
 */
export function editorSchema(): JsonSchema {
  const root = structuredClone(configJsonSchema()) as Editable;
  for (const pattern of CLASSIC_KEYS) allowClassic(root, pattern.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? []);
  return { title: 'Switchyard configuration', ...withVariables(root) };
}

function allowClassic(schema: Editable, steps: readonly string[]): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (step === '[]') {
    if (schema.items !== undefined) allowClassic(schema.items, rest);
  } else if (step === '{}') {
    if (typeof schema.additionalProperties === 'object') allowClassic(schema.additionalProperties, rest);
  } else if (rest.length > 0) {
    const inner = schema.properties?.[step];
    if (inner !== undefined) allowClassic(inner, rest);
  } else {
    const classic = { deprecated: true, description: 'Of vLLM Semantic Router; no effect yet.' };
    schema.properties = { ...schema.properties, [step]: classic };
  }
}

const VARIABLE: JsonSchema = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}$' };

function withVariables(schema: JsonSchema): JsonSchema {
  const each = (schemas: Readonly<Record<string, JsonSchema>>) =>
    Object.fromEntries(Object.entries(schemas).map(([key, inner]) => [key, withVariables(inner)]));
  const { type, minimum, maximum, exclusiveMinimum, ...rest } = schema;
  if (type === 'number' || type === 'integer' || type === 'boolean') {
    const own = { type, minimum, maximum, exclusiveMinimum };
    return { ...rest, anyOf: [JSON.parse(JSON.stringify(own)) as JsonSchema, VARIABLE] };
  }
  return {
    ...schema,
    ...(schema.properties === undefined ? {} : { properties: each(schema.properties) }),
    ...(schema.$defs === undefined ? {} : { $defs: each(schema.$defs) }),
    ...(schema.items === undefined ? {} : { items: withVariables(schema.items) }),
    ...(schema.anyOf === undefined ? {} : { anyOf: schema.anyOf.map(withVariables) }),
    ...(typeof schema.additionalProperties === 'object'
      ? { additionalProperties: withVariables(schema.additionalProperties) }
      : {}),
  };
}
