import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

const GROUPED = /(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w])(?!-[\w])/y;
const PLAIN = /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/;

/** A US social security number that begins at the word: 3-2-4 digits with dashes, or with spaces or nothing after its label. */
export function ssnAt(text: string, { start, end, plain }: Word, labels: Labels): PiiFinding | null {
  if (!plain || /[.\-/+]/.test(text.charAt(start - 1))) return null;
  if (end - start === 9) {
    const isLabelled = PLAIN.test(text.slice(start, end)) && labels.has(FAMILY.ssn, start);
    return isLabelled ? { kind: 'US_SSN', start, end, confidence: 0.95 } : null;
  }
  if (end - start !== 3) return null;
  GROUPED.lastIndex = start;
  const grouped = GROUPED.exec(text);
  if (grouped === null) return null;
  const found = { kind: 'US_SSN', start, end: start + grouped[0].length } as const;
  if (labels.has(FAMILY.ssn, start)) return { ...found, confidence: 1 };
  return grouped[1] === '-' && !labels.adjoins(FAMILY.thing, start) ? { ...found, confidence: 0.8 } : null;
}
