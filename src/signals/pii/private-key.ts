import type { PiiFinding } from './finding.ts';

export const KEY_BLOCK_BEGIN = '-----BEGIN ';
const HEAD = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
/** Longer than any key in use (RSA-16384 is 12.5 KB of PEM). */
const MAX_BLOCK = 16_384;
/** Lines of base64, with line ends as they are or as `\n` of a JSON or shell string; OpenPGP's headers may come first. */
const BODY =
  /^(?:\\?[\\rn\s]|Version: .{1,60}\n|Comment: .{1,60}\n|Proc-Type: .{1,60}\n|DEK-Info: .{1,80}\n){0,24}[A-Za-z0-9+/=]{24,}/;

/** A PEM or PGP private-key block that begins at `at`, up to its END line, or as far as base64 goes; null for talk about such blocks. */
export function privateKeyAt(text: string, at: number): PiiFinding | null {
  HEAD.lastIndex = at;
  const head = HEAD.exec(text)?.[0];
  if (head === undefined) return null;
  const bodyStart = at + head.length;
  const body = BODY.exec(text.slice(bodyStart, bodyStart + 400))?.[0];
  if (body === undefined) return null;
  // The next dashes are those of the END line, or the block was cut off and is a key as far as it goes.
  const window = text.slice(bodyStart, bodyStart + MAX_BLOCK);
  const dashes = window.indexOf('-----', body.length);
  const tail = head.replace('BEGIN', 'END');
  if (dashes >= 0 && window.startsWith(tail, dashes)) return found(at, bodyStart + dashes + tail.length);
  const rest = /^[A-Za-z0-9+/=\s\\]*/.exec(window.slice(body.length))?.[0].trimEnd() ?? '';
  return found(at, bodyStart + body.length + rest.length);
}

function found(start: number, end: number): PiiFinding {
  return { kind: 'PRIVATE_KEY', start, end, confidence: 1 };
}
