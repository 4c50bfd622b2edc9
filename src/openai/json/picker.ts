/**
 * Picks a few small values out of JSON that comes in pieces, without holding on to the rest: an answer of 100 MB costs no more memory than
 * one of 1 KB. It reads what an endpoint wrote, so it is lenient: on broken JSON it finds less, and never throws.
 *
 * While a wanted value is read (`capturing`), its bytes are kept as they come until the comma or bracket behind it.
 */
import { skipPlain, wordsOf, type WordView } from './plain-run.ts';

/** A key path from the top-level object; '*' is any element of an array. */
export type KeyPath = readonly string[];

/** Keys and values longer than this are not looked at: usage objects have about 300 bytes. */
const MAX_KEPT_BYTES = 16 * 1024;
const MAX_KEY_BYTES = 64;
const INITIAL_KEPT_BYTES = 512;

export class JsonPicker {
  readonly #paths: readonly KeyPath[];
  readonly #deepest: number;
  readonly #found: (path: number, json: string) => void;
  #kept = Buffer.alloc(INITIAL_KEPT_BYTES);
  #keptBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #expectsKey = false;
  #readsKey = false;
  /** Index of the path whose value is being read; -1 for none. */
  #capturing = -1;
  #captureDepth = 0;
  /** By depth, from 1: the key that is being read in an object, '*' in an array. */
  readonly #keys: string[] = [];
  /** The top-level value is complete. */
  ended = false;

  /** `found` gets the index of the path and the value's JSON (unchecked) as soon as the value has ended. */
  constructor(paths: readonly KeyPath[], found: (path: number, json: string) => void) {
    this.#paths = paths;
    this.#deepest = Math.max(...paths.map((path) => path.length));
    this.#found = found;
  }

  /** Forgets the document so far: another one begins. */
  reset(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#expectsKey = false;
    this.#readsKey = false;
    this.#capturing = -1;
    this.#keptBytes = 0;
    this.ended = false;
  }

  /** Reads bytes [start, end) of a piece. `view` is the piece's word view. */
  push(bytes: Uint8Array, start: number, end: number, view: WordView = wordsOf(bytes)): void {
    let at = start;
    while (at < end) {
      if (this.#inString) {
        at = this.#pushString(bytes, at, end, view);
        continue;
      }
      this.#pushStructure(bytes, at);
      at += 1;
    }
  }

  #pushString(bytes: Uint8Array, start: number, end: number, view: WordView): number {
    const at = this.#escaped ? start : skipPlain(bytes, view, start, end);
    const after = Math.min(end, at + 1);
    if (this.#readsKey || this.#capturing >= 0) this.#keep(bytes, start, after);
    if (at === end) return end;
    const byte = bytes[at];
    if (this.#escaped) this.#escaped = false;
    else if (byte === 0x5c) this.#escaped = true;
    else if (byte === 0x22) this.#endString();
    return after;
  }

  #endString(): void {
    this.#inString = false;
    if (!this.#readsKey) return;
    this.#readsKey = false;
    this.#keys[this.#depth] =
      this.#keptBytes <= MAX_KEY_BYTES ? this.#kept.toString('utf8', 0, Math.max(0, this.#keptBytes - 1)) : '';
    this.#keptBytes = 0;
  }

  #pushStructure(bytes: Uint8Array, at: number): void {
    const byte = bytes[at] as number;
    if (byte === 0x2c || byte === 0x7d || byte === 0x5d) {
      if (this.#capturing >= 0 && this.#depth === this.#captureDepth) this.#endCapture();
    }
    if (this.#capturing >= 0) this.#keep(bytes, at, at + 1);
    switch (byte) {
      case 0x22:
        this.#inString = true;
        this.#readsKey = this.#expectsKey && this.#capturing < 0 && this.#depth <= this.#deepest;
        this.#expectsKey = false;
        break;
      case 0x3a:
        if (this.#capturing < 0) this.#beginCapture();
        break;
      case 0x2c:
        this.#expectsKey = this.#keys[this.#depth] !== '*';
        break;
      case 0x7b:
      case 0x5b:
        this.#depth += 1;
        this.#expectsKey = byte === 0x7b;
        if (this.#depth <= this.#deepest) this.#keys[this.#depth] = byte === 0x7b ? '' : '*';
        break;
      case 0x7d:
      case 0x5d:
        if (this.#depth === 1) this.ended = true;
        this.#depth = Math.max(0, this.#depth - 1);
        break;
      default:
        break;
    }
  }

  #beginCapture(): void {
    const depth = this.#depth;
    const path = this.#paths.findIndex(
      (keys) => keys.length === depth && keys.every((key, index) => key === this.#keys[index + 1]),
    );
    if (path < 0) return;
    this.#capturing = path;
    this.#captureDepth = depth;
    this.#keptBytes = 0;
  }

  #endCapture(): void {
    const path = this.#capturing;
    this.#capturing = -1;
    if (this.#keptBytes <= MAX_KEPT_BYTES) this.#found(path, this.#kept.toString('utf8', 0, this.#keptBytes));
    this.#keptBytes = 0;
  }

  /** Beyond the limit only the count grows, which says that the value is too long. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    const total = this.#keptBytes + end - start;
    if (total <= MAX_KEPT_BYTES) {
      while (total > this.#kept.length) this.#kept = Buffer.concat([this.#kept, Buffer.alloc(this.#kept.length)]);
      this.#kept.set(bytes.subarray(start, end), this.#keptBytes);
    }
    this.#keptBytes = total;
  }
}
