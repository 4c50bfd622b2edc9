import { isRecord } from '../record.ts';
import { schemaAt } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import type { ConfigPath } from './problem.ts';

/**
 * A key without a value (`phi-4-mini:` with nothing but comments below it) means the same as `{}` where a mapping belongs, and the same as no
 * key elsewhere. Keys that the schema does not know stay as they are, to be reported. The input is not changed.
 */
export function fillEmpty(value: unknown, schema: JsonSchema, path: ConfigPath = []): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => fillEmpty(item, schema, [...path, index]));
  if (!isRecord(value)) return value;
  const filled: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const known = inner === null ? schemaAt(schema, [...path, key]) : null;
    if (known === null) filled[key] = fillEmpty(inner, schema, [...path, key]);
    else if (known.type === 'object') filled[key] = {};
  }
  return filled;
}
