import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildRecord, logRecord, type RecordInput } from '../../../src/observability/record.ts';
import { decided, ENCODING, keepingLog, MODEL_SPECIFIED, refused, signalsOf } from './fixture.ts';

const INPUT: RecordInput = {
  requestId: '7d3f0c9e-0000-4000-8000-000000000001',
  originalModel: 'auto',
  modelIsKnown: true,
  signals: signalsOf(),
  outcome: decided(),
  policyVersion: 'abc123',
  routingLatencyMs: 3.14159265,
};

/** contract: exactly these, in this order, then any of ours. */
const FIELDS = [
  'msg',
  'event',
  'reason_code',
  'request_id',
  'original_model',
  'selected_model',
  'category',
  'reasoning_enabled',
  'reasoning_effort',
  'selected_endpoint',
  'routing_latency_ms',
  'confidence',
  'entropy',
  'entropy_level',
  'reasoning_confidence',
  'reasoning_reason',
  'strategy',
  'top_categories',
  'policy_version',
];

describe('the record of a request', () => {
  test('has the documented fields first and in their order', () => {
    expect(Object.keys(buildRecord(INPUT)).slice(0, FIELDS.length)).toEqual(FIELDS);
  });

  test('says what was decided', () => {
    expect(buildRecord(INPUT)).toMatchObject({
      event: 'routing_decision',
      reason_code: 'auto_routing',
      original_model: 'auto',
      selected_model: 'math-model',
      category: 'math',
      reasoning_enabled: true,
      selected_endpoint: '127.0.0.1:8000',
      routing_latency_ms: 3.142,
      confidence: 0.7004,
      entropy: 1.4,
      entropy_level: 'low',
      reasoning_confidence: 0.63036,
      top_categories: [{ category: 'math' }, { category: 'physics' }, { category: 'economics' }],
      policy_version: 'abc123',
    });
    expect(buildRecord(INPUT)).not.toHaveProperty('degraded');
  });

  test('of a concrete model has null for everything that was not judged', () => {
    const record = buildRecord({ ...INPUT, signals: null, outcome: MODEL_SPECIFIED, originalModel: 'math-model' });
    expect(record).toMatchObject({
      reason_code: 'model_specified',
      category: null,
      reasoning_enabled: null,
      confidence: null,
      entropy: null,
      entropy_level: null,
      reasoning_confidence: null,
      reasoning_reason: null,
      strategy: null,
      top_categories: null,
      selected_model: 'math-model',
    });
  });

  test('below the threshold has an empty category and keeps the confidence', () => {
    const category = { name: '', top: 'math', confidence: 0.4, entropyBits: 2, topCategories: [] };
    const record = buildRecord({ ...INPUT, outcome: decided({ category }) });
    expect(record).toMatchObject({ category: '', confidence: 0.4, entropy: 2 });
  });

  test('shows what guards found, by kind and score', () => {
    const flag = { guard: 'pii', action: 'route', score: null, threshold: null, kinds: ['EMAIL_ADDRESS'] };
    expect(buildRecord({ ...INPUT, outcome: decided({ flags: [flag] }) }).guards).toEqual([flag]);
    expect(buildRecord(INPUT)).not.toHaveProperty('guards');
  });

  test('names why the encoder was not heard', () => {
    expect(buildRecord({ ...INPUT, outcome: decided({ degraded: 'deadline' }) }).degraded).toBe('deadline');
  });

  test('says who read the prompt; what the encoder alone tells is null for the stand-in', () => {
    expect(buildRecord(INPUT).classifier_tier).toBe('encoder');
    const signals = signalsOf({ encoding: { ...ENCODING, tier: 'static' }, degraded: 'deadline' });
    const outcome = decided({ degraded: 'deadline', classifierTier: 'static' });
    expect(buildRecord({ ...INPUT, signals, outcome })).toMatchObject({
      category: 'math',
      degraded: 'deadline',
      classifier_tier: 'static',
      encoder_tokens: null,
      truncated: null,
      memoised: null,
    });
  });

  test('of a refusal has its status and no model', () => {
    const record = buildRecord({ ...INPUT, outcome: refused(404, 'model_not_found'), modelIsKnown: false });
    expect(record).toMatchObject({
      reason_code: 'model_not_found',
      status: 404,
      selected_model: null,
      selected_endpoint: null,
    });
  });

  test('does not repeat a model name or a request id that is free text', () => {
    const record = buildRecord({
      ...INPUT,
      requestId: 'my password is hunter2',
      originalModel: 'my password is hunter2',
      modelIsKnown: false,
    });
    expect(record).toMatchObject({ request_id: null, original_model: 'unknown' });
  });

  test.each([
    ['high', 'high'],
    [null, null],
    ['my secret, please', 'other'],
  ])('shows the effort %j as %j', (reasoningEffort, shown) => {
    expect(buildRecord({ ...INPUT, outcome: decided({ reasoningEffort }) }).reasoning_effort).toBe(shown);
  });

  test('holds no part of the prompt, whatever the client put where', () => {
    // Letters that no field of ours is written with, so that any hit is the prompt's.
    const prompt = fc.string({
      unit: fc.constantFrom('Ω', 'Ж', '家', '🜁', '"', '\\', '\n', ' '),
      minLength: 3,
      maxLength: 200,
    });
    fc.assert(
      fc.property(prompt, fc.boolean(), (text, isKnown) => {
        const record = buildRecord({
          ...INPUT,
          requestId: text,
          originalModel: isKnown ? 'auto' : text,
          modelIsKnown: isKnown,
          outcome: decided({
            reasoningEffort: text,
            systemPrompt: { text, mode: 'replace', source: 'x' },
            notes: [text],
          }),
          signals: signalsOf({ pii: [{ kind: 'EMAIL_ADDRESS', start: 0, end: text.length, confidence: 1 }] }),
        });
        for (const character of text.replace(/["\\\s]/g, '')) expect(JSON.stringify(record)).not.toContain(character);
      }),
      { numRuns: 300 },
    );
  });

  test('holds the prompt only when it was handed over', () => {
    expect(buildRecord(INPUT)).not.toHaveProperty('prompt');
    expect(buildRecord({ ...INPUT, prompt: 'what is 2+2' }).prompt).toBe('what is 2+2');
  });
});

test.each([
  [decided(), 'info'],
  [refused(404, 'model_not_found'), 'info'],
  [refused(503, 'no_endpoint_available'), 'warn'],
] as const)('is one line, louder when we are at fault (%#)', (outcome, level) => {
  const { log, lines } = keepingLog();
  logRecord(log, buildRecord({ ...INPUT, outcome }));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level, msg: 'routing_decision', event: 'routing_decision' });
});
