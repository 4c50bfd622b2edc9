/**
 * What the scanner remembers of a document: one row of four integers for each recorded value, in document order. In an object, keys and
 * values alternate. The rows of a container's children follow it directly, and its `next` is the row behind the last of them.
 */
export const OBJECT = 1;
export const ARRAY = 2;
export const STRING = 3;
/** A string with at least one backslash escape: its text is not simply its bytes. */
export const ESCAPED_STRING = 4;
export const NUMBER = 5;
export const TRUE = 6;
export const FALSE = 7;
export const NULL = 8;

const STRIDE = 4;
const KIND = 0;
const START = 1;
const END = 2;
const NEXT = 3;
/** 64 rows hold a chat of about ten messages; the tape doubles from there. */
const INITIAL_ROWS = 64;

export class Tape {
  #cells = new Int32Array(INITIAL_ROWS * STRIDE);
  #rows = 0;

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a value that begins at byte `start` and returns its row. `close` completes it. */
  open(kind: number, start: number): number {
    const row = this.#rows;
    const at = row * STRIDE;
    if (at === this.#cells.length) {
      const larger = new Int32Array(this.#cells.length * 2);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    this.#cells[at + KIND] = kind;
    this.#cells[at + START] = start;
    this.#rows = row + 1;
    return row;
  }

  /** The value of `row` ends before byte `end`; every row added since `open` is inside it. */
  close(row: number, end: number): void {
    const at = row * STRIDE;
    this.#cells[at + END] = end;
    this.#cells[at + NEXT] = this.#rows;
  }

  markEscaped(row: number): void {
    this.#cells[row * STRIDE + KIND] = ESCAPED_STRING;
  }

  kind(row: number): number {
    return this.#cells[row * STRIDE + KIND] as number;
  }

  start(row: number): number {
    return this.#cells[row * STRIDE + START] as number;
  }

  /** Exclusive. */
  end(row: number): number {
    return this.#cells[row * STRIDE + END] as number;
  }

  /** The row behind this value and everything in it. */
  next(row: number): number {
    return this.#cells[row * STRIDE + NEXT] as number;
  }

  isString(row: number): boolean {
    const kind = this.kind(row);
    return kind === STRING || kind === ESCAPED_STRING;
  }
}
