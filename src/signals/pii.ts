import { IBAN_LENGTHS, passesMod97 } from './pii/checksums.ts';
import { findDocuments, findWrittenDatesAndPostcodes } from './pii/documents.ts';
import { findEmails } from './pii/email.ts';
import type { PiiFinding } from './pii/finding.ts';
import { findColonAddresses, isDashedMac } from './pii/network.ts';
import { findNumbers } from './pii/numbers.ts';
import { findJwts, findPrivateKeys, secretConfidence } from './pii/secrets.ts';

export { PII_KINDS, type PiiFinding, type PiiKind } from './pii/finding.ts';

/** Findings under this confidence are left out: addresses that everybody has, shapes without their label. */
const MIN_CONFIDENCE = 0.5;
/** Words of keys, cards and IBANs are at least this long. */
const LONG_TOKEN = /[A-Za-z0-9_-]{15,}/g;
const SPACED_IBAN = /\b[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?\b/g;

/**
 * Personal data in a text by pattern, checksum and the words around it; overlapping findings give way to the surer, then the longer one.
 * In order of place. Names, organisations and street addresses are not looked for: that takes a model head of measured quality.
 */
export function findPii(text: string): PiiFinding[] {
  const found = [
    ...findPrivateKeys(text),
    ...findJwts(text),
    ...findLongTokens(text),
    ...findSpacedIbans(text),
    ...findEmails(text),
    ...findNumbers(text),
    ...findColonAddresses(text),
    ...findDocuments(text),
    ...findWrittenDatesAndPostcodes(text),
  ].filter((finding) => finding.confidence >= MIN_CONFIDENCE);
  return withoutOverlaps(found);
}

/** The text with each finding replaced by its kind in angle brackets. */
export function maskPii(text: string, findings: readonly PiiFinding[]): string {
  let masked = '';
  let from = 0;
  for (const finding of findings) {
    masked += `${text.slice(from, finding.start)}<${finding.kind}>`;
    from = finding.end;
  }
  return masked + text.slice(from);
}

function findLongTokens(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const match of text.matchAll(LONG_TOKEN)) {
    const start = match.index;
    const end = start + match[0].length;
    if (isIban(match[0])) findings.push({ kind: 'IBAN_CODE', start, end, confidence: 1 });
    else if (isDashedMac(match[0])) findings.push({ kind: 'MAC_ADDRESS', start, end, confidence: 0.95 });
    else {
      const confidence = secretConfidence(text, start, end);
      if (confidence !== null) findings.push({ kind: 'API_KEY', start, end, confidence });
    }
  }
  return findings;
}

function findSpacedIbans(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const match of text.matchAll(SPACED_IBAN)) {
    const length = IBAN_LENGTHS[match[0].slice(0, 2)];
    if (length === undefined) continue;
    // A following word in capitals may have been taken along: cut at the country's length.
    let end = 0;
    for (let symbols = 0; end < match[0].length && symbols < length; end += 1) if (match[0][end] !== ' ') symbols += 1;
    if (isIban(match[0].slice(0, end).replaceAll(' ', ''))) {
      findings.push({ kind: 'IBAN_CODE', start: match.index, end: match.index + end, confidence: 1 });
    }
  }
  return findings;
}

function isIban(token: string): boolean {
  const upper = token.toUpperCase();
  return (
    IBAN_LENGTHS[upper.slice(0, 2)] === upper.length && /^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(upper) && passesMod97(upper)
  );
}

function withoutOverlaps(found: readonly PiiFinding[]): PiiFinding[] {
  const kept: PiiFinding[] = [];
  const rank = (one: PiiFinding): number => one.confidence * 1e6 + (one.end - one.start);
  for (const finding of found.toSorted((a, b) => rank(b) - rank(a) || a.start - b.start)) {
    if (kept.every((other) => finding.end <= other.start || finding.start >= other.end)) kept.push(finding);
    if (kept.length >= MAX_FINDINGS) break;
  }
  return kept.toSorted((a, b) => a.start - b.start);
}

/** A file of ten thousand addresses is as personal as one of a thousand. */
const MAX_FINDINGS = 1000;
