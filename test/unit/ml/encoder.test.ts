import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEncoder, type RunningEncoder } from '../../../src/ml/encoder.ts';
import { argmax } from '../../../src/ml/heads.ts';

const BUNDLE = 'models/switchyard-minilm';

/** One everyday prompt a category; the model that ships must know all of them. */
const PROMPTS: readonly (readonly [string, string])[] = [
  ['biology', 'How does photosynthesis convert light energy into chemical energy in the chloroplasts of plant cells?'],
  ['business', 'How should a small company segment its market before launching a new product line?'],
  ['chemistry', 'Balance the redox reaction between potassium permanganate and oxalic acid in acidic solution.'],
  ['computer science', 'Write a Python function that finds the longest palindromic substring in O(n^2).'],
  ['economics', 'Explain how an increase in interest rates by the central bank affects inflation and unemployment.'],
  ['engineering', 'Calculate the bending moment at mid-span of a simply supported steel beam with a distributed load.'],
  ['health', 'What are the early symptoms of type 2 diabetes and how is it usually treated?'],
  ['history', 'What were the main causes of the fall of the Western Roman Empire?'],
  ['law', 'Under contract law, when does an offer lapse and can it be revoked before acceptance?'],
  ['math', 'Solve the integral of x^2 * e^x dx step by step.'],
  ['other', 'Write a short poem about autumn leaves for my grandmother.'],
  [
    'philosophy',
    "What does Kant mean by the categorical imperative, and how does it differ from Hume's view of morality?",
  ],
  ['physics', 'A ball is thrown upward at 20 m/s. How high does it go, neglecting air resistance?'],
  ['psychology', 'What is cognitive dissonance and how did Festinger test it in his experiment?'],
];

describe('createEncoder on the model that ships', () => {
  let encoder: RunningEncoder;
  beforeAll(async () => {
    encoder = await createEncoder({ bundleDir: BUNDLE, useCpu: true, workers: 1 });
  });
  afterAll(() => encoder.close());

  test.each(PROMPTS)('knows %s', async (category, prompt) => {
    const outcome = await encoder.encode(prompt, { deadlineMs: 5000 });
    if (outcome.kind !== 'encoded') throw new Error(outcome.reason);
    const { categoryProbabilities, embedding, difficulty } = outcome.encoding;
    expect(encoder.labels[argmax(categoryProbabilities)]).toBe(category);
    expect(categoryProbabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    expect(Math.hypot(...(embedding ?? []))).toBeCloseTo(1, 4);
    expect(difficulty).toHaveLength(encoder.difficultyLabels.length);
  });
});
