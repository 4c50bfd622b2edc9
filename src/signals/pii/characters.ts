const WORD = 1;
const HEX = 2;
const TOKEN = 4;
const SECRET = 8;
const LETTER = 16;

/** What each ASCII character may be part of; one look-up a character instead of a chain of comparisons. */
const CLASSES = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const symbol = String.fromCharCode(code);
  let classes = 0;
  if (/\w/.test(symbol)) classes |= WORD | TOKEN | SECRET;
  if (/[0-9A-Fa-f]/.test(symbol)) classes |= HEX;
  if (/[A-Za-z]/.test(symbol)) classes |= LETTER;
  if (symbol === '-') classes |= TOKEN | SECRET;
  if (/[+/.~]/.test(symbol)) classes |= SECRET;
  CLASSES[code] = classes;
}

export const SPACE = 32;
export const OPEN = 40;
export const PLUS = 43;
export const COMMA = 44;
export const DASH = 45;
export const DOT = 46;
export const SLASH = 47;
export const COLON = 58;
export const AT = 64;
export const UNDERSCORE = 95;

/** 0-9. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** A-Z, a-z. */
export function isLetter(code: number): boolean {
  return code < 128 && ((CLASSES[code] ?? 0) & LETTER) !== 0;
}

/**
 * ASCII letters, digits, the underscore, and letters of the Latin, Greek and Cyrillic blocks: a number that touches one is part of a name.
 * Ideographs are none, since they stand before a number without a space.
 */
export function isWord(code: number): boolean {
  if (code < 128) return ((CLASSES[code] ?? 0) & WORD) !== 0;
  return (code >= 0xc0 && code <= 0x24f) || (code >= 0x370 && code <= 0x52f);
}

/** 0-9, A-F, a-f. */
export function isHex(code: number): boolean {
  return code < 128 && ((CLASSES[code] ?? 0) & HEX) !== 0;
}

/** Letters, digits, `_` and `-`: what keys are made of. */
export function isToken(code: number): boolean {
  return code < 128 && ((CLASSES[code] ?? 0) & TOKEN) !== 0;
}

/** What keys and base64 are made of, but for the padding. */
export function isSecret(code: number): boolean {
  return code < 128 && ((CLASSES[code] ?? 0) & SECRET) !== 0;
}

/** Where the word that has a character before `at` begins. Apart from `runStart` since it runs at every number: no call a character. */
export function wordStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && isWord(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** Where the word around `at` ends. */
export function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && isWord(text.charCodeAt(end))) end += 1;
  return end;
}

/** Where the run of such characters that ends before `at` begins; `limit` is the furthest that is looked at. */
export function runStart(text: string, at: number, limit: number, belongs: (code: number) => boolean): number {
  let start = at;
  while (start > limit && belongs(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** Where the run of such characters that begins at `at` ends; `limit` is the furthest that is looked at. */
export function runEnd(text: string, at: number, limit: number, belongs: (code: number) => boolean): number {
  const last = Math.min(limit, text.length);
  let end = at;
  while (end < last && belongs(text.charCodeAt(end))) end += 1;
  return end;
}

/** What a sticky pattern matches at `at`; null when it doesn't. */
export function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
