import type { ConfigPath } from './problem.ts';
import { parseTree } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

/** Line and column, both from 1; a column is a UTF-16 code unit, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. Offsets past the end give the end. */
export function placeOfOffset(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
  const line = before.split(/\r\n|\n|\r/).length;
  // A byte order mark takes no room on the screen.
  const mark = lineStart === 0 && text.startsWith('\uFEFF') ? 1 : 0;
  return { line, column: Math.max(1, before.length - lineStart + 1 - mark) };
}

/**
 * Offset of the value (or key) at a path. Where the path leads nowhere — a required key that is absent — it is that of the nearest thing
 * above it that exists.
 */
export function offsetOfPath(root: YamlNode, path: ConfigPath, at: 'key' | 'value' = 'value'): number {
  let node = root;
  let offset = root.start;
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return offset;
      offset = at === 'key' ? entry.keyStart : entry.value.start;
      // An empty value has no text of its own to point at.
      if (entry.value.kind === 'scalar' && entry.value.plain && entry.value.text === '') offset = entry.keyStart;
      node = entry.value;
    } else if (node.kind === 'list') {
      const item = node.items[Number(step)];
      if (item === undefined) return offset;
      offset = item.start;
      node = item;
    } else return offset;
  }
  return offset;
}

/** Line and column of the value at a path of a YAML text; null when the text is not YAML. */
export function locate(text: string, path: ConfigPath, at: 'key' | 'value' = 'value'): Place | null {
  const { root } = parseTree(text);
  return root === null ? null : placeOfOffset(text, offsetOfPath(root, path, at));
}
