import * as tokenizers from '@huggingface/tokenizers';
import { RouterError } from '../errors.ts';
import { cutCharacters, joinTokens, type CutText, type TokenWindow } from './window.ts';

/** The package's own declarations import without file extensions, which Node's module resolution cannot follow: this is what we use of them. */
interface HuggingFaceTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] };
  token_to_id(token: string): number | undefined;
}
const { Tokenizer } = tokenizers as unknown as {
  readonly Tokenizer: new (definition: object, config: object) => HuggingFaceTokenizer;
};

export interface Tokens {
  /** [CLS] … [SEP], at most `max_tokens` of them. */
  readonly ids: readonly number[];
  /** True when the middle of the text was left out. */
  readonly truncated: boolean;
}

export interface TextTokenizer {
  /** The ids of a text that was cut already; at most about 8 × max_tokens characters are tokenised. */
  encodeCut(cut: CutText): Tokens;
  encode(text: string): Tokens;
}

/**
 * A WordPiece tokenizer from the texts of tokenizer.json and tokenizer_config.json. Words like "[SEP]" in a prompt are text like any other:
 * the file's list of special tokens is not handed on, so that nobody can write one into the model's input.
 */
export function createTokenizer(tokenizerJson: string, configJson: string, window: TokenWindow): TextTokenizer {
  const definition = JSON.parse(tokenizerJson) as Record<string, unknown>;
  const tokenizer = new Tokenizer({ ...definition, added_tokens: [] }, JSON.parse(configJson) as object);
  const special = { cls: specialId(tokenizer, '[CLS]'), sep: specialId(tokenizer, '[SEP]') };
  const idsOf = (text: string) => (text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids);
  const encodeCut = (cut: CutText) =>
    joinTokens(idsOf(cut.head), cut.tail === null ? null : idsOf(cut.tail), window, special);
  return { encodeCut, encode: (text) => encodeCut(cutCharacters(text, window)) };
}

function specialId(tokenizer: HuggingFaceTokenizer, token: string): number {
  const id = tokenizer.token_to_id(token);
  if (id !== undefined) return id;
  throw new RouterError({
    code: 'MODEL_BUNDLE_INVALID',
    source: 'internal',
    where: 'tokenizer.json',
    message: `the vocabulary has no ${token}`,
    hint: 'Use the tokenizer of a BERT-family encoder',
  });
}
