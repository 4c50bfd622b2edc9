import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min';
import { isDigit, isWord, matchAt, OPEN, PLUS, SPACE } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

/** (212) 555-0187, 212-555-0187, 212.555.0187, 1-800-356-9377, +1 212-555-0187: a shape that hardly anything else has. */
const AMERICAN = /(?:\+?1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[-.])\d{3}[-.]\d{4}(?!\w)(?!-\w)(?!\.\d)/y;
const LOCAL = /^\d{3}[- .]\d{4}$/;
/** Sums, and amounts of things: 415-555-2671 = …, 2125550187 rows. */
const NO_PHONE_AFTER =
  /^:\w|^\s{0,2}(?:[=*^×]|\+ ?\d|%|(?:k?m|k?g|usd|eur|dollars?|people|users|followers|years|bytes|ms|[kmgt]?b|rows|lines|items|units|pieces|times|points|votes|views|downloads|copies|records|requests|tokens|widgets|params?|parameters)\b)/i;
/** What makes a number part of something before it, but not `phone: …` and `\"phone\"=…`. */
const PART_BEFORE = /[\d.:/*^~+-]$|[=*^×+<>]\s?$/;
const ASSIGNED_BEFORE = /[\p{L}"'\])][:=>]\s?$/u;
const ONE = 49;
/** What may stand between a label and a number that has neither a trunk prefix nor the American shape. */
const NEAR =
  /^\p{L}{0,8}[\s"'“”()[\]{}:=#>.,|/_–-]*(?:(?:number|no|nr|num|numéro|número|numer|numero|is|was|ist|es|est|è|me|us|him|her|at|on|to|my|our|your|via|under|unter|auf|op|au|al|pod|the|home|work|office|private|mobile)[\s"'“”()[\]{}:=#>.,|/_–-]+)*$/iu;
const LABEL_AFTER =
  /^\W{0,3}(?:\(?(?:cell|mobile|office|home|work|fax|ext|handy|tel|phone)\b|is (?:my|his|her) (?:number|phone|cell|mobile))/i;
/** Where a number without its country code may come from, most likely first. */
const COUNTRIES: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'IN', 'ES', 'IT', 'AU', 'BR', 'JP', 'PL', 'NL'];
/** Another number in between: the label was for both. */
const ANOTHER = /\d[\d ().-]{5,}\d/;
/** Separators that may follow each other within a number: ") ", " (". */
const MAX_GAP = 2;
/** ITU-T E.164: at most 15 digits with the country code; subscribers have 7 at least. */
const MIN_DIGITS = 7;
const MAX_DIGITS = 15;
/** A time or another column right behind an international number. */
const OTHER_DIGITS = 8;

/** Asks the numbering plans. One answer takes 10 to 100 µs, so that a text has only so many; past them `null`. */
export type NumberingPlans = (number: string, country?: CountryCode) => boolean | null;

/** Looks at the numbering plans of the world, `budget` times at most. */
export function numberingPlans(budget: number): NumberingPlans {
  let left = budget;
  return (number, country) => {
    if (left <= 0) return null;
    left -= 1;
    return parsePhoneNumberFromString(number, country)?.isValid() ?? false;
  };
}

/** A phone number that begins at the word, or at the + or parenthesis before it. */
export function phoneAt(text: string, word: Word, labels: Labels, plans: NumberingPlans): PiiFinding | null {
  if (!word.plain) return null;
  const start = numberStart(text, word.start);
  const previous = text.charCodeAt(start - 1);
  if (isWord(previous) || /[$€£#_^*~%@]/.test(text.charAt(start - 1))) return null;
  if (text.charCodeAt(start) === PLUS || text.charCodeAt(start + 1) === PLUS)
    return international(text, start, labels, plans);
  if (text.startsWith('00', start)) return dialled(text, start, plans) ?? national(text, start, labels, plans);
  return national(text, start, labels, plans);
}

/** From the + or parenthesis that belongs to the number: (212), +49, (+49), + 49. */
function numberStart(text: string, start: number): number {
  const previous = text.charCodeAt(start - 1);
  if (previous !== PLUS && previous !== OPEN && previous !== SPACE) return start;
  const lead = /\(?\+ ?$|\($/.exec(text.slice(Math.max(0, start - 3), start));
  return start - (lead?.[0].length ?? 0);
}

function international(text: string, start: number, labels: Labels, plans: NumberingPlans): PiiFinding | null {
  const cluster = clusterAt(text, start, MAX_DIGITS + OTHER_DIGITS);
  if (cluster === null || /[\d)=]\s?$/.test(text.slice(Math.max(0, start - 2), start))) return null;
  const american = matchAt(AMERICAN, text, start);
  if (american !== null) return { kind: 'PHONE_NUMBER', start, end: start + american.length, confidence: 0.9 };
  const isLabelled = labels.has(FAMILY.phone, start) || labels.has(FAMILY.call, start);
  // What follows may have been taken along (a time, another column): shorten it until the plan knows it.
  let { end } = cluster;
  for (let tries = 0; tries < 3 && digitsIn(text, start, end) >= 8; tries += 1) {
    const valid = plans(text.slice(start, end).replace(/[()]/g, ''));
    if (valid !== false) return { kind: 'PHONE_NUMBER', start, end, confidence: valid === null ? 0.7 : 1 };
    end = withoutLastGroup(text, start, end);
  }
  return isLabelled && cluster.digits >= 8 ? { kind: 'PHONE_NUMBER', start, end: cluster.end, confidence: 0.7 } : null;
}

/** 00 in place of the +, in groups, as it is dialled from most of Europe. */
function dialled(text: string, start: number, plans: NumberingPlans): PiiFinding | null {
  const end = clusterAt(text, start, MAX_DIGITS + 2)?.end ?? start;
  const number = text.slice(start + 2, end).trim();
  if (!/^\d{1,3} \d/.test(number) || plans(`+${number}`) !== true) return null;
  return { kind: 'PHONE_NUMBER', start, end, confidence: 0.8 };
}

function national(text: string, start: number, labels: Labels, plans: NumberingPlans): PiiFinding | null {
  // A parenthesis may open around the number as well as around its area code.
  const isOpen = text.charCodeAt(start) === OPEN;
  const from = isOpen && !/^\(\d+\)/.test(text.slice(start, start + 9)) ? start + 1 : start;
  const american = isOpen || isAreaCode(text, from) ? matchAt(AMERICAN, text, from) : null;
  // In a table of numbers, those that have no shape of their own are no phones.
  if (american === null && isListed(text, from)) return null;
  const end = american === null ? clusterAt(text, from, MAX_DIGITS)?.end : from + american.length;
  if (end === undefined || digitsIn(text, from, end) < MIN_DIGITS) return null;
  const label = announced(text, from, end, labels);
  if ((american === null && label === null) || isSum(text, from, end) || labels.adjoins(FAMILY.thing, from))
    return null;
  const confidence = confidenceOf(text.slice(from, end), american !== null, label, plans);
  return confidence === null ? null : { kind: 'PHONE_NUMBER', start: from, end, confidence };
}

/** Three digits and something else, or the 1 and a separator before them. */
function isAreaCode(text: string, at: number): boolean {
  const code = isDigit(text.charCodeAt(at + 1)) ? at : text.charCodeAt(at) === ONE ? at + 2 : -1;
  return code >= 0 && isDigit(text.charCodeAt(code + 2)) && !isDigit(text.charCodeAt(code + 3));
}

function isListed(text: string, start: number): boolean {
  return text.charCodeAt(start - 1) === SPACE && isDigit(text.charCodeAt(start - 2));
}

/** Part of a longer number or of a sum, or an amount of something. */
function isSum(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 3), start);
  return (PART_BEFORE.test(before) && !ASSIGNED_BEFORE.test(before)) || NO_PHONE_AFTER.test(text.slice(end, end + 14));
}

/** How a number is announced: by a word for phones or for calling, and the words in between; none when the word comes after. */
interface Announcement {
  readonly kind: 'phone' | 'call';
  readonly between: string;
}

function announced(text: string, start: number, end: number, labels: Labels): Announcement | null {
  const phone = labels.between(FAMILY.phone, start);
  const call = labels.between(FAMILY.call, start);
  // "cell" is a phone's word, and "call my cell" the nearer of two.
  if (phone !== null) return { kind: 'phone', between: call !== null && call.length < phone.length ? call : phone };
  if (LABEL_AFTER.test(text.slice(end, end + 24))) return { kind: 'phone', between: '' };
  return call === null ? null : { kind: 'call', between: call };
}

function confidenceOf(
  number: string,
  isAmerican: boolean,
  label: Announcement | null,
  plans: NumberingPlans,
): number | null {
  const digits = number.replace(/\D/g, '');
  if (isAmerican && (isNanp(digits) || label !== null)) return label === null ? 0.8 : 1;
  if (label === null) return null;
  if (LOCAL.test(number)) return 0.7;
  if (isNanp(digits) && digits.length >= 10) return 0.85;
  // A trunk prefix after a label: 020 7946 0958, 0151 23456789, 06 12 34 56 78.
  const isPhone = label.kind === 'phone';
  const isGrouped = /\d[ /.()-]{1,2}\d/.test(number);
  if (digits.startsWith('0') && digits.length >= 9 && digits.length <= 12 && (isPhone || isGrouped)) return 0.85;
  const isNear = NEAR.test(label.between) || ANOTHER.test(label.between);
  if (!isNear || (!isPhone && !isGrouped)) return null;
  if (COUNTRIES.some((country) => plans(number.replace(/[()]/g, ' ').trim(), country) === true)) return 0.9;
  // A plan that is not among those, or no budget left: the label and groups must do.
  return isPhone && isGrouped && digits.length >= 8 ? 0.6 : null;
}

/** North American plan: area and exchange start with 2–9 (also the reserved 555 examples, which a strict plan refuses). */
function isNanp(digits: string): boolean {
  return /^1?[2-9]\d{2}[2-9]\d{6}$/.test(digits);
}

interface Cluster {
  readonly end: number;
  readonly digits: number;
}

/** Digits with the separators that people put into numbers; null past `maxDigits`. */
function clusterAt(text: string, start: number, maxDigits: number): Cluster | null {
  let digits = 0;
  let end = start;
  let gap = 0;
  for (let i = start; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (isDigit(code)) {
      digits += 1;
      if (digits > maxDigits) return null;
      end = i + 1;
      gap = 0;
    } else if (isSeparator(code) && (digits === 0 || gap < MAX_GAP)) gap += 1;
    else break;
  }
  return isWord(text.charCodeAt(end)) ? null : { end, digits };
}

/** Space, ( ) + - . / the no-break space and hyphen. A + only opens a number. */
function isSeparator(code: number): boolean {
  return (
    code === 32 ||
    code === 40 ||
    code === 41 ||
    code === 43 ||
    code === 45 ||
    code === 46 ||
    code === 47 ||
    code === 0xa0 ||
    code === 0x2011
  );
}

function withoutLastGroup(text: string, start: number, end: number): number {
  const groups = /[\s()+./\u00a0\u2011-]+\d+$/.exec(text.slice(start, end));
  return groups === null ? start : start + groups.index;
}

function digitsIn(text: string, start: number, end: number): number {
  let digits = 0;
  for (let i = start; i < end; i += 1) if (isDigit(text.charCodeAt(i))) digits += 1;
  return digits;
}
