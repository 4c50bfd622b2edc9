/**
 * Keys of vLLM Semantic Router's 2025 files that have no effect here: accepted, named in one warning each, and taken out before the schema
 * reads the file. Two old spellings that do have a meaning are rewritten to today's.
 */
import type { Finding } from './problem.ts';
import { isMapping, select } from './select.ts';

/** Patterns as `select` reads them. A key that gets an effect leaves this list and enters the schema. */
export const CLASSIC_KEYS: readonly string[] = [
  'semantic_cache',
  'tools',
  'prompt_guard',
  'bert_model',
  'embedding_models',
  'api',
  'observability',
  'router',
  'metrics',
  'classifier.pii_model',
  'classifier.mcp_category_model',
  'classifier.category_model.use_modernbert',
];

/** Takes the classic keys out of a plain config. The input is not changed. */
export function withoutClassicKeys(raw: unknown): { readonly value: unknown; readonly findings: readonly Finding[] } {
  const value = structuredClone(raw);
  const findings: Finding[] = [];
  for (const pattern of CLASSIC_KEYS) {
    const found = select(value, pattern);
    const first = found[0];
    if (first === undefined) continue;
    findings.push({
      code: 'CONFIG_NO_EFFECT',
      path: first.path,
      at: 'key',
      message: `${pattern} is accepted but has no effect yet${found.length > 1 ? ` (it stands in ${found.length} places)` : ''}`,
      allowed: '',
      fix: 'remove it to silence this warning',
    });
    for (const { path } of found) remove(value, path);
  }
  return { value, findings };
}

function remove(root: unknown, path: readonly (string | number)[]): void {
  let holder: unknown = root;
  for (const step of path.slice(0, -1)) holder = (holder as Record<string | number, unknown>)[step];
  const last = path.at(-1);
  if (isMapping(holder) && typeof last === 'string') Reflect.deleteProperty(holder, last);
}
