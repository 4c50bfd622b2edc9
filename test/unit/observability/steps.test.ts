import { expect, test } from '@jest/globals';
import { logSteps, stepLines, type Steps } from '../../../src/observability/steps.ts';
import { decided, ENCODING, keepingLog, MODEL_SPECIFIED, refused, signalsOf } from './fixture.ts';

const PROBABILITIES = ENCODING.categoryProbabilities.map((_, index) => (index === 9 ? 0.7004 : 0.02));
const STEPS: Steps = {
  requestId: 'r-1',
  signals: signalsOf({ encoding: { ...ENCODING, categoryProbabilities: PROBABILITIES } }),
  outcome: decided(),
  threshold: 0.6,
};

test('tells the steps of an automatic routing in order', () => {
  expect(stepLines(STEPS)).toEqual([
    'Original model: auto',
    'Classification result: class=9, confidence=0.7004, entropy_available=true',
    'Entropy analysis: entropy=1.4000, normalized=0.3750, level=low',
    'Top predicted categories: math:0.7004, physics:0.1019, economics:0.0917',
    'Classified as category: math, reasoning_decision: use=true, confidence=0.630, reason=low_uncertainty_trust_classification',
    'Entropy-based reasoning decision: use=true, confidence=0.630, reason=low_uncertainty_trust_classification, strategy=trust_top_category',
    'Selected model math-model for category math with score 0.9000',
    'Routing to model: math-model',
    'Selected endpoint address: 127.0.0.1:8000 for model: math-model',
    'Entropy-based reasoning decision for this query: true on [math-model] model',
    'Added category-specific system prompt for category: math (mode: replace)',
  ]);
});

test('says when the confidence was too low', () => {
  const category = {
    name: '',
    top: 'math',
    confidence: 0.41,
    entropyBits: 2,
    entropyNormalized: 0.5,
    topCategories: [],
  };
  expect(stepLines({ ...STEPS, outcome: decided({ category, systemPrompt: null }) })).toContain(
    'Classification confidence (0.4100) below threshold (0.6000), but entropy analysis available',
  );
});

test('says why nothing was classified', () => {
  const category = { name: '', top: null, confidence: null, entropyBits: null, topCategories: [] };
  const outcome = decided({ category, degraded: 'deadline' });
  expect(stepLines({ ...STEPS, signals: signalsOf({ encoding: null }), outcome })).toContain(
    'Classification unavailable: reason=deadline',
  );
});

test('says that the table of tokens stood in, and what it found', () => {
  const lines = stepLines({ ...STEPS, outcome: decided({ degraded: 'queue_full', classifierTier: 'static' }) });
  expect(lines.slice(1, 3)).toEqual([
    'Classification unavailable: reason=queue_full; the table of tokens stands in',
    expect.stringMatching(/^Classification result: class=9, /),
  ]);
});

test('is short for a concrete model and for a refusal', () => {
  expect(stepLines({ ...STEPS, signals: null, outcome: MODEL_SPECIFIED })).toEqual([
    'Original model: math-model',
    'Routing to model: math-model',
    'Selected endpoint address: 127.0.0.1:8000 for model: math-model',
  ]);
  expect(stepLines({ ...STEPS, signals: null, outcome: refused(404, 'model_not_found') })).toEqual([
    'Request refused: model_not_found',
  ]);
});

test('is written at level debug only', () => {
  const quiet = keepingLog('info');
  logSteps(quiet.log, STEPS);
  expect(quiet.lines).toEqual([]);
  const loud = keepingLog('debug');
  logSteps(loud.log, STEPS);
  expect(loud.lines).toHaveLength(11);
  expect(loud.lines[1]).toMatchObject({
    level: 'debug',
    request_id: 'r-1',
    msg: 'Classification result: class=9, confidence=0.7004, entropy_available=true',
  });
});
