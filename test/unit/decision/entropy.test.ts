import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { BUILT_IN_LABELS } from '../../../src/config/classifier.ts';
import {
  decideReasoning,
  entropyBits,
  entropyLevel,
  isDistribution,
  normalizedEntropy,
  ranking,
  type ReasoningInput,
} from '../../../src/decision/entropy.ts';

const THRESHOLDS = { very_high: 0.8, high: 0.6, medium: 0.4, low: 0.2 };

/** The given values on the first labels, the rest of the mass spread evenly over `over` further labels. */
function spread(top: readonly number[], over: number, labels = BUILT_IN_LABELS): number[] {
  const rest = (1 - top.reduce((sum, p) => sum + p, 0)) / over;
  return labels.map((_, index) => top[index] ?? (index < top.length + over ? rest : 0));
}

/** Uniform over `support` of `size` labels: the entropy is exactly log2(support) bits. */
function uniform(support: number, size: number): number[] {
  return Array.from({ length: size }, (_, index) => (index < support ? 1 / support : 0));
}

function ask(over: Partial<ReasoningInput> & Pick<ReasoningInput, 'probabilities'>) {
  return decideReasoning({
    labels: BUILT_IN_LABELS,
    threshold: 0.6,
    reasoningMap: new Map([
      ['biology', true],
      ['business', false],
      ['chemistry', true],
    ]),
    thresholds: THRESHOLDS,
    veryHighReasoning: true,
    failed: false,
    ...over,
  });
}

describe('entropy', () => {
  test('of a certain, an even and a known distribution, in bits', () => {
    expect(entropyBits([1, 0, 0])).toBe(0);
    expect(entropyBits(uniform(8, 8))).toBe(3);
    expect(entropyBits([0.5, 0.25, 0.25])).toBe(1.5);
    expect(normalizedEntropy(uniform(14, 14))).toBeCloseTo(1, 12);
    expect(normalizedEntropy([1])).toBe(0);
    expect(normalizedEntropy([])).toBe(0);
  });

  test.each([
    ['rest spread over eleven', 11, 0.452, 'medium'],
    ['rest in two classes', 2, 0.384, 'low'],
  ])('of (.7004, .1019, .0917) with the %s', (_, over, expected, level) => {
    const normalized = normalizedEntropy(spread([0.7004, 0.1019, 0.0917], over));
    expect(normalized).toBeCloseTo(expected, 3);
    expect(entropyLevel(normalized, THRESHOLDS)).toBe(level);
    // docs/reasoning.md has the example.
    expect(readFileSync('docs/reasoning.md', 'utf8')).toContain(`${normalized.toFixed(3).slice(1)}, ${level}`);
  });

  test.each([
    [0, 'very_low'],
    [0.2 - 1e-9, 'very_low'],
    [0.2, 'low'],
    [0.4 - 1e-9, 'low'],
    [0.4, 'medium'],
    [0.6 - 1e-9, 'medium'],
    [0.6, 'high'],
    [0.8 - 1e-9, 'high'],
    [0.8, 'very_high'],
    [1, 'very_high'],
  ])('%d normalised is %s', (normalized, level) => expect(entropyLevel(normalized, THRESHOLDS)).toBe(level));

  test.each([
    [uniform(2, 32), 'low'], // 1 of 5 bits: exactly .2
    [uniform(4, 32), 'medium'],
    [uniform(8, 32), 'high'],
    [uniform(16, 32), 'very_high'],
    [uniform(81, 243), 'very_high'], // 81 = 3^4 of 3^5: .8 but for rounding
  ])('a distribution that lies on an edge belongs to the upper band', (probabilities, level) =>
    expect(entropyLevel(normalizedEntropy(probabilities), THRESHOLDS)).toBe(level),
  );

  test('bands follow the configured thresholds', () => {
    const thresholds = { very_high: 0.9, high: 0.5, medium: 0.3, low: 0.1 };
    expect([0.85, 0.5, 0.3, 0.1, 0.09].map((value) => entropyLevel(value, thresholds))).toEqual([
      'high',
      'high',
      'medium',
      'low',
      'very_low',
    ]);
  });

  test('ranking puts equal probabilities in label order', () => {
    expect(ranking([0.2, 0.4, 0.4, 0])).toEqual([1, 2, 0, 3]);
  });

  test.each([
    ['absent', null, 2],
    ['too short', [1], 2],
    ['too long', [0.5, 0.25, 0.25], 2],
    ['empty', [], 0],
    ['not a number', [Number.NaN, 1], 2],
    ['infinite', [Number.POSITIVE_INFINITY, 1], 2],
    ['negative', [-0.5, 1.5], 2],
    ['all zero', [0, 0], 2],
  ])('a distribution that is %s is none', (_, probabilities, labelCount) =>
    expect(isDistribution(probabilities, labelCount)).toBe(false),
  );
});

describe('decideReasoning', () => {
  test.each([null, [], [1], [...uniform(14, 14), 0], spread([Number.NaN], 13)])(
    'no distribution, or lengths differ: off, confidence 0',
    (probabilities) => {
      expect(ask({ probabilities })).toEqual({
        enabled: false,
        confidence: 0,
        reason: 'no_classification_data',
        strategy: 'default_no_reasoning',
      });
    },
  );

  test.each([null, uniform(14, 14)])('a failed classifier: off, .5, whatever it left behind', (probabilities) => {
    expect(ask({ probabilities, failed: true })).toEqual({
      enabled: false,
      confidence: 0.5,
      reason: 'fallback_traditional_classification',
      strategy: 'classification_error_fallback',
    });
  });

  test.each([true, false])('very high: as the config says (%s), .3', (veryHighReasoning) => {
    expect(ask({ probabilities: uniform(14, 14), veryHighReasoning })).toEqual({
      enabled: veryHighReasoning,
      confidence: 0.3,
      reason: 'very_high_uncertainty_conservative_default',
      strategy: 'high_uncertainty_reasoning_enabled',
    });
  });

  test.each([
    // p1 and p2, and whether each reasons (null: not in the map) → enabled, r
    [0.375, 0.25, true, false, true, 0.375 / 0.625],
    [0.375, 0.25, false, true, false, 0.25 / 0.625],
    [0.375, 0.25, true, true, true, 1],
    [0.375, 0.25, false, false, false, 0],
    [0.375, 0.25, null, true, true, 1],
    [0.375, 0.25, true, null, true, 1],
    [0.375, 0.25, null, null, false, 0.5],
    [0.3125, 0.3125, true, false, false, 0.5], // a tie is not more than half
  ])('high: the top two vote (%d %d %s %s)', (p1, p2, first, second, enabled, r) => {
    const probabilities = spread([p1, p2], 7);
    expect(entropyLevel(normalizedEntropy(probabilities), THRESHOLDS)).toBe('high');
    const entries: (readonly [string, boolean | null])[] = [
      ['biology', first],
      ['business', second],
      ['chemistry', true], // third: has no vote
    ];
    const reasoningMap = new Map(entries.filter((entry): entry is [string, boolean] => entry[1] !== null));
    const decision = ask({ probabilities, reasoningMap });
    expect(decision).toMatchObject({
      enabled,
      reason: 'high_uncertainty_weighted_decision',
      strategy: 'top_two_categories_weighted',
    });
    expect(decision.confidence).toBeCloseTo(Math.abs(r - 0.5) + 0.5, 12);
  });

  test('medium, top at the threshold and in the map: its use_reasoning, p1·.8', () => {
    const probabilities = spread([0.65], 13);
    expect(entropyLevel(normalizedEntropy(probabilities), THRESHOLDS)).toBe('medium');
    const row = { reason: 'medium_uncertainty_top_category_above_threshold', strategy: 'trust_top_category' };
    expect(ask({ probabilities, threshold: 0.65 })).toEqual({ enabled: true, confidence: 0.65 * 0.8, ...row });
    expect(ask({ probabilities, reasoningMap: new Map([['biology', false]]) })).toMatchObject({
      enabled: false,
      ...row,
    });
  });

  test.each([
    ['below the threshold', 0.7, new Map([['biology', true]]), true, 1],
    ['top not in the map', 0.5, new Map([['business', false]]), false, 0],
    ['none of the top three in the map', 0.5, new Map([['law', true]]), false, 0.5],
    ['the third counts', 0.7, new Map([['chemistry', true]]), true, 1],
  ])('medium, %s: the top three vote', (_, threshold, reasoningMap, enabled, r) => {
    const probabilities = spread([0.62, 0.12, 0.08], 11);
    expect(entropyLevel(normalizedEntropy(probabilities), THRESHOLDS)).toBe('medium');
    const decision = ask({ probabilities, threshold, reasoningMap });
    expect(decision).toMatchObject({ enabled, reason: 'medium_uncertainty_weighted', strategy: 'weighted_decision' });
    expect(decision.confidence).toBeCloseTo(Math.abs(r - 0.5) + 0.5, 12);
  });

  test.each([
    ['low', [0.8, 0.1, 0.05, 0.05], 0.9],
    ['very_low', [0.97, 0.03], 0.95],
  ])(
    '%s: trusts the top category even below the threshold, or is off when it is not in the map',
    (level, top, factor) => {
      const probabilities = BUILT_IN_LABELS.map((_, index) => top[index] ?? 0);
      const p1 = top[0]!;
      expect(entropyLevel(normalizedEntropy(probabilities), THRESHOLDS)).toBe(level);
      const row = { reason: `${level}_uncertainty_trust_classification`, strategy: 'trust_top_category' };
      expect(ask({ probabilities, threshold: 0.99 })).toEqual({ enabled: true, confidence: p1 * factor, ...row });
      expect(ask({ probabilities, reasoningMap: new Map([['biology', false]]) })).toMatchObject({
        enabled: false,
        ...row,
      });
      expect(ask({ probabilities, reasoningMap: new Map([['business', true]]) })).toEqual({
        enabled: false,
        confidence: p1 * 0.8,
        reason: 'category_not_in_reasoning_map',
        strategy: 'unknown_category_default',
      });
    },
  );

  test.each([
    [2, 'low_uncertainty_trust_classification'],
    [4, 'medium_uncertainty_weighted'],
    [8, 'high_uncertainty_weighted_decision'],
    [16, 'very_high_uncertainty_conservative_default'],
  ])('even over %d of 32 labels, on an edge: the upper row', (support, reason) => {
    const labels = Array.from({ length: 32 }, (_, index) => `label${index}`);
    const decision = ask({ probabilities: uniform(support, 32), labels, reasoningMap: new Map([['label0', true]]) });
    expect(decision.reason).toBe(reason);
  });

  test('label names compare case-insensitively', () => {
    const labels = BUILT_IN_LABELS.map((label) => label.toUpperCase());
    expect(ask({ probabilities: spread([0.95], 1), labels })).toMatchObject({ enabled: true });
  });
});
