/**
 * A strict RFC 8259 scanner over bytes, which stops whenever it is told to.
 *
 * It accepts what JSON.parse accepts, less nesting beyond a limit, and records spans instead of values, so that an edit can leave every
 * other byte as it came. It never recurses: open containers are on an explicit stack of one byte each. UTF-8 is checked elsewhere.
 *
 * The states, and what may come next in each:
 * - VALUE: any value. FIRST_ELEMENT: any value or `]`. FIRST_KEY: a key or `}`. KEY: a key.
 * - COLON: `:`. AFTER_VALUE: `,` or the end of the container; at depth 0 only white space.
 * - IN_STRING, IN_NUMBER: inside a token that may be as long as the body, so that a step can end in the middle of one.
 */
import { afterNumberByte, escapeLength, firstNumberState, isWholeNumber } from './lexemes.ts';
import { skipPlain, wordsOf, type WordView } from './plain-run.ts';
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, STRING, Tape, TRUE } from './tape.ts';

const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_KEY = 2;
const KEY = 3;
const COLON = 4;
const AFTER_VALUE = 5;
const IN_STRING = 6;
const IN_NUMBER = 7;

/** A structural token costs a step as much as this many plain bytes (measured: 40 to 60), so that steps take about equal time. */
const TOKEN_COST = 32;

export type ScanFailure = 'unexpected_character' | 'unexpected_end' | 'too_deep' | 'too_many_members';

export interface ScanOptions {
  /** Deepest nesting allowed; the top-level value is at depth 1 when it is a container. */
  readonly maxDepth: number;
  /** How deep to record below a top-level member: 1 is its value, 2 that value's children, and so on. */
  readonly recordDepth: (keyStart: number, keyEnd: number, escaped: boolean) => number;
  /** Rows recorded below the top level before recording stops (`overflow`). Scanning goes on. */
  readonly maxRows: number;
  /** Members of the top-level object; more than that fails. */
  readonly maxMembers: number;
}

export class JsonScanner {
  readonly tape = new Tape();
  /** True when values below the top level were left out of the tape. */
  overflow = false;
  failure: { readonly reason: ScanFailure; readonly offset: number } | null = null;

  readonly #bytes: Uint8Array;
  readonly #view: WordView;
  readonly #options: ScanOptions;
  #position = 0;
  #state = VALUE;
  #number = -1;
  #depth = 0;
  /** Deepest depth that is recorded now. */
  #limit = 0;
  #members = 0;
  /** 1 for an object, 0 for an array, by depth; grows up to maxDepth. */
  #containers = new Uint8Array(64);
  /** Tape rows of the open containers that are recorded; -1 where not. Depth 0 to 7 is all that is ever asked for. */
  readonly #rows = new Int32Array(8).fill(-1);
  /** The string or number that is being read. */
  #row = -1;
  #isKey = false;
  #escaped = false;
  #tokenStart = 0;

  constructor(bytes: Uint8Array, options: ScanOptions) {
    this.#bytes = bytes;
    this.#view = wordsOf(bytes);
    this.#options = options;
  }

  /** Reads on for about `budget` bytes. True when there is nothing more to do: `failure` then says how it went. */
  step(budget: number): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    let stop = this.#position + budget;
    while (this.#position < end && this.#position < stop) {
      if (this.#state === IN_STRING) {
        if (!this.#readString(Math.min(end, stop))) return true;
        continue;
      }
      if (this.#state === IN_NUMBER) {
        if (!this.#readNumber(Math.min(end, stop))) return true;
        continue;
      }
      const byte = bytes[this.#position] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        this.#position += 1;
        continue;
      }
      stop -= TOKEN_COST;
      if (!this.#readToken(byte)) return true;
    }
    return this.#position >= end ? this.#finish() : false;
  }

  #finish(): boolean {
    if (this.#state === IN_NUMBER && isWholeNumber(this.#number)) this.#endScalar();
    if (this.#state !== AFTER_VALUE || this.#depth !== 0) this.#fail('unexpected_end');
    return true;
  }

  #fail(reason: ScanFailure): false {
    this.failure = { reason, offset: this.#position };
    return false;
  }

  #readToken(byte: number): boolean {
    switch (this.#state) {
      case AFTER_VALUE: {
        if (this.#depth === 0) return this.#fail('unexpected_character');
        const isObject = this.#containers[this.#depth - 1] === 1;
        if (byte === 0x2c) {
          this.#state = isObject ? KEY : VALUE;
          this.#position += 1;
          return true;
        }
        return byte === (isObject ? 0x7d : 0x5d) ? this.#closeContainer() : this.#fail('unexpected_character');
      }
      case COLON:
        if (byte !== 0x3a) return this.#fail('unexpected_character');
        this.#state = VALUE;
        this.#position += 1;
        return true;
      case KEY:
      case FIRST_KEY:
        if (byte === 0x22) return this.#beginString(true);
        return byte === 0x7d && this.#state === FIRST_KEY ? this.#closeContainer() : this.#fail('unexpected_character');
      default:
        if (byte === 0x5d && this.#state === FIRST_ELEMENT) return this.#closeContainer();
        return this.#beginValue(byte);
    }
  }

  #beginValue(byte: number): boolean {
    switch (byte) {
      case 0x22:
        return this.#beginString(false);
      case 0x7b:
        return this.#openContainer(OBJECT);
      case 0x5b:
        return this.#openContainer(ARRAY);
      case 0x74:
        return this.#readWord(TRUE, 'true');
      case 0x66:
        return this.#readWord(FALSE, 'false');
      case 0x6e:
        return this.#readWord(NULL, 'null');
      default:
        this.#number = firstNumberState(byte);
        if (this.#number < 0) return this.#fail('unexpected_character');
        this.#row = this.#record(NUMBER);
        this.#state = IN_NUMBER;
        this.#position += 1;
        return true;
    }
  }

  /** Puts a value that begins here on the tape, when its depth is recorded; its row, or -1. */
  #record(kind: number): number {
    if (this.#depth > this.#limit) return -1;
    if (this.#depth > 1 && this.tape.rows >= this.#options.maxRows) {
      this.overflow = true;
      return -1;
    }
    return this.tape.open(kind, this.#position);
  }

  #openContainer(kind: number): boolean {
    const row = this.#record(kind);
    if (this.#depth >= this.#options.maxDepth) return this.#fail('too_deep');
    if (this.#depth < this.#rows.length) this.#rows[this.#depth] = row;
    if (this.#depth === this.#containers.length) {
      const larger = new Uint8Array(this.#depth * 2);
      larger.set(this.#containers);
      this.#containers = larger;
    }
    this.#containers[this.#depth] = kind === OBJECT ? 1 : 0;
    if (this.#depth === 0 && kind === OBJECT) this.#limit = 1;
    this.#depth += 1;
    this.#state = kind === OBJECT ? FIRST_KEY : FIRST_ELEMENT;
    this.#position += 1;
    return true;
  }

  #closeContainer(): boolean {
    this.#position += 1;
    this.#depth -= 1;
    const row = this.#depth < this.#rows.length ? (this.#rows[this.#depth] as number) : -1;
    if (row >= 0) this.tape.close(row, this.#position);
    this.#state = AFTER_VALUE;
    return true;
  }

  #beginString(isKey: boolean): boolean {
    this.#row = this.#record(STRING);
    this.#isKey = isKey;
    this.#escaped = false;
    this.#tokenStart = this.#position;
    this.#state = IN_STRING;
    this.#position += 1;
    return true;
  }

  /** Reads on inside a string; false when `stop` came first or the string is bad. */
  #readString(stop: number): boolean {
    const bytes = this.#bytes;
    let at = this.#position;
    while (at < stop) {
      at = skipPlain(bytes, this.#view, at, stop);
      if (at >= stop) break;
      this.#position = at;
      const byte = bytes[at] as number;
      if (byte === 0x22) {
        this.#position = at + 1;
        return this.#endString();
      }
      if (byte !== 0x5c) return this.#fail('unexpected_character');
      this.#escaped = true;
      const length = escapeLength(bytes, at);
      if (length === 0) return this.#failEscape(at);
      at += length;
    }
    this.#position = at;
    return true;
  }

  /** An escape that the body's end cuts off is `unexpected_end`; any other bad one is a bad character. */
  #failEscape(at: number): false {
    const last = at + (this.#bytes[at + 1] === 0x75 ? 6 : 2);
    if (last <= this.#bytes.length) return this.#fail('unexpected_character');
    this.#position = this.#bytes.length;
    return this.#fail('unexpected_end');
  }

  #endString(): boolean {
    if (this.#row >= 0 && this.#escaped) this.tape.markEscaped(this.#row);
    if (!this.#isKey) {
      this.#endScalar();
      return true;
    }
    if (this.#row >= 0) this.tape.close(this.#row, this.#position);
    if (this.#depth === 1) {
      this.#members += 1;
      if (this.#members > this.#options.maxMembers) return this.#fail('too_many_members');
      this.#limit = this.#options.recordDepth(this.#tokenStart, this.#position, this.#escaped);
    }
    this.#state = COLON;
    return true;
  }

  #endScalar(): void {
    if (this.#row >= 0) this.tape.close(this.#row, this.#position);
    this.#state = AFTER_VALUE;
  }

  /** Reads on inside a number; false when it is bad. */
  #readNumber(stop: number): boolean {
    const bytes = this.#bytes;
    let at = this.#position;
    let number = this.#number;
    while (at < stop) {
      const following = afterNumberByte(number, bytes[at] as number);
      if (following < 0) {
        this.#position = at;
        if (!isWholeNumber(number)) return this.#fail('unexpected_character');
        this.#endScalar();
        return true;
      }
      number = following;
      at += 1;
    }
    this.#number = number;
    this.#position = at;
    return true;
  }

  #readWord(kind: number, word: string): boolean {
    const row = this.#record(kind);
    for (let index = 0; index < word.length; index += 1) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) return this.#fail('unexpected_end');
      if (byte !== word.charCodeAt(index)) return this.#fail('unexpected_character');
      this.#position += 1;
    }
    this.#row = row;
    this.#endScalar();
    return true;
  }
}
