/**
 * Names whose values never reach a log line, whatever object they came in with, at any depth. The lines are built from named fields in
 * the first place; this is the second lock, for a `{ headers }` or `{ config }` that someone logs one day.
 */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'api_key',
  'apikey',
  'key',
  'token',
  'secret',
  'password',
]);
const REDACTED = '[redacted]';
/** Nothing that is logged on purpose nests so deep; deeper values are dropped rather than searched. */
const MAX_DEPTH = 12;

/**
 * The fields with secret values replaced; the same object where there are none, which is the case that must cost little: a search by
 * pino's own path patterns took 0.1 ms a line, as long as routing itself.
 */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactMembers(fields, 0);
}

function redactMembers(object: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(object)) {
    const value = object[name];
    const shown = value != null && SECRET_NAMES.has(name.toLowerCase()) ? REDACTED : redactValue(value, depth + 1);
    if (shown === value) continue;
    copy ??= { ...object };
    copy[name] = shown;
  }
  return copy ?? object;
}

function redactValue(value: unknown, depth: number): unknown {
  // An error is written by its own serializer, which redacts what comes out of it.
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth > MAX_DEPTH) return REDACTED;
  if (!Array.isArray(value)) return redactMembers(value as Record<string, unknown>, depth);
  const shown = value.map((item) => redactValue(item, depth + 1));
  return shown.every((item, index) => item === value[index]) ? value : shown;
}
