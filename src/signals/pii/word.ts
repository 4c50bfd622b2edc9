/** A run of word characters with at least one digit. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** True when it is nothing but digits. */
  readonly plain: boolean;
}
