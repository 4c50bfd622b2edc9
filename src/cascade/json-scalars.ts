/** What a JSON Schema can demand of numbers and texts. */
import { LRUCache } from 'lru-cache';
import { compilePattern, patternProblem } from '../config/pattern.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** Longer texts are not searched: the search runs on the event loop. */
const MAX_SEARCHED = 10_000;
type Search = (text: string) => boolean;
/** Compiled patterns that are kept; the same few schemas come again and again. */
const patterns = new LRUCache<string, { readonly search: Search | null }>({ max: 200 });

/** minimum, maximum, their exclusive forms (numbers, as since draft 6) and multipleOf. */
export function numberHolds(schema: Keywords, value: number): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === 'number' && value < minimum) return false;
  if (typeof maximum === 'number' && value > maximum) return false;
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return false;
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) return false;
  return typeof multipleOf !== 'number' || multipleOf <= 0 || isMultiple(value, multipleOf);
}

/** 0.3 is a multiple of 0.1, whatever binary fractions make of it. */
function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return !Number.isFinite(times) || Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
}

/** minLength and maxLength in characters (code points), and pattern, which may match anywhere. */
export function stringHolds(schema: Keywords, value: string): boolean {
  const { minLength, maxLength, pattern } = schema;
  if (typeof minLength === 'number' && characters(value) < minLength) return false;
  if (typeof maxLength === 'number' && characters(value) > maxLength) return false;
  if (typeof pattern !== 'string' || value.length > MAX_SEARCHED) return true;
  return compiled(pattern)?.(value) ?? true;
}

function characters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}

/** Null for a pattern that is too large or no RE2 (look-around, back-references): it demands nothing then. */
function compiled(source: string): Search | null {
  const known = patterns.get(source);
  if (known !== undefined) return known.search;
  const search = patternProblem(source) === null ? compilePattern(source) : null;
  patterns.set(source, { search });
  return search;
}
