import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min';
import { isCardNumber } from './checksums.ts';
import { namesAThing, wordsAfter, wordsBefore } from './context.ts';
import type { PiiFinding } from './finding.ts';
import { ipv4Confidence } from './network.ts';

/** Digits with the separators that people put into numbers, from the first digit (or + or parenthesis) to the last. */
const CLUSTER = /(?:\+ ?|\(\+?)?\d(?:[ .\-/()\u00a0\u2011]{0,2}\d){4,24}/g;
const CARD_WORDS = /\b(?:card|visa|mastercard|amex|american express|discover|credit|debit|cc|pan|kreditkarte|carte)\b/;
const PHONE_WORDS =
  /\b(?:phone|telephone|tel|cell|cellphone|mobile|mob|call|calls|ring|text|sms|whatsapp|fax|dial|hotline|handy|contact number|reach (?:me|him|her|us|them)|number to reach|signal|telegram)\b/;
const SSN_WORDS = /\b(?:ssn|social security|social sec|soc sec|tax(?:payer)? id|tin|ss#|ss number|social)\b/;
const BORN_WORDS =
  /\b(?:dob|d\.o\.b|date of birth|birth ?date|birth ?day|b-?day|born|geboren|geburtsdatum|n[ée]e? le|fecha de nacimiento|nacid[oa])\b/;
const ZIP_WORDS = /\b(?:zip|zip ?code|postal ?code|post ?code|plz|postleitzahl|code postal|cap)\b[^0-9]{0,12}$/;
/** Where a national number without its country code may come from, most likely first. */
const COUNTRIES: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'IN', 'ES', 'IT', 'AU', 'NL', 'BR'];
const US_STATE =
  /\b(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR),? $/;

/** Everything that is made of digits: cards, phones, SSNs, IPv4 addresses, dates of birth, ZIP codes. One pass over the text. */
export function findNumbers(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const match of text.matchAll(CLUSTER)) {
    const start = match.index;
    const end = start + match[0].length;
    const finding = classify(text, match[0], start, end);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}

function classify(text: string, cluster: string, start: number, end: number): PiiFinding | null {
  // Glued to letters it is part of an identifier, a hash or a hex number.
  if (/[\w#$€£]$/.test(text.slice(Math.max(0, start - 1), start)) || /^[\w%]/.test(text.slice(end, end + 1)))
    return null;
  const confidence = ipv4Confidence(text, start, end);
  if (confidence !== null) return { kind: 'IP_ADDRESS', start, end, confidence };
  const before = wordsBefore(text, start);
  const digits = cluster.replace(/\D/g, '');
  if (isSsn(cluster, digits, before, text, end))
    return { kind: 'US_SSN', start, end, confidence: SSN_WORDS.test(before) ? 1 : 0.85 };
  if (isDateOfBirth(cluster, before)) return { kind: 'DATE_OF_BIRTH', start, end, confidence: 0.9 };
  if (isCard(cluster, digits, before)) return { kind: 'CREDIT_CARD', start, end, confidence: 1 };
  if (isZip(text, cluster, start, before)) return { kind: 'ZIP_CODE', start, end, confidence: 0.85 };
  const phone = phoneConfidence(text, cluster, digits, start, end, before);
  return phone === null ? null : { kind: 'PHONE_NUMBER', start, end, confidence: phone };
}

function isSsn(cluster: string, digits: string, before: string, text: string, end: number): boolean {
  if (digits.length !== 9 || /^(?:000|666|9)|^...00|0000$/.test(digits)) return false;
  if (/^\d{3}([- ])\d{2}\1\d{4}$/.test(cluster)) {
    if (cluster.includes(' ')) return SSN_WORDS.test(before);
    return SSN_WORDS.test(before) || (!namesAThing(before) && !/^-\d/.test(text.slice(end, end + 2)));
  }
  return cluster === digits && SSN_WORDS.test(before);
}

function isCard(cluster: string, digits: string, before: string): boolean {
  if (!isCardNumber(digits)) return false;
  if (CARD_WORDS.test(before)) return true;
  if (namesAThing(before)) return false;
  // Groups of four, or the 4-6-5 of American Express; a bare run of digits passes Luhn one time in ten, so it needs 16.
  if (/^\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}$|^3\d{3}([ -])\d{6}\2\d{5}$/.test(cluster)) return true;
  return cluster === digits && digits.length >= 15;
}

const DATE = /^(?:(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})|(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2}))$/;

function isDateOfBirth(cluster: string, before: string): boolean {
  const date = DATE.exec(cluster);
  if (date === null || !BORN_WORDS.test(before)) return false;
  const year = Number(date[1] ?? date[6]);
  return year < 100 || (year >= 1905 && year <= 2035);
}

function isZip(text: string, cluster: string, start: number, before: string): boolean {
  if (!/^\d{5}(?:-\d{4})?$/.test(cluster)) return false;
  return (
    ZIP_WORDS.test(before) || US_STATE.test(text.slice(Math.max(0, start - 5), start)) || /\b(?:d|ch|a)-$/.test(before)
  );
}

/** How sure a cluster is a phone number: by its plan when it has a country code or the American shape, by words otherwise. */
function phoneConfidence(
  text: string,
  cluster: string,
  digits: string,
  start: number,
  end: number,
  before: string,
): number | null {
  if (digits.length < 7 || digits.length > 15 || DATE.test(cluster) || /\d{4}-\d{2}-\d{2}/.test(cluster)) return null;
  if (/\d \/ \d|^\d+(?:\.\d+)?$/.test(cluster) && cluster.includes('.')) return null;
  const words =
    PHONE_WORDS.test(before) ||
    /^\W{0,3}(?:\(?(?:cell|mobile|office|home|work|fax|ext|x\d)|is my (?:number|phone|cell))/.test(
      wordsAfter(text, end),
    );
  if (cluster.startsWith('+') || cluster.startsWith('(+'))
    return parsesAs(cluster.replace(/^\(\+/, '+('), undefined) ? 1 : words ? 0.7 : null;
  if (namesAThing(before) || /[\d.,/:=*^_~-]\s?$/.test(text.slice(Math.max(0, start - 2), start))) return null;
  if (
    /^\s?[=*^+/×]\s?\d|^[.,:]\d|^\s*(?:km|m|kg|usd|eur|dollars?|people|years|bytes|ms|mb|gb|%|items|rows)\b/i.test(
      text.slice(end, end + 12),
    )
  )
    return null;
  // (212) 555-0187, 212-555-0187, 212.555.0187, 1-800-…: a shape that nothing else has.
  const american = /^(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}$/.test(cluster);
  if (american && (isNanp(digits) || words)) return words ? 1 : 0.8;
  if (!words) return null;
  return COUNTRIES.some((country) => parsesAs(cluster, country)) || (american ? isNanp(digits) : false)
    ? 0.9
    : digits.length === 7 && /^\d{3}[- .]\d{4}$/.test(cluster)
      ? 0.7
      : isNanp(digits)
        ? 0.8
        : null;
}

/** North American plan: area and exchange start with 2–9 (also the reserved 555 examples, which a strict plan refuses). */
function isNanp(digits: string): boolean {
  return /^1?[2-9]\d{2}[2-9]\d{6}$/.test(digits);
}

function parsesAs(cluster: string, country: CountryCode | undefined): boolean {
  const number = parsePhoneNumberFromString(cluster, country);
  return number?.isValid() ?? false;
}
