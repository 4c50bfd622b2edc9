export type EntropyLevel = 'very_high' | 'high' | 'medium' | 'low' | 'very_low';

/** Lower edges of the bands of normalised entropy, each 0..1, descending. */
export interface EntropyThresholds {
  readonly very_high: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

/** A row of the reasoning table (docs/reasoning.md) applied to one distribution. */
export interface ReasoningDecision {
  readonly enabled: boolean;
  /** Confidence in the reasoning decision itself, 0..1; not the category's probability. */
  readonly confidence: number;
  readonly reason: string;
  readonly strategy: string;
}

export interface ReasoningInput {
  /** Category probabilities in the order of `labels`; null when there are none. */
  readonly probabilities: readonly number[] | null;
  readonly labels: readonly string[];
  /** `classifier.category_model.threshold`. */
  readonly threshold: number;
  /** Lower-case category name → use_reasoning of the model that serves it. A category without models is absent. */
  readonly reasoningMap: ReadonlyMap<string, boolean>;
  readonly thresholds: EntropyThresholds;
  /** What to do when the prompt could be anything: `reasoning_decision.very_high_reasoning`. */
  readonly veryHighReasoning: boolean;
  /** The classifier was asked and gave no answer: an error, or too late. */
  readonly failed: boolean;
}

/** Sums of rounded terms may miss an edge by an ulp or two; a distribution on the edge belongs to the upper band. */
const EDGE_TOLERANCE = 1e-12;

/** Shannon entropy −Σ p·log2 p in bits, 0..log2 N; a zero probability adds nothing. */
export function entropyBits(probabilities: readonly number[]): number {
  let bits = 0;
  for (const p of probabilities) if (p > 0) bits -= p * Math.log2(p);
  return Math.max(0, bits);
}

/** Entropy divided by its largest possible value log2 N, 0..1; 0 for fewer than two labels. */
export function normalizedEntropy(probabilities: readonly number[]): number {
  if (probabilities.length < 2) return 0;
  return Math.min(1, entropyBits(probabilities) / Math.log2(probabilities.length));
}

/** The band of a normalised entropy; a value on an edge belongs to the upper band. */
export function entropyLevel(normalized: number, thresholds: EntropyThresholds): EntropyLevel {
  const reaches = (edge: number) => normalized >= edge - EDGE_TOLERANCE;
  if (reaches(thresholds.very_high)) return 'very_high';
  if (reaches(thresholds.high)) return 'high';
  if (reaches(thresholds.medium)) return 'medium';
  return reaches(thresholds.low) ? 'low' : 'very_low';
}

/** Label indices by falling probability; equal probabilities keep the labels' order. */
export function ranking(probabilities: readonly number[]): number[] {
  const at = (index: number) => probabilities[index] ?? 0;
  return probabilities.map((_, index) => index).sort((a, b) => at(b) - at(a) || a - b);
}

/** Whether the numbers are a usable distribution over `labelCount` labels: as many, finite, not negative, not all zero. */
export function isDistribution(
  probabilities: readonly number[] | null,
  labelCount: number,
): probabilities is readonly number[] {
  if (probabilities?.length !== labelCount || labelCount === 0) return false;
  return probabilities.every((p) => Number.isFinite(p) && p >= 0) && probabilities.some((p) => p > 0);
}

/** Whether the model should reason, by the table of docs/reasoning.md. Total: every input matches exactly one row. */
export function decideReasoning(input: ReasoningInput): ReasoningDecision {
  if (input.failed) {
    return row(false, 0.5, 'fallback_traditional_classification', 'classification_error_fallback');
  }
  const { probabilities, labels } = input;
  if (!isDistribution(probabilities, labels.length)) {
    return row(false, 0, 'no_classification_data', 'default_no_reasoning');
  }
  const ranked: Ranked[] = ranking(probabilities)
    .slice(0, 3)
    .map((index) => ({
      p: probabilities[index] ?? 0,
      reasons: input.reasoningMap.get((labels[index] ?? '').toLowerCase()),
    }));
  const p1 = ranked[0]?.p ?? 0;
  const trusted = ranked[0]?.reasons;
  const level = entropyLevel(normalizedEntropy(probabilities), input.thresholds);
  switch (level) {
    case 'very_high':
      return row(
        input.veryHighReasoning,
        0.3,
        'very_high_uncertainty_conservative_default',
        'high_uncertainty_reasoning_enabled',
      );
    case 'high':
      return weighted(ranked.slice(0, 2), 'high_uncertainty_weighted_decision', 'top_two_categories_weighted');
    case 'medium':
      if (p1 >= input.threshold && trusted !== undefined) {
        return row(trusted, p1 * 0.8, 'medium_uncertainty_top_category_above_threshold', 'trust_top_category');
      }
      return weighted(ranked, 'medium_uncertainty_weighted', 'weighted_decision');
    case 'low':
    case 'very_low':
      if (trusted === undefined) {
        return row(false, p1 * 0.8, 'category_not_in_reasoning_map', 'unknown_category_default');
      }
      return row(
        trusted,
        p1 * (level === 'low' ? 0.9 : 0.95),
        `${level}_uncertainty_trust_classification`,
        'trust_top_category',
      );
  }
}

interface Ranked {
  readonly p: number;
  /** use_reasoning of the category; undefined when it is not in the map. */
  readonly reasons: boolean | undefined;
}

/** The vote of the entries that the map knows, by their probability. A tie or no voter means off. */
function weighted(entries: readonly Ranked[], reason: string, strategy: string): ReasoningDecision {
  let known = 0;
  let reasoning = 0;
  for (const { p, reasons } of entries) {
    if (reasons === undefined) continue;
    known += p;
    if (reasons) reasoning += p;
  }
  const r = known > 0 ? reasoning / known : 0.5;
  return row(r > 0.5, Math.abs(r - 0.5) + 0.5, reason, strategy);
}

function row(enabled: boolean, confidence: number, reason: string, strategy: string): ReasoningDecision {
  return { enabled, confidence, reason, strategy };
}
