import type { NAMED_PII_KINDS } from '../../config/pii-kinds.ts';

export { PII_KINDS, UNSEARCHED_TEXT } from '../../config/pii-kinds.ts';

/** Those that are looked for, and UNSEARCHED_TEXT. */
export type PiiKind = (typeof NAMED_PII_KINDS)[number];

/** One finding of personal data: what kind and where, never the text itself. */
export interface PiiFinding {
  readonly kind: PiiKind;
  /** Offsets in UTF-16 code units of the text that was searched; end exclusive. */
  readonly start: number;
  readonly end: number;
  /** 0..1: how sure the pattern is. 1 where a checksum or a vendor's own shape proves it. */
  readonly confidence: number;
}
