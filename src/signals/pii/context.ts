/** How far before a number its label may stand: "My social security number, in case you need it, is …". */
const REACH = 48;

/**
 * The words just before `at`, lower case, cut at the sentence or line that they belong to: a label speaks for the number in its own
 * sentence only. A full stop ends a sentence when a space follows it, so "D.O.B." and "no. 12" stay whole.
 */
export function wordsBefore(text: string, at: number): string {
  const window = text.slice(Math.max(0, at - REACH), at).toLowerCase();
  const cut = Math.max(
    window.lastIndexOf('\n\n'),
    window.search(/[.!?;]\s+(?=[a-z ]{3,}[^.]*$)(?!.*(?:no|nr|num)\.\s*$)/),
  );
  return cut < 0 ? window : window.slice(cut + 1);
}

/** The characters right after `end`, lower case. */
export function wordsAfter(text: string, end: number): string {
  return text.slice(end, end + 24).toLowerCase();
}

/** Labels of numbers that identify things, not people. */
const THING =
  /\b(?:order|invoice|tracking|ticket|case|serial|part|sku|isbn|issn|doi|imei|item|model|version|build|release|commit|hash|uuid|guid|ref(?:erence)?|batch|lot|catalog(?:ue)?|article|product|job|pid|port|line|page|chapter|section|rfc|patent|error|code|id|asin|upc|ean|gtin|vin|po|rma|bug|issue|pr|timestamp|epoch|unix|nonce|seed|block)\s*(?:number|no\.?|nr\.?|num|code|id|#)?\s*(?:is|was|:|=|#|-)*\s*["'(]?$/;

/** True when the words before a number say that it names a thing: an order, a part, a build. */
export function namesAThing(before: string): boolean {
  return THING.test(before);
}
