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

/** Whether a name means one of them; kinds compare in any case of letters. */
export function isPiiKind(name: string): boolean {
  return (PII_KINDS as readonly string[]).includes(name.toUpperCase());
}
