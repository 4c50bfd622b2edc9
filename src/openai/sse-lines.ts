/**
 * Finds the data of server-sent events in a stream of bytes, cut in any way (WHATWG HTML, section 9.2.6). It keeps nothing: the bytes of
 * data go on as they come, so an event of any length costs no memory.
 *
 * Where in a line: at its START, in its FIELD name, behind the colon (one space is not part of the value), in DATA, or to be SKIPPED.
 */
const START = 0;
const FIELD = 1;
const COLON = 2;
const DATA = 3;
const SKIPPED = 4;

const DATA_FIELD = [0x64, 0x61, 0x74, 0x61] as const;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export interface SseSink {
  /** Bytes [start, end) of the piece are data of the current event; lines of one event come one after the other. */
  readonly data: (piece: Uint8Array, start: number, end: number) => void;
  /** A blank line: the event is complete. Also called for events without data. */
  readonly endOfEvent: () => void;
}

export class SseLines {
  readonly #sink: SseSink;
  #state = START;
  /** Bytes of `data` matched so far. */
  #matched = 0;
  /** The last byte was a carriage return: a line feed next belongs to it. */
  #afterReturn = false;
  #markMatched = 0;

  constructor(sink: SseSink) {
    this.#sink = sink;
  }

  push(piece: Uint8Array): void {
    let at = this.#skipMark(piece);
    // Looked for once, not once a line: lines may end in carriage returns alone.
    let feed = -1;
    while (at < piece.length) {
      if (this.#state === DATA || this.#state === SKIPPED) {
        if (feed < at) feed = nextFeed(piece, at);
        const back = piece.subarray(at, feed).indexOf(0x0d);
        const end = back < 0 ? feed : at + back;
        if (this.#state === DATA && end > at) this.#sink.data(piece, at, end);
        this.#afterReturn = false;
        at = end;
        if (at === piece.length) return;
      }
      const byte = piece[at] as number;
      if (byte === 0x0a && this.#afterReturn) this.#afterReturn = false;
      else if (byte === 0x0a || byte === 0x0d) this.#endLine(byte);
      else if (!this.#readField(byte)) continue;
      at += 1;
    }
  }

  #endLine(byte: number): void {
    if (this.#state === START) this.#sink.endOfEvent();
    this.#state = START;
    this.#matched = 0;
    this.#afterReturn = byte === 0x0d;
  }

  /** One byte before the value; false when it belongs to the value itself and is to be looked at again. */
  #readField(byte: number): boolean {
    this.#afterReturn = false;
    if (this.#state === COLON) {
      this.#state = DATA;
      return byte === 0x20;
    }
    if (byte === DATA_FIELD[this.#matched]) {
      this.#matched += 1;
      this.#state = FIELD;
    } else {
      this.#state = byte === 0x3a && this.#matched === DATA_FIELD.length ? COLON : SKIPPED;
    }
    return true;
  }

  /** A byte order mark at the very start of the stream is not part of it; the offset behind it. */
  #skipMark(piece: Uint8Array): number {
    let at = 0;
    while (this.#markMatched < BYTE_ORDER_MARK.length && at < piece.length) {
      if (piece[at] !== BYTE_ORDER_MARK[this.#markMatched]) this.#markMatched = BYTE_ORDER_MARK.length;
      else {
        this.#markMatched += 1;
        at += 1;
      }
    }
    return at;
  }
}

/** The offset of the next line feed; the end where there is none. */
function nextFeed(piece: Uint8Array, start: number): number {
  const feed = piece.indexOf(0x0a, start);
  return feed < 0 ? piece.length : feed;
}
