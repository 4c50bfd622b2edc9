/** The kinds that are looked for, named as vLLM Semantic Router and Presidio name them. */
export const PII_KINDS = [
  'EMAIL_ADDRESS',
  'PHONE_NUMBER',
  'CREDIT_CARD',
  'IBAN_CODE',
  'US_SSN',
  'IP_ADDRESS',
  'MAC_ADDRESS',
  'ZIP_CODE',
  'DATE_OF_BIRTH',
  'US_DRIVER_LICENSE',
  'US_PASSPORT',
  'API_KEY',
  'PRIVATE_KEY',
  'JWT',
] as const;

export type PiiKind = (typeof PII_KINDS)[number];

/** One finding of personal data: what kind and where, never the text itself. */
export interface PiiFinding {
  readonly kind: PiiKind;
  /** Offsets in UTF-16 code units of the text that was searched; end exclusive. */
  readonly start: number;
  readonly end: number;
  /** 0..1: how sure the pattern is. 1 where a checksum or a vendor's own shape proves it. */
  readonly confidence: number;
}
