/** One finding of personal data: what kind and where, never the text itself. */
export interface PiiFinding {
  /** EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, … (signals/pii lists them all). */
  readonly kind: string;
  /** Offsets in UTF-16 code units of the text that was searched. */
  readonly start: number;
  readonly end: number;
  /** 0..1; 1 where a checksum proves it. */
  readonly confidence: number;
}
