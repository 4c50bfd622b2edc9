/** How many tokens a prompt has: a cheap estimate for every request, and a real count for those near a limit. */

/**
 * Tokens a character by class, fitted to the o200k vocabulary on English prose, source code, and text in nine languages
 * (test/unit/signals/tokens.test.ts shows the error). Vocabularies of other models differ by a tenth or two.
 */
const TOKENS_PER_CHAR = {
  latin: 0.24,
  digit: 0.5,
  space: 0.06,
  mark: 0.65,
  extended: 0.5,
  alphabetic: 0.27,
  syllabic: 0.72,
};

/** Longer texts are estimated from samples: this many slices of this many characters, evenly spread. */
const SAMPLES = 32;
const SAMPLE_CHARS = 1024;
/** The most characters of one text that an estimate reads. */
export const MAX_ESTIMATED_CHARS = SAMPLES * SAMPLE_CHARS;

/** Role, separators and the like around each message. */
export const TOKENS_PER_MESSAGE = 4;
/** An image of about 1024 × 1024 in high detail; models differ from 85 to several thousand. */
export const TOKENS_PER_IMAGE = 800;

/** Estimated tokens of a text, not rounded; at most 32,768 characters are looked at. */
export function estimateTokens(text: string): number {
  const size = MAX_ESTIMATED_CHARS;
  if (text.length <= size) return estimateSlice(text, 0, text.length);
  const stride = (text.length - SAMPLE_CHARS) / (SAMPLES - 1);
  let sum = 0;
  for (let index = 0; index < SAMPLES; index += 1) {
    const start = Math.floor(index * stride);
    sum += estimateSlice(text, start, start + SAMPLE_CHARS);
  }
  return (sum / size) * text.length;
}

function estimateSlice(text: string, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index += 1) sum += tokensOfUnit(text.charCodeAt(index));
  return sum;
}

function tokensOfUnit(unit: number): number {
  if (unit < 0x80) {
    if ((unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)) return TOKENS_PER_CHAR.latin;
    if (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)) return TOKENS_PER_CHAR.space;
    return unit >= 0x30 && unit <= 0x39 ? TOKENS_PER_CHAR.digit : TOKENS_PER_CHAR.mark;
  }
  if (unit < 0x370) return TOKENS_PER_CHAR.extended;
  if (unit < 0x700) return TOKENS_PER_CHAR.alphabetic;
  return TOKENS_PER_CHAR.syllabic;
}

/** A real count is worth its time when the estimate, which may be off by a third, could lie on either side of a limit. */
export function isNearLimit(estimatedTokens: number, limitTokens: number): boolean {
  return estimatedTokens > limitTokens * 0.65 && estimatedTokens < limitTokens * 1.5;
}

/** Byte-pair merging takes quadratic time in an unbroken run: text is counted in pieces, cut at white space where there is some. */
const PIECE_CHARS = 1000;
/** The event loop gets a turn after this many characters, a few milliseconds of work at worst; beginning a text counts as some. */
const TURN_CHARS = 16_384;
const TEXT_COST = 128;

/** Counts the tokens of one text after the other, and takes a turn now and then, however many texts there are. */
export type TokenCounter = (text: string, maxTokens: number) => Promise<number>;

/**
 * A counter of tokens in the o200k vocabulary. It answers the tokens of a text, or a number above `maxTokens` as soon as there are more. Text that
 * looks like a special token counts as text. The vocabulary is loaded for the first counter (about 170 ms, 60 MB); a piece border may split a
 * token, which adds at most one in a thousand characters. `pause` gives the event loop its turn.
 */
export async function createTokenCounter(pause: () => Promise<unknown> = nextTurn): Promise<TokenCounter> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  let sinceTurn = 0;
  return async (text, maxTokens) => {
    let total = 0;
    sinceTurn += TEXT_COST;
    for (let start = 0; start < text.length && total <= maxTokens;) {
      const end = pieceEnd(text, start);
      total += countTokens(text.slice(start, end), { disallowedSpecial: new Set() });
      sinceTurn += end - start;
      start = end;
      if (sinceTurn < TURN_CHARS) continue;
      sinceTurn = 0;
      await pause();
    }
    return total;
  };
}

/** The tokens of one text. */
export async function countTokensExact(text: string, maxTokens: number): Promise<number> {
  return (await createTokenCounter())(text, maxTokens);
}

function nextTurn(): Promise<unknown> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Just before the last space of the next `PIECE_CHARS` characters, so that the space stays with the word behind it. */
function pieceEnd(text: string, start: number): number {
  const limit = start + PIECE_CHARS;
  if (limit >= text.length) return text.length;
  const space = text.lastIndexOf(' ', limit);
  if (space > start + PIECE_CHARS / 2) return space;
  const unit = text.charCodeAt(limit);
  return unit >= 0xdc00 && unit <= 0xdfff ? limit - 1 : limit;
}
