import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileKeywords } from '../../../../src/decision/rules/keywords.ts';

/** The keywords of the list that are found. */
function found(keywords: readonly string[], text: string): string[] {
  return [...compileKeywords(keywords).search(text)].sort((a, b) => a - b).map((index) => keywords[index]!);
}

describe('compileKeywords', () => {
  test.each([
    ['anywhere, in any case', ['invoice'], 'Where is my INVOICE?', ['invoice']],
    ['as whole words only', ['voice', 'invoice'], 'invoices and voices', []],
    ['with digits and underscores as parts of words', ['log'], 'log2 _log log_', []],
    ['at both ends of the text', ['a', 'z'], 'a b z', ['a', 'z']],
    ['phrases, whatever white space is between', ['credit note'], 'credit \n note', ['credit note']],
    ['one inside another', ['he', 'she', 'hers'], 'he she', ['he', 'she']],
    ['overlapping', ['new york', 'york city'], 'in new york city', ['new york', 'york city']],
    ['after a false start', ['aab'], 'a aa aab', ['aab']],
    ['suffixes by way of failed longer ones', ['b c', 'a b d'], 'a b c', ['b c']],
    ['with signs at their edges, which need no boundary', ['c++', '.net'], 'I like c++17 and asp.net', ['c++', '.net']],
    ['in other scripts', ['straße', 'счёт'], 'Die STRASSE? Die Straße. Мой Счёт!', ['straße', 'счёт']],
    ['in scripts without spaces', ['发票'], '我的发票在哪里', ['发票']],
    ['next to characters beyond the basic plane', ['ok'], '😀ok😀 𝐚ok', ['ok']],
    ['not inside letters beyond the basic plane', ['ok'], '𝐚ok ok𝐚', []],
    ['twice the same', ['a', 'a'], 'a', ['a', 'a']],
    ['never an empty one', ['', ' '], 'anything', []],
    ['nothing in nothing', ['a'], '', []],
  ])('finds keywords %s', (_, keywords, text, expected) => expect(found(keywords, text)).toEqual(expected));

  test('agrees with a search for each word by itself', () => {
    const letters = fc.constantFrom('a', 'b', ' ', '.', 'é');
    const word = fc.string({ unit: letters, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.string({ unit: letters, maxLength: 40 }), (words, text) => {
        const expected = words.filter((one) => occurs(text, one));
        expect(found(words, text)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The same by trying every position. */
function occurs(rawText: string, rawWord: string): boolean {
  const clean = (value: string) => value.replace(/\s+/g, ' ').trim();
  const [text, word] = [clean(rawText), clean(rawWord)];
  const isLetter = (character: string | undefined) => character !== undefined && /[abé]/.test(character);
  if (word === '') return false;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const joinsLeft = isLetter(text[at - 1]) && isLetter(text[at]);
    const joinsRight = isLetter(text[end - 1]) && isLetter(text[end]);
    if (!joinsLeft && !joinsRight) return true;
  }
  return false;
}
