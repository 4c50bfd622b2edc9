import { dump } from 'js-yaml';
import { isRecord } from '../record.ts';
import { configJsonSchema, schemaAt } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import type { ConfigPath } from './problem.ts';
import type { RouterConfig } from './schema.ts';
import { formatBytes, formatDuration } from './units.ts';

/** The config as YAML that `load` reads back to an equal config: defaults written out, units put back, `${` escaped. */
export function printConfig(config: RouterConfig): string {
  return dump(writable(config, configJsonSchema(), []), { noRefs: true, lineWidth: -1 });
}

/** What was parsed is valid input again, but for two things: durations and sizes need their unit, and a literal `${` its second dollar sign. */
function writable(value: unknown, schema: JsonSchema, path: ConfigPath): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (typeof value === 'number') {
    const unit = schemaAt(schema, path)?.title;
    if (unit === 'duration') return formatDuration(value);
    return unit === 'size' ? formatBytes(value) : value;
  }
  if (Array.isArray(value)) return value.map((item: unknown, index) => writable(item, schema, [...path, index]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, writable(inner, schema, [...path, key])]),
  );
}
