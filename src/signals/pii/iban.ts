import { IBAN_LENGTHS, passesMod97 } from './checksums.ts';
import { isWord, SPACE } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import type { Word } from './word.ts';

/** An IBAN that begins at the word, in one piece or in groups: the country's length and the remainder check of ISO 13616. */
export function ibanAt(text: string, { start, end: wordEnd, plain }: Word): PiiFinding | null {
  if (plain || wordEnd - start < 4 || !/^[A-Za-z]{2}\d{2}$/.test(text.slice(start, start + 4))) return null;
  const length = IBAN_LENGTHS[text.slice(start, start + 2).toUpperCase()];
  if (length === undefined) return null;
  let end = start;
  for (let symbols = 0; symbols < length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === SPACE || code === 0xa0 || code === 45) {
      if (!isWord(text.charCodeAt(end + 1)) || symbols === 0) return null;
    } else if (isWord(code) && code < 128 && code !== 95) symbols += 1;
    else return null;
  }
  const compact = text
    .slice(start, end)
    .replace(/[ \u00a0-]/g, '')
    .toUpperCase();
  return isWord(text.charCodeAt(end)) || !passesMod97(compact)
    ? null
    : { kind: 'IBAN_CODE', start, end, confidence: 1 };
}
