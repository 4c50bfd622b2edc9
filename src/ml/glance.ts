import type { Encoding } from '../signals/signals.ts';
import type { Bundle } from './bundle.ts';
import { staticProbabilities } from './static-table.ts';
import type { Tokens } from './tokenizer.ts';

/** What the table of tokens makes of a text; null when the text has no tokens. */
export type Glance = (tokens: Tokens) => Encoding | null;

/** The stand-in for the encoder on the calling thread, or null when the model has no table. */
export function createGlance({ staticTable }: Pick<Bundle, 'staticTable'>): Glance | null {
  if (staticTable === null) return null;
  return ({ ids, truncated }) => {
    // [CLS] and [SEP] stand around every text.
    const tokens = ids.slice(1, -1);
    if (tokens.length === 0) return null;
    return {
      tier: 'static',
      categoryProbabilities: staticProbabilities(staticTable, tokens),
      difficulty: null,
      jailbreak: null,
      embedding: null,
      tokens: ids.length,
      truncated,
      memoised: false,
    };
  };
}
