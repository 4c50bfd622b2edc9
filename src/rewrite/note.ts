/**
 * What we wrote into a body's reasoning fields, so that a later attempt on a model of another family can take it out again. It travels
 * beside the request as a short JSON string (dynamic metadata), which keeps the retry stateless.
 */
import { isRecord } from '../record.ts';

export interface RewriteNote {
  /** We wrote `reasoning_effort`; `previous` is the JSON that stood there, null when nothing did. */
  readonly effort: { readonly previous: string | null } | null;
  /**
   * We wrote `parameter` into `chat_template_kwargs`. `owner` ours: the whole object is ours and `previous` is the JSON that stood there;
   * caller: the object is the caller's and `previous` is what the parameter was. null when nothing was there.
   */
  readonly kwargs: {
    readonly parameter: string;
    readonly owner: 'ours' | 'caller';
    readonly previous: string | null;
  } | null;
}

export const EMPTY_NOTE: RewriteNote = { effort: null, kwargs: null };

/** The note as a string; '' when nothing was written. */
export function encodeRewriteNote(note: RewriteNote): string {
  return note.effort === null && note.kwargs === null ? '' : JSON.stringify(note);
}

/** The note of a string that `encodeRewriteNote` made; anything else reads as the empty note. */
export function decodeRewriteNote(text: string): RewriteNote {
  if (text === '') return EMPTY_NOTE;
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return EMPTY_NOTE;
    return { effort: readEffort(value['effort']), kwargs: readKwargs(value['kwargs']) };
  } catch {
    return EMPTY_NOTE;
  }
}

function readEffort(value: unknown): RewriteNote['effort'] {
  return isRecord(value) && isJsonOrNull(value['previous']) ? { previous: value['previous'] } : null;
}

function readKwargs(value: unknown): RewriteNote['kwargs'] {
  if (!isRecord(value)) return null;
  const { parameter, owner, previous } = value;
  if (typeof parameter !== 'string' || (owner !== 'ours' && owner !== 'caller') || !isJsonOrNull(previous)) return null;
  return { parameter, owner, previous };
}

/** What goes back into a body must be JSON: a broken note must not break the request. Throws where it isn't. */
function isJsonOrNull(value: unknown): value is string | null {
  if (value === null) return true;
  if (typeof value !== 'string') return false;
  JSON.parse(value);
  return true;
}
