/** From bytes to text: UTF-8 checks and string literals, in slices where they are long. */
import { isUtf8 } from 'node:buffer';

/** A Buffer over the same memory: only its native decoding is wanted. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether the bytes are well-formed UTF-8. Gives control back after every `slice` bytes (at least 4: one character). */
export function* checkUtf8(bytes: Uint8Array, slice: number): Generator<undefined, boolean> {
  let start = 0;
  while (bytes.length - start > slice) {
    const cut = beforeSplitCharacter(bytes, start + slice);
    if (!isUtf8(bytes.subarray(start, cut))) return false;
    start = cut;
    yield;
  }
  return isUtf8(start === 0 ? bytes : bytes.subarray(start));
}

/** At most three bytes back: further continuation bytes can't belong to one character, so that the slice is then malformed itself. */
function beforeSplitCharacter(bytes: Uint8Array, at: number): number {
  for (let cut = at; cut > at - 4; cut -= 1) {
    if (!isContinuation(bytes[cut])) return cut;
  }
  return at;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/**
 * The text of the string literal at [start, end), quotes included; the literal was scanned before. For literals of bounded length:
 * one of 32 MiB with escapes takes about 60 ms. `decodeLong` is for those.
 */
export function decodeLiteral(buffer: Buffer, start: number, end: number, escaped: boolean): string {
  return escaped
    ? (JSON.parse(buffer.toString('utf8', start, end)) as string)
    : buffer.toString('utf8', start + 1, end - 1);
}

/** `decodeLiteral` for a literal of any length: gives control back after every `slice` bytes. */
export function* decodeLong(
  buffer: Buffer,
  start: number,
  end: number,
  escaped: boolean,
  slice: number,
): Generator<undefined, string> {
  if (end - start <= slice) return decodeLiteral(buffer, start, end, escaped);
  let text = '';
  let at = start + 1;
  while (at < end - 1) {
    const cut = Math.min(end - 1, afterWholeCharacter(buffer, at, at + slice, escaped));
    const piece = buffer.toString('utf8', at, cut);
    text += escaped ? (JSON.parse(`"${piece}"`) as string) : piece;
    at = cut;
    yield;
  }
  return text;
}

/** The first offset from `target` on that splits neither an escape nor a character; `from` must be such a place itself. */
function afterWholeCharacter(buffer: Buffer, from: number, target: number, escaped: boolean): number {
  let at = escaped ? from : target;
  while (at < target) {
    if (buffer[at] === 0x5c) at += buffer[at + 1] === 0x75 ? 6 : 2;
    else at += 1;
  }
  while (isContinuation(buffer[at])) at += 1;
  return at;
}
