import { DASH, isSecret, runEnd, runStart, SPACE } from './characters.ts';
import type { PiiFinding } from './finding.ts';

export const KEY_BLOCK_BEGIN = '-----BEGIN ';
const HEAD = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
/** Longer than any key in use (RSA-16384 is 12.5 KB of PEM). */
const MAX_BLOCK = 16_384;
/** Line ends as they are or as the `\n` of a JSON or shell string, OpenPGP's headers, and the beginning of base64. */
const BODY = /^(?:\s|\\{1,2}[rn]|(?:Version|Comment|Proc-Type|DEK-Info): [^\n]{1,80}\n){1,64}([A-Za-z0-9+/=]{4,64})/;
/** Less is no key, but talk about keys, unless an END line follows: then somebody has shortened it. */
const MIN_BODY = 16;

/** A PEM or PGP private-key block that begins at `at`, up to its END line, or as far as base64 goes; null for talk about such blocks. */
export function privateKeyAt(text: string, at: number): PiiFinding | null {
  HEAD.lastIndex = at;
  const head = HEAD.exec(text)?.[0];
  if (head === undefined) return null;
  const bodyStart = at + head.length;
  const body = BODY.exec(text.slice(bodyStart, bodyStart + 400));
  if (body === null) return null;
  // The next dashes are those of the END line, or of another block: then this one was cut off and is a key as far as it goes.
  const from = bodyStart + body[0].length;
  const dashes = text.indexOf('-----', from);
  const tail = head.replace('BEGIN', 'END');
  if (dashes >= 0 && dashes - from <= MAX_BLOCK && text.startsWith(tail, dashes))
    return found(at, dashes + tail.length);
  if ((body[1]?.length ?? 0) < MIN_BODY) return null;
  return found(at, runStart(text, runEnd(text, from, from + MAX_BLOCK, isBody), from, isSpace));
}

/** Base64, white space and backslashes of line ends that are spelt out. */
function isBody(code: number): boolean {
  return (isSecret(code) && code !== DASH) || isSpace(code) || code === 61 || code === 92;
}

function isSpace(code: number): boolean {
  return code === SPACE || (code >= 9 && code <= 13);
}

function found(start: number, end: number): PiiFinding {
  return { kind: 'PRIVATE_KEY', start, end, confidence: 1 };
}
