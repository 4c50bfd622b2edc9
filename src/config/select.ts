import { isRecord } from '../record.ts';
import type { ConfigPath } from './problem.ts';

export interface Selected {
  readonly path: ConfigPath;
  readonly value: unknown;
}

/**
 * Every value that a pattern finds in an unchecked config: `categories[].model_scores[].model`, `model_config{}.fallbacks[]`. `[]` means each
 * item of a list, `{}` each value of a mapping. What has another shape is passed over: the schema complains about it.
 */
export function select(root: unknown, pattern: string): readonly Selected[] {
  let found: Selected[] = [{ path: [], value: root }];
  for (const step of pattern.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? []) {
    found = found.flatMap(({ path, value }) => {
      if (step === '[]') {
        return Array.isArray(value)
          ? value.map((item: unknown, index) => ({ path: [...path, index], value: item }))
          : [];
      }
      if (!isRecord(value)) return [];
      if (step === '{}') return Object.entries(value).map(([key, item]) => ({ path: [...path, key], value: item }));
      return Object.hasOwn(value, step) ? [{ path: [...path, step], value: value[step] }] : [];
    });
  }
  return found;
}

/** Like `select`, for texts only. */
export function selectText(
  root: unknown,
  pattern: string,
): readonly { readonly path: ConfigPath; readonly value: string }[] {
  return select(root, pattern).flatMap(({ path, value }) => (typeof value === 'string' ? [{ path, value }] : []));
}
