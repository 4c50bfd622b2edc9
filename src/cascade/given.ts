/** What a client gets of a cascade, and what is said about it. Pure. */
import type { ResponseStart } from '../extproc/machine-events.ts';
import { CHECKED_NAMESPACE, KEPT_NAMESPACE } from '../rewrite/headers.ts';
import { decodeKept, noteOf, type KeptAnswer } from './carried.ts';

/** The answer to give in place of an error: one that did not pass is better than none. Null where the answer is no error, or none was kept. */
export function answerAfterAll({ headers, metadata }: ResponseStart): KeptAnswer | null {
  const status = Number(headers.get(':status'));
  return status >= 400 ? decodeKept(metadata.get(KEPT_NAMESPACE)) : null;
}

/** `passed`, `unchecked`, `kept:CHECK` or `escalated:CHECK` for the answer of this attempt (from 1). */
export function cascadeState({ metadata }: ResponseStart, attempt: number): string {
  const notes = metadata.get(CHECKED_NAMESPACE);
  const own = noteOf(notes, attempt);
  if (own !== null && own.check !== null) return `kept:${own.check}`;
  for (let earlier = attempt - 1; earlier >= 1; earlier -= 1) {
    const note = noteOf(notes, earlier);
    if (note?.result === 'escalated' && note.check !== null) return `escalated:${note.check}`;
  }
  return own?.result ?? 'unchecked';
}
