/** The beginning and the end of a text that comes in parts, without joining what is not read. Parts are joined by line ends. */

/** The first `limit` characters, or one less: no line end stands last for its own sake. */
export function joinUpTo(parts: readonly string[], limit: number): string {
  const taken: string[] = [];
  let length = 0;
  for (const part of parts) {
    if (length >= limit) break;
    const piece = part.slice(0, limit - length);
    taken.push(piece);
    length += piece.length + 1;
  }
  return taken.join('\n');
}

/** The last `limit` characters, or one less. */
export function joinFromEnd(parts: readonly string[], limit: number): string {
  const taken: string[] = [];
  let length = 0;
  for (let index = parts.length - 1; index >= 0 && length < limit; index -= 1) {
    const piece = (parts[index] ?? '').slice(-(limit - length));
    taken.push(piece);
    length += piece.length + 1;
  }
  return taken.reverse().join('\n');
}

/** The whole text where it has at most `limit` characters; null for a longer one. */
export function joinWithin(parts: readonly string[], limit: number): string | null {
  // Two more than fit: one for the line end that is counted behind the last part, one to see that there is more.
  const whole = joinUpTo(parts, limit + 2);
  return whole.length <= limit ? whole : null;
}

/** The first `count` characters. */
export function firstCharacters(parts: readonly string[], count: number): string {
  return joinUpTo(parts, count + 1).slice(0, count);
}

/** The last `count` characters, `count` > 0. */
export function lastCharacters(parts: readonly string[], count: number): string {
  return joinFromEnd(parts, count + 1).slice(-count);
}
