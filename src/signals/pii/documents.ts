import { wordsBefore } from './context.ts';
import type { PiiFinding } from './finding.ts';

const LICENCE =
  /\b(?:driver'?s?|drivers'|driving)[ -]?(?:licen[cs]e|permit)\b|\bdl ?(?:no|number|#|:)|\blicen[cs]e (?:no|number|#)\b.{0,4}$|\bdmv\b/;
const PASSPORT = /\bpassport|\breisepass\b|\bpasaporte\b|\bpasseport\b/;
const TOKEN = /[A-Z0-9](?:[ -]?[A-Z0-9]){4,17}/g;
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const WRITTEN_DATE = new RegExp(
  `^\\W{0,3}((?:the )?\\d{1,2}(?:st|nd|rd|th)?(?: of)? ${MONTH}\\.?,? \\d{4}|${MONTH}\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4})`,
  'i',
);
const BORN = /\b(?:dob|d\.o\.b\.?|date of birth|birth ?date|birthday|born)\b(?:\s+(?:is|was|on|in|of))*\s*[:=]?\s*/gi;
const UK_POSTCODE =
  /\b(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[HNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b/g;
const CANADA_POSTCODE = /\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d\b/g;

/** Licence and passport numbers: they have no checksum, so their label must stand before them. */
export function findDocuments(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  const lower = text.toLowerCase();
  for (const label of labels(lower)) {
    TOKEN.lastIndex = label.end;
    const token = TOKEN.exec(text.slice(0, label.end + 48));
    if (token === null || !isDocumentNumber(token[0], label.kind)) continue;
    if (/[.!?]\s/.test(text.slice(label.end, token.index)) || /\w$/.test(text.slice(0, token.index).slice(-1)))
      continue;
    const start = token.index;
    const trimmed = token[0].replace(/[ -][A-Z]+$/, '');
    findings.push({ kind: label.kind, start, end: start + trimmed.length, confidence: 0.85 });
  }
  return findings;
}

interface Label {
  readonly kind: 'US_DRIVER_LICENSE' | 'US_PASSPORT';
  readonly end: number;
}

function labels(lower: string): Label[] {
  const found: Label[] = [];
  for (const word of ['licen', 'permit', 'dl ', 'dl#', 'dl:', 'passport', 'reisepass', 'pasaporte', 'passeport']) {
    for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) {
      const end = at + word.length;
      const around = lower.slice(Math.max(0, at - 16), end + 12);
      if (PASSPORT.test(around)) found.push({ kind: 'US_PASSPORT', end });
      else if (LICENCE.test(around)) found.push({ kind: 'US_DRIVER_LICENSE', end });
    }
  }
  return found;
}

function isDocumentNumber(token: string, kind: Label['kind']): boolean {
  const compact = token.replace(/[ -]/g, '');
  const digits = compact.replace(/\D/g, '').length;
  if (kind === 'US_PASSPORT') return compact.length >= 7 && compact.length <= 10 && digits >= 6;
  return compact.length >= 6 && compact.length <= 18 && digits >= 5;
}

/** Dates of birth with the month in words, and British and Canadian postcodes, whose shape nothing else has. */
export function findWrittenDatesAndPostcodes(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const label of text.matchAll(BORN)) {
    const after = label.index + label[0].length;
    const date = WRITTEN_DATE.exec(text.slice(after, after + 40));
    const year = Number(/\d{4}/.exec(date?.[1] ?? '')?.[0]);
    if (date?.[1] === undefined || year < 1905) continue;
    const start = after + date[0].indexOf(date[1]);
    findings.push({ kind: 'DATE_OF_BIRTH', start, end: start + date[1].length, confidence: 0.85 });
  }
  for (const pattern of [UK_POSTCODE, CANADA_POSTCODE]) {
    for (const match of text.matchAll(pattern)) {
      if (/\b(?:part|model|sku|item|serial|order|code)\W*$/.test(wordsBefore(text, match.index))) continue;
      findings.push({ kind: 'ZIP_CODE', start: match.index, end: match.index + match[0].length, confidence: 0.8 });
    }
  }
  return findings;
}
