export type EntropyLevel = 'very_high' | 'high' | 'medium' | 'low' | 'very_low';

/** A row of the reasoning table (docs/reasoning.md) applied to one distribution. */
export interface ReasoningDecision {
  readonly enabled: boolean;
  /** Confidence in the reasoning decision itself, 0..1; not the category's probability. */
  readonly confidence: number;
  readonly reason: string;
  readonly strategy: string;
}
