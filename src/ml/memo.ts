import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Encoding } from '../signals/signals.ts';
import type { CutText } from './window.ts';

/** Bookkeeping of one entry beside its numbers: key, object, list and map slots; an estimate. */
const ENTRY_BYTES = 400;
const NUMBER_BYTES = 8;

/** Encodings by the text that they belong to, bounded in bytes; the least recently used go first. No text is kept, only its hash. */
export class Memo {
  readonly #entries: LRUCache<string, Encoding>;

  /** `maxBytes` 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: (encoding) => sizeOf(encoding),
    });
  }

  get(key: string): Encoding | undefined {
    return this.#entries.get(key);
  }

  set(key: string, encoding: Encoding): void {
    this.#entries.set(key, encoding);
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** SHA-256 of what the encoder reads of a text: a caller can't make two texts share an answer. */
export function memoKey(cut: CutText): string {
  // The head's length parts the two, so that no two cuts give one string.
  return hash('sha256', cut.tail === null ? cut.head : `${cut.head.length}|${cut.head}|${cut.tail}`, 'base64');
}

function sizeOf(encoding: Encoding): number {
  const numbers = encoding.categoryProbabilities.length + (encoding.difficulty?.length ?? 0);
  return ENTRY_BYTES + numbers * NUMBER_BYTES + (encoding.embedding?.byteLength ?? 0);
}
