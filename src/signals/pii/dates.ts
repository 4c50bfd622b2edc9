import { DASH, DOT, isDigit, isWord, matchAt, SLASH } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

/** Month names and their short forms in English, German, French, Spanish, Italian, Portuguese and Dutch. */
const MONTH =
  '(?:jan(?:uary?|uar|vier|eiro|uari)?|jänner|ene(?:ro)?|gen(?:naio)?|feb(?:ruary?|ruar|brero|braio|ruari)?|f[ée]v(?:rier|ereiro)?|mar(?:ch|zo|s|ço)?|' +
  'märz|maart|mrt|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maggio|maio|mei|june?|jun[io]o?|juin|giugno|junho|july?|jul[io]o?|juillet|luglio|' +
  'julho|aug(?:ust|ustus)?|ago(?:sto)?|août|sept?(?:ember|embre|iembre)?|set(?:tembre|embro)?|o[ck]t(?:ober|obre|ubre)?|out(?:ubro)?|ott(?:obre)?|' +
  'nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|embre|embro)?|d[ée]c(?:embre)?|dic(?:iembre|embre)?)';
const NUMERIC = /(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.]) ?\d{1,2}\2 ?(?:\d{4}|\d{2}))(?![\w])(?![-/.:]\d)/y;
const DAY_FIRST = new RegExp(
  `\\d{1,2}(?:st|nd|rd|th|er|\\.|º)?,? (?:of |de |di )?${MONTH}\\.?,?(?: de| of)? (?:\\d{4}|\\d{2})(?!\\w)`,
  'iy',
);
const DAY_SECOND = /\d{1,2}(?:st|nd|rd|th)?,? \d{4}(?!\w)/iy;
const MONTH_BEFORE = new RegExp(`(?<![\\p{L}])${MONTH}\\.? $`, 'iu');
const LABEL_AFTER =
  /^\W{0,3}(?:\(?(?:dob|d\.o\.b|birth ?date|date of birth)|is (?:my|his|her) (?:birthday|birth ?date|date of birth))/i;

const COMPACT = /^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/;
/** Ideas are born from something. */
const ORIGIN = /^ (?:from|out|of|to|with)\b/i;

/** Forms ask it of people who are alive. */
const OLDEST_FORM = 1900;
/** "born" is said of people in history books too; a person who can be asked is younger. */
const OLDEST_BORN = 1920;
const NEWEST = 2039;

/** A date of birth that begins at the word, or at the month before it: a date whose label or "born" stands in the same sentence. */
export function birthDateAt(text: string, word: Word, labels: Labels): PiiFinding | null {
  const date = dateAt(text, word) ?? compactDate(text, word, labels);
  if (date === null) return null;
  const { start, end } = date;
  const year = yearOf(text.slice(start, end));
  if (year > NEWEST) return null;
  const isForm = isLabelFor(labels.between(FAMILY.birthDate, start)) || LABEL_AFTER.test(text.slice(end, end + 32));
  if (isForm && year >= OLDEST_FORM) return { kind: 'DATE_OF_BIRTH', start, end, confidence: 0.95 };
  const born = labels.between(FAMILY.born, start);
  return isLabelFor(born) && !ORIGIN.test(born ?? '') && year >= OLDEST_BORN
    ? { kind: 'DATE_OF_BIRTH', start, end, confidence: 0.8 }
    : null;
}

/** 19900115, right after its label. */
function compactDate(text: string, { start, end, plain }: Word, labels: Labels): DateSpan | null {
  const isDate = plain && end - start === 8 && COMPACT.test(text.slice(start, end));
  return isDate && labels.adjoins(FAMILY.birthDate, start) ? { start, end } : null;
}

/** A label speaks for the first date after it. */
function isLabelFor(words: string | null): boolean {
  return words !== null && !/\d/.test(words);
}

interface DateSpan {
  readonly start: number;
  readonly end: number;
}

/** Any date whose first digits are the word: 1974-03-02, 03.11.1978, 7 July 1992, March 14th, 1989 (from the month on). */
export function dateAt(text: string, { start, end, plain }: Word): DateSpan | null {
  if (end - start > 4) return null;
  const next = text.charCodeAt(end);
  const numeric = plain && (next === DASH || next === SLASH || next === DOT) ? matchAt(NUMERIC, text, start) : null;
  if (numeric !== null) return isCalendar(numeric) ? { start, end: start + numeric.length } : null;
  if (plain && (end - start > 2 || !isBesideLetters(text, start, end))) return null;
  return writtenDate(text, start);
}

/** A month in words stands two characters off at most: "7 July", "7. Juli", "July 7", "Sept. 7". */
function isBesideLetters(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 2);
  if (isWord(text.charCodeAt(start - 1)) || isDigit(before)) return isNameAfter(text, end);
  return isNameAfter(text, end) || isWord(before) || before === DOT;
}

function isNameAfter(text: string, end: number): boolean {
  const [first, second] = [text.charCodeAt(end + 1), text.charCodeAt(end + 2)];
  return (isWord(first) && !isDigit(first)) || (isWord(second) && !isDigit(second));
}

function writtenDate(text: string, start: number): DateSpan | null {
  const dayFirst = matchAt(DAY_FIRST, text, start);
  if (dayFirst !== null) return { start, end: start + dayFirst.length };
  const dayAndYear = matchAt(DAY_SECOND, text, start);
  const month = dayAndYear === null ? null : MONTH_BEFORE.exec(text.slice(Math.max(0, start - 12), start));
  if (dayAndYear === null || month === null) return null;
  return { start: start - month[0].length, end: start + dayAndYear.length };
}

/** A month up to 12 and a day up to 31, in whatever order. */
function isCalendar(date: string): boolean {
  const parts = date.split(/\D+/);
  const [a = 0, b = 0] = (parts[0]?.length === 4 ? parts.slice(1) : parts).map(Number);
  return a >= 1 && b >= 1 && Math.max(a, b) <= 31 && Math.min(a, b) <= 12;
}

/** Two digits are taken for a year of the last century or of this one, which both pass. */
function yearOf(date: string): number {
  return Number(/^\d{4}|\d{4}$/.exec(date)?.[0] ?? OLDEST_BORN);
}
