/** Edits of a body as byte splices: one allocation, every byte outside the spans as it came. */
import { atOnce, type Steps } from '../openai/pace.ts';
import type { Span } from '../openai/request.ts';

/** Bytes [start, end) become `text` (UTF-8). start = end inserts. */
export interface Splice extends Span {
  readonly text: string;
}

/** Bytes that are copied at a time: a quarter of a millisecond, the system's first touch of the new memory included. */
const COPIED_AT_ONCE = 512 * 1024;

/** `spliceSteps` at one go. */
export function applySplices(body: Uint8Array, splices: readonly Splice[]): Uint8Array {
  return atOnce(spliceSteps(body, splices));
}

/**
 * The body with all splices done. They may come in any order but must not overlap; splices at the same place go in as listed.
 * Without splices the body itself comes back, not a copy. A large body is copied in steps.
 */
export function* spliceSteps(body: Uint8Array, splices: readonly Splice[]): Steps<Uint8Array> {
  if (splices.length === 0) return body;
  const ordered = [...splices].sort((one, other) => one.start - other.start || one.end - other.end);
  let length = body.length;
  for (const { start, end, text } of ordered) length += Buffer.byteLength(text) - (end - start);
  // Every byte is written below, so the pool's or the heap's old contents never show.
  const edited = Buffer.allocUnsafe(length);
  let read = 0;
  let written = 0;
  let left = COPIED_AT_ONCE;
  for (const { start, end, text } of [...ordered, { start: body.length, end: body.length, text: '' }]) {
    while (read < start) {
      const stop = Math.min(start, read + left);
      edited.set(body.subarray(read, stop), written);
      written += stop - read;
      left -= stop - read;
      read = stop;
      if (left > 0) continue;
      left = COPIED_AT_ONCE;
      yield;
    }
    written += edited.write(text, written);
    read = end;
  }
  return edited;
}

/** What to do with the items of one object or array. */
export interface ContainerEdit {
  /** The container, its brackets included. */
  readonly container: Span;
  /** Its items in order: elements, or members from key to value. */
  readonly items: readonly Span[];
  /** Whether to take out the item at this index. */
  readonly removed: (index: number) => boolean;
  /** JSON of items to put in front of the others. */
  readonly added: readonly string[];
}

/** The splices that take items out of a container and put others in front, commas included, whatever the position. */
export function editContainer({ container, items, removed, added }: ContainerEdit): Splice[] {
  const splices: Splice[] = [];
  let lastKept = -1;
  for (let index = 0; index < items.length; index += 1) if (!removed(index)) lastKept = index;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index] as Span;
    const following = items[index + 1];
    if (!removed(index)) continue;
    if (index > lastKept || following === undefined) {
      // Nothing kept follows: the comma before the run goes, and the run to its end.
      const start = lastKept < 0 ? item.start : (items[lastKept] as Span).end;
      splices.push({ start, end: (items[items.length - 1] as Span).end, text: '' });
      break;
    }
    splices.push({ start: item.start, end: following.start, text: '' });
  }
  if (added.length > 0) {
    const at = container.start + 1;
    splices.unshift({ start: at, end: at, text: added.join(',') + (lastKept < 0 ? '' : ',') });
  }
  return splices;
}

/** `"key":value` from a key and a value that is JSON already. */
export function memberJson(key: string, valueJson: string): string {
  return `${JSON.stringify(key)}:${valueJson}`;
}
