/**
 * The one hot loop of the scanner: the run of bytes inside a JSON string that need no attention. A 20 MiB base64 image is one such run.
 *
 * Four bytes at a time by the classic zero-byte test (Mycroft, 1987): `(x - 0x01010101) & ~x & 0x80808080` is nonzero exactly when one of
 * the four bytes of x is zero. XOR with a repeated byte turns "equals that byte" into "is zero"; subtracting 0x20 from each byte instead
 * finds bytes below 0x20. A borrow can only mark a byte above one that is really there, so a word that passes holds no stop byte.
 */

/** The bytes as 32-bit words, beginning at the first 4-aligned byte of the underlying buffer. */
export interface WordView {
  readonly words: Int32Array;
  /** Offset in the bytes of the first word: 0 to 3. */
  readonly first: number;
}

/** The word view of `bytes`; it copies nothing. */
export function wordsOf(bytes: Uint8Array): WordView {
  const first = -bytes.byteOffset & 3;
  const count = Math.max(0, bytes.byteLength - first) >> 2;
  return count === 0
    ? { words: new Int32Array(0), first }
    : { words: new Int32Array(bytes.buffer, bytes.byteOffset + first, count), first };
}

/**
 * The offset of the first quote, backslash or control character (below 0x20) at or after `start`; `end` when there is none before it.
 * Bytes from 0x80 on are plain: UTF-8 is checked elsewhere.
 */
export function skipPlain(bytes: Uint8Array, view: WordView, start: number, end: number): number {
  const { words, first } = view;
  let at = start;
  while (at < end && ((at - first) & 3) !== 0) {
    if (isStop(bytes[at] as number)) return at;
    at += 1;
  }
  let index = (at - first) >> 2;
  const last = Math.min(words.length, (end - first) >> 2);
  while (index < last) {
    const word = words[index] as number;
    const quote = word ^ 0x22222222;
    const slash = word ^ 0x5c5c5c5c;
    const marks = ((word - 0x20202020) & ~word) | ((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash);
    if ((marks & 0x80808080) !== 0) break;
    index += 1;
  }
  at = Math.max(at, first + (index << 2));
  while (at < end) {
    if (isStop(bytes[at] as number)) return at;
    at += 1;
  }
  return end;
}

function isStop(byte: number): boolean {
  return byte === 0x22 || byte === 0x5c || byte < 0x20;
}
