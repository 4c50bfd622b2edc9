/**
 * What of a long text goes through the encoder: its beginning and its end, three quarters to one as the model was trained. Characters are
 * cut first, so that the cost of a request does not grow with its length; the tokenizer then cuts to the exact number of tokens.
 */

/** A text as it goes to the tokenizer: whole (`tail` null), or its beginning and end with the middle left out. */
export interface CutText {
  readonly head: string;
  readonly tail: string | null;
}

/** The token window of a model; head_tokens counts [CLS] and tail_tokens counts [SEP]. */
export interface TokenWindow {
  readonly max_tokens: number;
  readonly head_tokens: number;
  readonly tail_tokens: number;
}

/** English has 4–5 characters a token, tables and indented code up to 7: twice the usual is tokenised at each end. */
export const CHARS_PER_TOKEN = 8;

/** Cuts a text to `CHARS_PER_TOKEN` characters (UTF-16 code units) a token at each end; never splits a surrogate pair. */
export function cutCharacters(text: string, window: TokenWindow): CutText {
  const headChars = window.head_tokens * CHARS_PER_TOKEN;
  const tailChars = window.tail_tokens * CHARS_PER_TOKEN;
  if (text.length <= headChars + tailChars) return { head: text, tail: null };
  const headEnd = isLowSurrogate(text, headChars) ? headChars - 1 : headChars;
  const tailStart = text.length - tailChars;
  return {
    head: text.slice(0, headEnd),
    tail: text.slice(isLowSurrogate(text, tailStart) ? tailStart + 1 : tailStart),
  };
}

/**
 * Joins token ids (no special tokens) to [CLS] … [SEP] of at most `max_tokens`. A text that is too long keeps its first head_tokens − 1 and
 * last tail_tokens − 1 ids; when one end is short of its share, the other takes the room.
 */
export function joinTokens(
  head: readonly number[],
  tail: readonly number[] | null,
  window: TokenWindow,
  special: { readonly cls: number; readonly sep: number },
): { readonly ids: readonly number[]; readonly truncated: boolean } {
  const room = window.max_tokens - 2;
  const end = tail ?? head;
  const total = tail === null ? head.length : head.length + tail.length;
  if (total <= room) {
    return { ids: [special.cls, ...head, ...(tail ?? []), special.sep], truncated: tail !== null };
  }
  const headRoom = window.head_tokens - 1;
  const tailRoom = room - headRoom;
  const tailCount = tail === null ? tailRoom : Math.min(tail.length, Math.max(tailRoom, room - head.length));
  const headCount = room - tailCount;
  return {
    ids: [special.cls, ...head.slice(0, headCount), ...end.slice(end.length - tailCount), special.sep],
    truncated: true,
  };
}

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
