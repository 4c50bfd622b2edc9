/** A `${…}` longer than this is not looked for. */
const LONGEST_VARIABLE = 500;

/** The `${…}` in plain text that an offset lies in. A quote before it on its line leaves that open: then it is not taken for one. */
export function variableAt(
  text: string,
  offset: number,
): { readonly offset: number; readonly variable: string } | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const start = text.lastIndexOf('${', offset);
  if (start < lineStart) return null;
  const variable = /^\$\{[^}\n]*\}/.exec(text.slice(start, start + LONGEST_VARIABLE))?.[0];
  if (variable === undefined || start + variable.length <= offset) return null;
  // Quotes that were closed before it come in pairs.
  const quotes = text.slice(lineStart, start).match(/["']/g)?.length ?? 0;
  return quotes % 2 === 0 ? { offset: start, variable } : null;
}
