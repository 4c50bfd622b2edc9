import { pino } from 'pino';
import type { Log } from '../../../src/observability/log.ts';
import type { Decision, DecisionOutcome, Plan } from '../../../src/decision/decision.ts';
import type { Encoding, Signals } from '../../../src/signals/signals.ts';
import { LABELS, probabilitiesOf } from '../../fakes/fake-encoder.ts';
import { registryOf } from '../api/fixture.ts';

/** A logger that keeps its lines, parsed. */
export function keepingLog(level = 'debug'): { readonly log: Log; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { log, lines };
}

export const ENCODING: Encoding = {
  tier: 'encoder',
  categoryProbabilities: probabilitiesOf('math'),
  difficulty: null,
  jailbreak: null,
  embedding: null,
  tokens: 17,
  truncated: false,
  memoised: false,
};

export function signalsOf(overrides: Partial<Signals> = {}): Signals {
  return {
    encoding: ENCODING,
    degraded: null,
    labels: LABELS,
    pii: [],
    shape: { stream: true } as Signals['shape'],
    ...overrides,
  };
}

export const PLAN: Plan = {
  targets: [
    {
      model: 'math-model',
      servedModel: 'math-model',
      endpoint: 'one',
      address: '127.0.0.1:8000',
      reasoning: { kind: 'chat_template_kwargs', parameter: 'enable_thinking', enabled: true },
    },
  ],
  untouched: false,
};

export const REGISTRY = registryOf();

/** A routed maths question; override what the test is about. */
export function decisionOf(overrides: Record<string, unknown> = {}): Decision {
  const decision = {
    schemaVersion: 1,
    policyVersion: REGISTRY.version,
    decision: 'auto',
    reasonCode: 'auto_routing',
    originalModel: 'auto',
    selectedModel: 'math-model',
    category: {
      name: 'math',
      top: 'math',
      confidence: 0.7004,
      entropyBits: 1.4,
      entropyNormalized: 0.375,
      entropyLevel: 'low',
      topCategories: [
        { category: 'math', probability: 0.7004 },
        { category: 'physics', probability: 0.1019 },
        { category: 'economics', probability: 0.0917 },
      ],
    },
    reasoning: {
      enabled: true,
      confidence: 0.63036,
      reason: 'low_uncertainty_trust_classification',
      strategy: 'trust_top_category',
    },
    reasoningEffort: null,
    systemPrompt: { text: 'You are a mathematician.', mode: 'replace', source: 'categories.math.system_prompt' },
    candidates: [{ model: 'math-model', admissible: true, rejections: [], score: 0.9, parts: [], notes: [] }],
    degraded: null,
    classifierTier: 'encoder',
    objective: { kind: 'category', source: 'default', limits: {}, callerLimits: {}, relaxed: [] },
    rule: null,
    tenant: null,
    flags: [],
    because: 'it has the best score for math',
    notes: [],
    ...overrides,
  };
  return decision as unknown as Decision;
}

export function decided(overrides: Record<string, unknown> = {}, plan: Plan = PLAN): DecisionOutcome {
  return { kind: 'decided', decision: decisionOf(overrides), plan };
}

/** A concrete model was named: nothing was classified. */
export const MODEL_SPECIFIED = decided({
  decision: 'model_specified',
  reasonCode: 'model_specified',
  originalModel: 'math-model',
  category: {
    name: '',
    top: null,
    confidence: null,
    entropyBits: null,
    entropyNormalized: null,
    entropyLevel: null,
    topCategories: [],
  },
  reasoning: null,
  objective: null,
  systemPrompt: null,
});

export function refused(status: number, reasonCode: string): DecisionOutcome {
  return {
    kind: 'refused',
    error: { status, type: 'invalid_request_error', code: reasonCode, message: 'no', param: null },
    reasonCode,
    candidates: [],
    block: null,
  };
}
