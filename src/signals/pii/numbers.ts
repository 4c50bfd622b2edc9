import { COLON, DASH, DOT, isDigit, isLetter, isWord, OPEN, SLASH, SPACE, wordEnd, wordStart } from './characters.ts';
import { cardAt } from './card.ts';
import { birthDateAt, dateAt } from './dates.ts';
import { documentAt } from './document.ts';
import type { PiiFinding } from './finding.ts';
import { ibanAt } from './iban.ts';
import type { Labels } from './labels.ts';
import { colonRunAt, dashedMacAt, dottedMacAt, ipv4At } from './network.ts';
import { phoneAt, type NumberingPlans } from './phone.ts';
import { postcodeAt } from './postcode.ts';
import { ssnAt } from './ssn.ts';
import type { Word } from './word.ts';

/** Nothing that is looked for here has a longer piece; hashes and encoded files have. */
const LONGEST_WORD = 40;

/** Everything that has a digit in its first piece, but keys: one step a character, and a bounded look around each word with a digit. */
export interface NumberSearch {
  /** Findings that begin in what has not been searched yet and before `to`; nothing is found twice. */
  advance(to: number): PiiFinding[];
}

/** Searches `text`; one search goes through it once. */
export function createNumberSearch(text: string, labels: Labels, plans: NumberingPlans): NumberSearch {
  let searchedTo = 0;
  let foundTo = 0;
  return {
    advance: (to) => {
      const findings: PiiFinding[] = [];
      let at = searchedTo;
      while (at < to) {
        at = nextDigit(text, at);
        if (at >= to) break;
        const word = wordAround(text, at);
        const run = isBesideColon(text, word) ? colonRunAt(text, word, labels) : null;
        const finding = run === null ? wordFinding(text, word, labels, plans) : run.finding;
        at = Math.max(word.end, run?.end ?? 0);
        if (finding !== null && finding.start >= foundTo) {
          findings.push(finding);
          foundTo = finding.end;
          at = Math.max(at, foundTo);
        } else if (run === null) at = rest(text, word.end);
      }
      searchedTo = Math.max(searchedTo, at);
      return findings;
    },
  };
}

const DIGIT = /\d/g;
/** In a dense table the next digit is near, and a call of the regular expression costs more than a few steps; in prose it is far. */
const STEPS = 12;

/** Where the next digit is, from `at` on, however far; the text's length when there is none. */
function nextDigit(text: string, at: number): number {
  const near = Math.min(text.length, at + STEPS);
  for (let i = at; i < near; i += 1) if (isDigit(text.charCodeAt(i))) return i;
  DIGIT.lastIndex = near;
  return DIGIT.test(text) ? DIGIT.lastIndex - 1 : text.length;
}

function isBesideColon(text: string, { start, end }: Word): boolean {
  return end - start <= 4 && (text.charCodeAt(end) === COLON || text.charCodeAt(start - 1) === COLON);
}

function wordFinding(text: string, word: Word, labels: Labels, plans: NumberingPlans): PiiFinding | null {
  if (word.end - word.start > LONGEST_WORD) return null;
  return word.plain ? digitsAt(text, word, labels, plans) : mixedAt(text, word, labels);
}

function wordAround(text: string, at: number): Word {
  const start = wordStart(text, at);
  let plainEnd = at;
  while (isDigit(text.charCodeAt(plainEnd))) plainEnd += 1;
  const end = wordEnd(text, plainEnd);
  return { start, end, plain: start === at && plainEnd === end };
}

/** Nothing but digits. Each look is taken only where the length and the characters beside allow it: most numbers are nothing. */
function digitsAt(text: string, word: Word, labels: Labels, plans: NumberingPlans): PiiFinding | null {
  const length = word.end - word.start;
  const next = text.charCodeAt(word.end);
  const goesOn = isDigit(text.charCodeAt(word.end + 1));
  if (length === 8 || (length <= 4 && dateAt(text, word) !== null)) {
    const born = birthDateAt(text, word, labels);
    if (born !== null || length <= 4) return born;
  }
  if (goesOn && next === DOT) {
    const dotted = length === 4 ? dottedMacAt(text, word, labels) : length < 4 ? ipv4At(text, word) : null;
    if (dotted !== null) return dotted;
  }
  if (length === 2 && (next === DASH || text.charCodeAt(word.start - 1) === DASH)) {
    const mac = dashedMacAt(text, word);
    if (mac !== null) return mac;
  }
  const grouped = goesOn && (next === DASH || next === SPACE);
  return (
    (length === 9 || (length === 3 && grouped) ? ssnAt(text, word, labels) : null) ??
    (length >= 13 || (length === 4 && grouped) ? cardAt(text, word, labels) : null) ??
    postcodeAt(text, word, labels) ??
    (length >= 7 || goesOn || isOpen(text, word) ? phoneAt(text, word, labels, plans) : null) ??
    documentAt(text, word, labels)
  );
}

/** A parenthesis or two separators follow or stand before: (212) 555…, 212 (555)… */
function isOpen(text: string, { start, end }: Word): boolean {
  return text.charCodeAt(start - 1) === OPEN || isDigit(text.charCodeAt(end + 2));
}

/** Letters and digits. */
function mixedAt(text: string, word: Word, labels: Labels): PiiFinding | null {
  const length = word.end - word.start;
  const next = text.charCodeAt(word.end);
  if (length === 2 && (next === DASH || text.charCodeAt(word.start - 1) === DASH)) {
    const mac = dashedMacAt(text, word);
    if (mac !== null) return mac;
  }
  if (length === 4 && next === DOT) {
    const mac = dottedMacAt(text, word, labels);
    if (mac !== null) return mac;
  }
  if (length <= 4 && isDigit(text.charCodeAt(word.start))) {
    const born = birthDateAt(text, word, labels);
    if (born !== null) return born;
  }
  const letters = isLetter(text.charCodeAt(word.start));
  return (
    (letters && length >= 4 ? ibanAt(text, word) : null) ??
    (length <= 7 ? postcodeAt(text, word, labels) : null) ??
    documentAt(text, word, labels)
  );
}

/** Parts that hang together by points, dashes and strokes are nothing as a whole, and none of them is looked at alone; after a space is anew. */
function rest(text: string, from: number): number {
  let at = from;
  while (isGlue(text.charCodeAt(at)) && isDigit(text.charCodeAt(at + 1))) {
    at += 1;
    while (isWord(text.charCodeAt(at))) at += 1;
  }
  return at;
}

function isGlue(code: number): boolean {
  return code === DOT || code === DASH || code === SLASH;
}
