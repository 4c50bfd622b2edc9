import { createAnchorSearch } from './pii/anchors.ts';
import { loginAt, passwordAt } from './pii/credentials.ts';
import { emailAt } from './pii/email.ts';
import type { PiiFinding } from './pii/finding.ts';
import { jwtAt, JWT_BEGIN } from './pii/jwt.ts';
import { createLabels } from './pii/labels.ts';
import { merge } from './pii/merge.ts';
import { createNumberSearch } from './pii/numbers.ts';
import { numberingPlans, type NumberingPlans } from './pii/phone.ts';
import { KEY_BLOCK_BEGIN, privateKeyAt } from './pii/private-key.ts';
import { createKeySearch } from './pii/secrets.ts';

export { PII_KINDS, type PiiFinding, type PiiKind } from './pii/finding.ts';

/** Numbers of one text, or of one request, that are looked up in the numbering plans: one takes some 50 µs. For those after them the shape must do. */
const PLAN_LOOKUPS = 64;
/** What is found from its middle (an address from its @, a key) begins at most so many characters before. */
const LONGEST_HEAD = 1100;

/**
 * A long text is searched window by window, so that no step runs ahead through all of it (to the end of a run, to the next digit). What is
 * around a window is seen as well: before it more than a label or the longest token has, behind it more than the longest key block.
 */
const WINDOW = 256 * 1024;
const SEEN_BEFORE = 2048;
const SEEN_BEHIND = 20 * 1024;

/** Characters whose search takes some 0.1 ms of prose, and 4 ms where a text is made to be slow: between such slices others get their turn. */
export const PII_SLICE_CHARACTERS = 8 * 1024;
/** What it costs to begin a text, as so many characters. */
export const PII_TEXT_COST = 256;

/** A search for personal data that can stop and go on, so that a long text need not keep the thread busy at one go. */
export interface PiiSearch {
  /** What begins in the part that has not been searched and before `to`, in order of place. However `to` grows, the same is found. */
  advance(to: number): readonly PiiFinding[];
}

/** The look-ups that all texts of one request may make together. */
export function planLookups(): NumberingPlans {
  return numberingPlans(PLAN_LOOKUPS);
}

/** Begins a search of `text` by pattern, checksum and the words around. The work is linear in the text. */
export function startPiiSearch(text: string, plans: NumberingPlans = planLookups()): PiiSearch {
  if (text.length <= WINDOW + SEEN_BEHIND) return searchWindow(text, plans);
  let searchedTo = 0;
  let foundTo = 0;
  let window = { from: 0, end: 0, offset: 0, search: searchWindow('', plans) };
  const open = (start: number) => {
    const offset = Math.max(0, start - SEEN_BEFORE);
    const end = Math.min(text.length, start + WINDOW);
    window = { from: start, end, offset, search: searchWindow(text.slice(offset, end + SEEN_BEHIND), plans) };
  };
  return {
    advance: (to) => {
      const ready: PiiFinding[] = [];
      while (searchedTo < Math.min(to, text.length)) {
        if (searchedTo === window.end) open(searchedTo);
        const { from, end, offset, search } = window;
        searchedTo = Math.min(to, end);
        for (const finding of search.advance(searchedTo - offset)) {
          const start = finding.start + offset;
          if (start < Math.max(from, foundTo)) continue;
          foundTo = finding.end + offset;
          ready.push({ ...finding, start, end: foundTo });
        }
      }
      return ready;
    },
  };
}

/**
 * The searches of one window. They are independent and in order of how sure they are: what an earlier one has found, a later one can't touch.
 * Each reads a character a bounded number of times.
 */
function searchWindow(text: string, plans: NumberingPlans): PiiSearch {
  const fromMiddle = [
    createAnchorSearch(text, KEY_BLOCK_BEGIN, privateKeyAt),
    createAnchorSearch(text, JWT_BEGIN, jwtAt),
    createKeySearch(text),
    createAnchorSearch(text, 'assw', passwordAt),
    createAnchorSearch(text, 'ASSW', passwordAt),
    createAnchorSearch(text, '@', (whole, at) => loginAt(whole, at) ?? emailAt(whole, at)),
  ];
  const numbers = createNumberSearch(text, createLabels(text), plans);
  let waiting: readonly PiiFinding[] = [];
  let foundTo = 0;
  return {
    advance: (to) => {
      for (const search of fromMiddle) waiting = merge(waiting, search.advance(to + LONGEST_HEAD));
      const found = merge(waiting, numbers.advance(to)).filter(({ start }) => start >= foundTo);
      const ready = found.filter(({ start }) => start < to);
      waiting = found.slice(ready.length);
      foundTo = ready.at(-1)?.end ?? foundTo;
      return ready;
    },
  };
}

/**
 * Personal data in a text, in order of place and disjoint. Names, organisations and street addresses are not looked for: that takes a model
 * head of measured quality.
 */
export function findPii(text: string): readonly PiiFinding[] {
  return startPiiSearch(text).advance(text.length);
}

/** The text with each finding replaced by its kind in angle brackets. Findings are in order of place, as `findPii` returns them. */
export function maskPii(text: string, findings: readonly PiiFinding[]): string {
  let masked = '';
  let from = 0;
  for (const finding of findings) {
    masked += `${text.slice(from, finding.start)}<${finding.kind}>`;
    from = finding.end;
  }
  return masked + text.slice(from);
}
