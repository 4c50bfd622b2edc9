import { isToken, runEnd } from './characters.ts';
import type { PiiFinding } from './finding.ts';

/** Base64url of `{"`, with which every JSON header begins. */
export const JWT_BEGIN = 'eyJ';
/** Servers refuse longer header lines. */
const MAX_JWT = 8192;
const DOT = '.';

/**
 * A JSON Web Token (RFC 7519) that begins at `at`: header and payload are JSON objects in base64url and the header names an algorithm. The
 * signature may be empty: an unsigned token tells as much.
 */
export function jwtAt(text: string, at: number): PiiFinding | null {
  if (isToken(text.charCodeAt(at - 1))) return null;
  const limit = at + MAX_JWT;
  const headEnd = runEnd(text, at, limit, isToken);
  if (text.charAt(headEnd) !== DOT || !text.startsWith(JWT_BEGIN, headEnd + 1)) return null;
  const payloadEnd = runEnd(text, headEnd + 1, limit, isToken);
  if (text.charAt(payloadEnd) !== DOT || payloadEnd - headEnd < 8) return null;
  if (!/"alg"\s*:/.test(Buffer.from(text.slice(at, headEnd), 'base64url').toString('latin1'))) return null;
  return { kind: 'JWT', start: at, end: runEnd(text, payloadEnd + 1, limit, isToken), confidence: 1 };
}
