import { RE2JS, RE2JSException, RE2Set } from 're2js';

/** Instructions that one compiled pattern may have: with the text limit of the caller it bounds the time of one search. */
const MAX_INSTRUCTIONS = 300;
const MAX_SOURCE_LENGTH = 1000;
/** Counted repetitions above this make many states when joined with other patterns; such a pattern is searched for alone. */
const JOINABLE_REPETITION = 8;
/** Bytes that the joined automaton may cache; it starts afresh beyond. */
const AUTOMATON_BYTES = 4 * 1024 * 1024;

/** Why a pattern can't be used, in words; null when it can. RE2 syntax: no look-around, no back-references. */
export function patternProblem(source: string): string | null {
  if (source.length > MAX_SOURCE_LENGTH) return `is longer than ${MAX_SOURCE_LENGTH} characters`;
  try {
    const size = RE2JS.compile(source).programSize();
    return size > MAX_INSTRUCTIONS ? 'is too large: lower its counted repetitions or split it' : null;
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return `is not a pattern: ${thrown.message}`;
    throw thrown;
  }
}

/** Searches texts for one pattern that `patternProblem` has passed: anywhere in the text, in time linear in its length. */
export function compilePattern(source: string): (text: string) => boolean {
  const pattern = RE2JS.compile(source);
  return (text) => pattern.test(text);
}

/** Patterns to search one text for together. */
export interface PatternSet {
  /** Positions of the patterns that occur anywhere in the text. Time is linear in the text's length. */
  search(text: string): ReadonlySet<number>;
}

/** Compiles patterns that `patternProblem` has passed; throws for others. */
export function compilePatterns(sources: readonly string[]): PatternSet {
  const joined = new RE2Set(RE2Set.UNANCHORED, 0, AUTOMATON_BYTES);
  const joinedAt: number[] = [];
  const alone: { readonly at: number; readonly pattern: RE2JS }[] = [];
  sources.forEach((source, at) => {
    if (mayJoin(source)) {
      joined.add(source);
      joinedAt.push(at);
    } else alone.push({ at, pattern: RE2JS.compile(source) });
  });
  if (joinedAt.length > 0) joined.compile();
  return {
    search(text) {
      const found = new Set<number>();
      if (joinedAt.length > 0) {
        for (const index of joined.match(text)) found.add(joinedAt[index] ?? -1);
      }
      for (const { at, pattern } of alone) if (pattern.test(text)) found.add(at);
      return found;
    },
  };
}

function mayJoin(source: string): boolean {
  const counts = [...source.matchAll(/\{(\d*)(?:,(\d*))?\}/g)];
  return counts.every(([, low = '', high]) => Math.max(Number(low), Number(high ?? low)) <= JOINABLE_REPETITION);
}
