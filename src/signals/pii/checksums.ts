/** Luhn's check (ISO/IEC 7812-1) over a string of digits. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, double = false; i >= 0; i -= 1, double = !double) {
    const value = digits.charCodeAt(i) - 48;
    const weighted = double ? value * 2 : value;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

/** The remainder check of ISO 13616 (mod 97 = 1) over an IBAN without spaces, upper case. */
export function passesMod97(iban: string): boolean {
  let remainder = 0;
  for (const symbol of iban.slice(4) + iban.slice(0, 4)) {
    const value = symbol >= 'A' ? symbol.charCodeAt(0) - 55 : symbol.charCodeAt(0) - 48;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** IBAN lengths by country, from the SWIFT IBAN registry. */
export const IBAN_LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MR: 27,
  MT: 31,
  MU: 30,
  NL: 18,
  NO: 15,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  SA: 24,
  SC: 31,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
};

/** Lengths and leading digits of the card networks (ISO/IEC 7812 issuer ranges in public use). */
export function isCardNumber(digits: string): boolean {
  const length = digits.length;
  const shape =
    (/^4/.test(digits) && (length === 13 || length === 16 || length === 19)) ||
    (/^(?:5[1-5]|2(?:2[2-9]|[3-6]|7[01]|720))/.test(digits) && length === 16) ||
    (/^3[47]/.test(digits) && length === 15) ||
    (/^(?:6011|64[4-9]|65)/.test(digits) && length === 16) ||
    (/^35(?:2[89]|[3-8])/.test(digits) && length === 16) ||
    (/^3(?:0[0-5]|[689])/.test(digits) && length === 14) ||
    (/^62/.test(digits) && length >= 16 && length <= 19) ||
    (/^(?:50|5[6-9]|6[0-9])/.test(digits) && length >= 16 && length <= 19);
  // A run of one digit passes Luhn now and then; nobody's card looks like that.
  return shape && passesLuhn(digits) && !/^(\d)\1+$/.test(digits);
}
