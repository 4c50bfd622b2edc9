import { matchAt } from './characters.ts';
import { isCardNumber } from './checksums.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

/** Groups of four, or the 4-6-5 of American Express and the 4-6-4 of Diners Club; not when the groups go on. */
const GROUPED =
  /(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|3\d{3}([ -])\d{6}\2\d{4,5})(?![\w])(?![ -]\d{4}(?![\d/]))/y;
const LABEL_AFTER = /^\W{0,3}(?:is (?:my|his|her|the) )?(?:visa|mastercard|amex|card|diners|credit|debit)\b/i;

/** A card number that begins at the word: a network's range and length, and Luhn's check. */
export function cardAt(text: string, { start, end, plain }: Word, labels: Labels): PiiFinding | null {
  const length = end - start;
  if (!plain || (length !== 4 && length < 13)) return null;
  if (length === 4) {
    const grouped = matchAt(GROUPED, text, start);
    if (grouped === null || !isCardNumber(grouped.replace(/\D/g, ''))) return null;
    // The later groups of a longer number are no card.
    if (/\d{4}[ -]$/.test(text.slice(Math.max(0, start - 5), start))) return null;
    return labels.adjoins(FAMILY.thing, start)
      ? null
      : { kind: 'CREDIT_CARD', start, end: start + grouped.length, confidence: 1 };
  }
  if (length > 19 || !isCardNumber(text.slice(start, end))) return null;
  if (labels.has(FAMILY.card, start) || LABEL_AFTER.test(text.slice(end, end + 32)))
    return { kind: 'CREDIT_CARD', start, end, confidence: 1 };
  // A bare run of digits passes Luhn one time in ten: only the common lengths count, and none that is called something else.
  if ((length !== 15 && length !== 16) || labels.adjoins(FAMILY.thing, start)) return null;
  return { kind: 'CREDIT_CARD', start, end, confidence: 0.9 };
}
