import { DASH, isWord, SPACE } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

/** Groups that a number may be written in, and the characters of the longest: a British licence has 16. */
const MAX_GROUPS = 5;
const MAX_SYMBOLS = 18;
/** Words that turn a number after "passport" into something else: when it ends, what it costs. */
const OTHER =
  /(?:expir|valid|until|since|renew|cost|fee|price|version|page|section|before|after|opens|takes|\bin\b|\bon\b|\bfor\b|\bby\b)/i;

/**
 * A passport's or driving licence's number that begins at the word. Such numbers have no checksum, so that their label must stand before
 * them in the same sentence. US_PASSPORT and US_DRIVER_LICENSE are the kinds of any country's.
 */
export function documentAt(text: string, word: Word, labels: Labels): PiiFinding | null {
  if (word.end - word.start > MAX_SYMBOLS || /[.$€£+@]/.test(text.charAt(word.start - 1))) return null;
  const passport = labels.between(FAMILY.passport, word.start);
  const licence = labels.between(FAMILY.licence, word.start);
  const words = nearest(passport, licence);
  if (words === null || /\d/.test(words) || OTHER.test(words)) return null;
  const kind = words === passport ? 'US_PASSPORT' : 'US_DRIVER_LICENSE';
  const end = tokenEnd(text, word);
  const symbols = text.slice(word.start, end).replace(/[ -]/g, '');
  const digits = symbols.replace(/\D/g, '').length;
  const fits =
    kind === 'US_PASSPORT'
      ? symbols.length >= 6 && symbols.length <= 10
      : symbols.length >= 6 && symbols.length <= MAX_SYMBOLS;
  if (!fits || digits < 5 || isWord(text.charCodeAt(end))) return null;
  if (isLoose(text, word.start, words) && !/^[A-Z]\d{6,}$/.test(symbols)) return null;
  return { kind, start: word.start, end, confidence: 0.85 };
}

/** "license number" alone may be a shop's or a program's: then only a letter and digits, as driving licences have, will do. */
function isLoose(text: string, start: number, words: string): boolean {
  const end = start - words.length;
  return /(?<!driver'?s?'? |drivers |driving )licen[cs]e (?:number|no[.]?|#)$/i.test(
    text.slice(Math.max(0, end - 32), end),
  );
}

function nearest(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return one.length <= other.length ? one : other;
}

/** Further groups after a space or dash, each with a digit of its own. */
function tokenEnd(text: string, word: Word): number {
  let { end } = word;
  for (let group = 1; group < MAX_GROUPS; group += 1) {
    const separator = text.charCodeAt(end);
    if (separator !== SPACE && separator !== DASH) break;
    const next = /^[A-Z0-9]{2,8}(?![\w])/i.exec(text.slice(end + 1, end + 10))?.[0];
    if (next === undefined || !/\d/.test(next) || end + 1 + next.length - word.start > MAX_SYMBOLS + MAX_GROUPS) break;
    // After a space, a year or a day is the beginning of something else.
    if (separator === SPACE && /^(?:19|20)\d{2}$/.test(next)) break;
    end += 1 + next.length;
  }
  return end;
}
