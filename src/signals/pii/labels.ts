import { isLetter } from './characters.ts';
import { FAMILIES, FAMILY, LABEL_WORDS, type LabelFamily } from './label-words.ts';

/** How far before a number its label may end: "My social security number, in case you need it, is …". */
const REACH = 48;
/** The longest label, so that one that ends right before a number is seen whole. */
const LONGEST = 24;
/** What may stand between a label and its own number. */
const FILLER =
  /^[\s"'“”`([{:=#>.,–-]*(?:(?:number|numbers|no|nr|num|nº|n°|№|code|id|is|was|are|of|in|the|value)[\s"'“”`([{:=#>.,–-]+)*$/i;
const MAX_FILLER = 24;
/** Full stops after these end no sentence. */
const ABBREVIATION =
  /(?:^|[^a-z])(?:no|nr|num|tel|mob|ph|dr|mr|mrs|ms|st|ext|lic|geb|d\.o\.b|approx|ca|pass|art|ssn|dob|dl|zip|plz|fax|cell)$/i;
const SENTENCE_END = /[.!?;](?=\s)/g;

/** The labels before the numbers of one text. Ask in the order of place: what was read for one number is not read again for the next. */
export interface Labels {
  /** The words between the last label of this family and `at`; null when there is none near, or a sentence ends in between. */
  between(family: LabelFamily, at: number): string | null;
  /** Whether a label of this family is near, in the same sentence. */
  has(family: LabelFamily, at: number): boolean;
  /** Whether a label of this family stands right before, with nothing but "number", "is", a colon and the like in between. */
  adjoins(family: LabelFamily, at: number): boolean;
}

/** All words that begin alike, in one pattern with a group for each. */
interface Entry {
  readonly pattern: RegExp;
  readonly families: readonly LabelFamily[];
}

/** Where the keys of letters beyond ASCII begin: above those of two ASCII letters. */
const OTHERS = 27 * 128;
const ENTRIES = entriesByBeginning();

/** Labels of `text`. Each character is read once at most, and only near numbers: the cost is linear in the text. */
export function createLabels(text: string): Labels {
  /** Where the last label of each family ends. */
  const ends = new Int32Array(FAMILIES).fill(-1);
  let readTo = 0;

  const read = (at: number) => {
    let i = Math.max(readTo, at - REACH - LONGEST);
    let previous = text.charCodeAt(i - 1);
    readTo = at;
    while (i < at) {
      const code = text.charCodeAt(i);
      const entry = isBeginning(code, previous) ? entryOf(code, text.charCodeAt(i + 1)) : undefined;
      const end = entry === undefined ? i + 1 : readLabel(entry, i, at);
      previous = text.charCodeAt(end - 1);
      i = end;
    }
  };

  const readLabel = ({ pattern, families }: Entry, start: number, at: number): number => {
    pattern.lastIndex = start;
    const match = pattern.exec(text);
    if (match === null || pattern.lastIndex > at) return start + 1;
    const groups: readonly (string | undefined)[] = match;
    const family = families[groups.findIndex((group, index) => index > 0 && group !== undefined) - 1];
    if (family !== undefined) ends[family] = pattern.lastIndex;
    return pattern.lastIndex;
  };

  const endOf = (family: LabelFamily, at: number): number => {
    if (at > readTo) read(at);
    const end = ends[family] ?? -1;
    return end <= at ? end : -1;
  };

  const between = (family: LabelFamily, at: number): string | null => {
    const end = endOf(family, at);
    if (end < 0 || at - end > REACH) return null;
    const words = text.slice(end, at);
    return endsSentence(text, end, words) ? null : words;
  };

  return {
    between,
    has: (family, at) => between(family, at) !== null,
    adjoins: (family, at) => {
      const end = endOf(family, at);
      return end >= 0 && at - end <= MAX_FILLER && FILLER.test(text.slice(end, at));
    },
  };
}

/** Entries of words that begin with two ASCII letters (or a letter and a mark), 128 for each first letter. */
interface Entries {
  readonly ascii: readonly (Entry | undefined)[];
  readonly others: ReadonlyMap<number, Entry>;
}

function entryOf(first: number, second: number): Entry | undefined {
  return first < 128 ? ENTRIES.ascii[keyOf(first, second)] : ENTRIES.others.get(first);
}

function entriesByBeginning(): Entries {
  const words = new Map<number, { sources: string[]; families: LabelFamily[] }>();
  for (const [name, sources] of Object.entries(LABEL_WORDS)) {
    for (const source of sources) {
      for (const key of keysOf(source)) {
        const entry = words.get(key) ?? { sources: [], families: [] };
        entry.sources.push(`(${source.replace('!', '(?![a-z])')})`);
        entry.families.push(FAMILY[name as keyof typeof FAMILY]);
        words.set(key, entry);
      }
    }
  }
  const ascii = new Array<Entry | undefined>(OTHERS).fill(undefined);
  const others = new Map<number, Entry>();
  for (const [key, { sources, families }] of words) {
    const entry = { pattern: new RegExp(sources.join('|'), 'iy'), families };
    if (key < OTHERS) ascii[key] = entry;
    else others.set(key - OTHERS, entry);
  }
  return { ascii, others };
}

/** Where a pattern is looked up: in two places when its first letter has a capital beyond ASCII. */
function keysOf(source: string): readonly number[] {
  const first = source.charAt(0);
  const code = first.charCodeAt(0);
  if (code < 128) return [keyOf(code, source.charCodeAt(1))];
  return [...new Set([first, first.toUpperCase()])].map((letter) => OTHERS + letter.charCodeAt(0));
}

/** 32 is what tells small ASCII letters from capitals. Second letters beyond ASCII share one place. */
function keyOf(first: number, second: number): number {
  const low = isLetter(second) ? second | 32 : second;
  return ((first | 32) - 97) * 128 + (low < 128 ? low : 0);
}

/** A letter that begins a word: after anything that is no letter, a capital in the middle (zipCode), or an ideograph. */
function isBeginning(code: number, previous: number): boolean {
  if (code >= 128) return true;
  if (!isLetter(code)) return false;
  return !isLetter(previous) || (code < 97 && previous >= 97);
}

/** A label speaks for the numbers of its own sentence only. "no. 12", "Tel. 030" and dotted leaders end none; an empty line does. */
function endsSentence(text: string, start: number, words: string): boolean {
  if (words.includes('\n\n')) return true;
  SENTENCE_END.lastIndex = 0;
  for (let match = SENTENCE_END.exec(words); match !== null; match = SENTENCE_END.exec(words)) {
    const at = start + match.index;
    const before = text.slice(Math.max(0, at - 8), at);
    if (match[0] !== '.' || !(before.endsWith('.') || ABBREVIATION.test(before))) return true;
  }
  return false;
}
