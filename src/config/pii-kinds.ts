/** The kinds of personal data that are looked for (docs/pii.md), named as vLLM Semantic Router and Presidio name them. */
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

/** Stands beside them for text that could not be searched in time: it may hold any of them. */
export const UNSEARCHED_TEXT = 'UNSEARCHED_TEXT';

/** All that a policy or a rule may name. */
export const NAMED_PII_KINDS = [...PII_KINDS, UNSEARCHED_TEXT] as const;

/** Whether a name means one of them; kinds compare in any case of letters. */
export function isPiiKind(name: string): boolean {
  return (NAMED_PII_KINDS as readonly string[]).includes(name.toUpperCase());
}
