import { COMMA, DASH, isDigit, isLetter, matchAt, SPACE } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

const UK =
  /(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)\d[A-Z\d]?( ?)\d[ABD-HJLNP-UW-Z]{2}(?<!\d[GTP]B)(?!\w)(?!-\w)/iy;
const CANADA = /[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]?\d[ABCEGHJ-NPRSTV-Z]\d(?!\w)/iy;
const ZIP = /\d{5}(?:-\d{4})?(?![\w])(?!-?[.,:/]?\d)/y;
/** Postal codes of other countries, found by their label alone: 4 to 6 digits, 1012 AB, 00-950, 100-0001, 01310-100. */
const LABELLED = /(?:\d{5}-\d{3,4}|\d{3}-\d{4}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|\d{3} ?\d{2,3}|\d{4,6})(?!\w)(?![.,:/-]\d)/y;
const COUNTRY_PREFIX = /(?:^|[^\w-])(?:D|DE|CH|A|AT|F|FR|I|IT|NL|B|BE|L|LU)-$/;
const CITY_AFTER = /^ \p{Lu}\p{Ll}/u;
/** First two digits of the ZIP codes of each state (USPS Publication 65); a range is both ends and all between. */
const ZIP_RANGES =
  'AL35-36 AK99-99 AZ85-86 AR71-72 CA90-96 CO80-81 CT06-06 DE19-19 DC20-20 FL32-34 GA30-31,39-39 HI96-96 ID83-83 IL60-62 IN46-47 IA50-52 KS66-67 KY40-42 LA70-71 ' +
  'ME03-04 MD20-21 MA01-02,05-05 MI48-49 MN55-56 MS38-39 MO63-65 MT59-59 NE68-69 NV88-89 NH03-03 NJ07-08 NM87-88 NY00-00,06-06,10-14 NC27-28 ND58-58 OH43-45 OK73-74 ' +
  'OR97-97 PA15-19 PR00-00 RI02-02 SC29-29 SD57-57 TN37-38 TX73-73,75-79,88-88 UT84-84 VT05-05 VA20-20,22-24 WA98-99 WV24-26 WI53-54 WY82-83';
const STATES = new Map(ZIP_RANGES.split(' ').map((entry) => [entry.slice(0, 2), entry.slice(2).split(',')]));
const STATE_NAMES = new Map(
  Object.entries({
    alabama: 'AL',
    alaska: 'AK',
    arizona: 'AZ',
    arkansas: 'AR',
    california: 'CA',
    colorado: 'CO',
    connecticut: 'CT',
    delaware: 'DE',
    florida: 'FL',
    georgia: 'GA',
    hawaii: 'HI',
    idaho: 'ID',
    illinois: 'IL',
    indiana: 'IN',
    iowa: 'IA',
    kansas: 'KS',
    kentucky: 'KY',
    louisiana: 'LA',
    maine: 'ME',
    maryland: 'MD',
    massachusetts: 'MA',
    michigan: 'MI',
    minnesota: 'MN',
    mississippi: 'MS',
    missouri: 'MO',
    montana: 'MT',
    nebraska: 'NE',
    nevada: 'NV',
    'new hampshire': 'NH',
    'new jersey': 'NJ',
    'new mexico': 'NM',
    'new york': 'NY',
    'north carolina': 'NC',
    'north dakota': 'ND',
    ohio: 'OH',
    oklahoma: 'OK',
    oregon: 'OR',
    pennsylvania: 'PA',
    'rhode island': 'RI',
    'south carolina': 'SC',
    'south dakota': 'SD',
    tennessee: 'TN',
    texas: 'TX',
    utah: 'UT',
    vermont: 'VT',
    virginia: 'VA',
    washington: 'WA',
    'west virginia': 'WV',
    wisconsin: 'WI',
    wyoming: 'WY',
  }),
);
const HOME = /(?<![a-z])(?:lived?|living|lives|resid(?:e|es|ing)|located) (?:in|near|around) $/i;
const STATE_CODE = /[A-Za-z.],? ([A-Z]{2}),? $/;
const STATE_NAME = /(?<![a-z])(?:(?:new|north|south|west|rhode) )?[a-z]{4,13},? $/i;
/** . , : / $ # + € £ */
const NO_CODE_BEFORE = new Set([46, COMMA, 47, 36, 35, 43, 0x20ac, 0xa3]);

/** A postal code that begins at the word: British and Canadian by their shape, American after their state, all others by their label. */
export function postcodeAt(text: string, word: Word, labels: Labels): PiiFinding | null {
  const code = word.plain ? digitsAt(text, word, labels) : lettersAt(text, word, labels);
  return code === null
    ? null
    : { kind: 'ZIP_CODE', start: word.start, end: word.start + code.length, confidence: 0.85 };
}

function digitsAt(text: string, { start, end }: Word, labels: Labels): string | null {
  const length = end - start;
  const previous = text.charCodeAt(start - 1);
  if (length < 2 || length > 6) return null;
  if (previous === DASH) return isAfterCountry(text, start, end) ? text.slice(start, end) : null;
  if (isDigit(previous) || NO_CODE_BEFORE.has(previous)) return null;
  if (labels.adjoins(FAMILY.postcode, start)) return matchAt(LABELLED, text, start);
  if (length !== 5 || previous !== SPACE) return null;
  const zip = matchAt(ZIP, text, start);
  return zip !== null && (isInStateBefore(text, start, zip) || isHome(text, start)) ? zip : null;
}

/** D-80331 München, CH-8001 Zürich. */
function isAfterCountry(text: string, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 4 || length === 5) &&
    COUNTRY_PREFIX.test(text.slice(Math.max(0, start - 4), start)) &&
    CITY_AFTER.test(text.slice(end, end + 3))
  );
}

/** "I live in 94105". */
function isHome(text: string, start: number): boolean {
  return 'nrd'.includes(text.charAt(start - 2)) && HOME.test(text.slice(Math.max(0, start - 20), start));
}

/** "Austin, TX 78701", "Portland, Oregon 97205": a state that has such ZIP codes stands right before. */
function isInStateBefore(text: string, start: number, zip: string): boolean {
  const last = text.charCodeAt(start - 2);
  if (!isLetter(last) && last !== COMMA) return false;
  const before = text.slice(Math.max(0, start - 20), start);
  const state =
    STATE_CODE.exec(before)?.[1] ??
    STATE_NAMES.get(
      STATE_NAME.exec(before)?.[0]
        .toLowerCase()
        .replace(/[ ,]+$/, '') ?? '',
    );
  const firstTwo = zip.slice(0, 2);
  return (STATES.get(state ?? '') ?? []).some((range) => firstTwo >= range.slice(0, 2) && firstTwo <= range.slice(3));
}

function lettersAt(text: string, { start, end }: Word, labels: Labels): string | null {
  const length = end - start;
  if (length > 7) return null;
  if (length === 6 || length === 7 || text.charCodeAt(start) > 90) {
    // In one piece, or in small letters, it could be anything.
    return labels.adjoins(FAMILY.postcode, start)
      ? (matchAt(UK, text, start) ?? matchAt(CANADA, text, start) ?? matchAt(LABELLED, text, start))
      : null;
  }
  if (length > 4) return null;
  const code = matchAt(UK, text, start) ?? matchAt(CANADA, text, start);
  if (code === null || code !== code.toUpperCase() || /[-/.\w]/.test(text.charAt(start - 1))) return null;
  return labels.adjoins(FAMILY.thing, start) ? null : code;
}
