/** A scanned JSON document: its bytes, its tape, and small readers over both. */
import type { ApiError } from '../errors.ts';
import { ARRAY, ESCAPED_STRING, FALSE, NULL, NUMBER, OBJECT, TRUE, type Tape } from './json/tape.ts';
import { decodeLiteral } from './json/text.ts';
import { wrongType } from './reply.ts';
import type { Span } from './request.ts';

export interface Document {
  readonly buffer: Buffer;
  readonly tape: Tape;
}

/** Longest key that is compared with a known name: longer ones, even all in \u escapes, can't be one. */
const MAX_KEY_BYTES = 256;

export function spanOf(document: Document, row: number): Span {
  return { start: document.tape.start(row), end: document.tape.end(row) };
}

/** The text of a string row. Only for literals whose length is bounded. */
export function textOf(document: Document, row: number): string {
  const { tape, buffer } = document;
  return decodeLiteral(buffer, tape.start(row), tape.end(row), tape.kind(row) === ESCAPED_STRING);
}

/** The key at `row`, or '' for one that is longer than any known name. */
export function keyOf(document: Document, row: number): string {
  const { tape } = document;
  return tape.end(row) - tape.start(row) > MAX_KEY_BYTES ? '' : textOf(document, row);
}

/** The value rows of an object's members by key; the last of a duplicate key wins, as in the parsers of the endpoints. */
export function lastMembers(document: Document, row: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, value] of members(document, row)) found.set(keyOf(document, key), value);
  return found;
}

/** Rows of [key, value] of an object, in order. */
export function* members(document: Document, row: number): Generator<readonly [number, number]> {
  const { tape } = document;
  const behind = tape.next(row);
  for (let key = row + 1; key < behind;) {
    const value = tape.next(key);
    // Where recording stopped between a key and its value, the key stands alone.
    if (value >= behind) return;
    yield [key, value];
    key = tape.next(value);
  }
}

/** Rows of an array's recorded elements, in order. */
export function* elements(document: Document, row: number): Generator<number> {
  const { tape } = document;
  const behind = tape.next(row);
  for (let element = row + 1; element < behind; element = tape.next(element)) yield element;
}

/** How many values a container directly holds, as far as they were recorded; in an object, keys count too. */
export function countElements(document: Document, row: number): number {
  const { tape } = document;
  const behind = tape.next(row);
  let count = 0;
  for (let element = row + 1; element < behind; element = tape.next(element)) count += 1;
  return count;
}

/** What a value is, with its article, as OpenAI's messages say it. */
export function nameOfKind(document: Document, row: number): string {
  const { tape, buffer } = document;
  switch (tape.kind(row)) {
    case OBJECT:
      return 'an object';
    case ARRAY:
      return 'an array';
    case NUMBER: {
      const digits = buffer.subarray(tape.start(row), Math.min(tape.end(row), tape.start(row) + 64));
      return digits.some((byte) => byte === 0x2e || byte === 0x65 || byte === 0x45) ? 'a decimal number' : 'an integer';
    }
    case TRUE:
    case FALSE:
      return 'a boolean';
    case NULL:
      return 'null';
    default:
      return 'a string';
  }
}

/** The 400 that says that the value at `row` should have been `expected`. */
export function typeProblem(document: Document, row: number, param: string, expected: string): ApiError {
  return wrongType(param, expected, nameOfKind(document, row));
}
