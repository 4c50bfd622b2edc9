import type { ConfigPath } from './problem.ts';
import { parseTree } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

/** Line and column, both from 1; a column is a UTF-16 code unit, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Finds line and column of offsets in one text. Offsets past the end give the end. Lines end in LF, CR LF or CR. */
export function placesIn(text: string): (offset: number) => Place {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return (offset) => {
    const inside = Math.max(0, Math.min(offset, text.length));
    let line = 0;
    for (let high = starts.length; line + 1 < high;) {
      const middle = (line + high) >> 1;
      if ((starts[middle] ?? 0) <= inside) line = middle;
      else high = middle;
    }
    // A byte order mark takes no room on the screen.
    const mark = line === 0 && text.startsWith('\uFEFF') ? 1 : 0;
    return { line: line + 1, column: Math.max(1, inside - (starts[line] ?? 0) + 1 - mark) };
  };
}

/**
 * Offset of the value (or key) at a path. Where the path leads nowhere — a required key that is absent — it is that of the nearest thing
 * above it that exists.
 */
export function offsetOfPath(root: YamlNode, path: ConfigPath, at: 'key' | 'value' = 'value'): number {
  let node = root;
  let offset = root.start;
  for (const step of path) {
    if (node.kind === 'map' && typeof step === 'number') {
      // A mapping that stands for a list (scores by model): its n-th entry.
      const entry = [...node.entries.values()][step];
      if (entry === undefined) return offset;
      offset = entry.keyStart;
      node = entry.value;
    } else if (node.kind === 'map') {
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
  return root === null ? null : placesIn(text)(offsetOfPath(root, path, at));
}
