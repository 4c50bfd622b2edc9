import { pino } from 'pino';
import { createApi, type Api } from '../../../src/api/server.ts';
import type { ApiDependencies, LoadedModel } from '../../../src/api/dependencies.ts';
import { load } from '../../../src/config/load.ts';
import { buildRegistry, type Registry } from '../../../src/config/registry.ts';
import { decide } from '../../../src/decision/decide.ts';
import type { Manifest } from '../../../src/ml/bundle.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { parseRequest } from '../../../src/openai/parse.ts';
import { createOutcomeStore, type OutcomeStore } from '../../../src/outcomes/store.ts';
import { NO_OUTCOMES } from '../../../src/outcomes/table.ts';
import { startPiiSearch } from '../../../src/signals/pii.ts';
import type { Signals } from '../../../src/signals/signals.ts';
import { createFakeEncoder, LABELS, type FakeEncoder } from '../../fakes/fake-encoder.ts';

export const CONFIG = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: 8000, models: [general/model-a, math-model], api_key_env: ONE_KEY }
model_config:
  math-model: { reasoning_family: qwen3 }
default_model: general/model-a
categories:
  - name: math
    system_prompt: You are a mathematician. SECRET-PROMPT
    model_scores: [{ model: math-model, score: 0.9, use_reasoning: true }]
  - name: law
    system_prompt: You are a lawyer.
    system_prompt_mode: insert
    system_prompt_enabled: false
    model_scores: [{ model: general/model-a, score: 0.8 }]
  - name: history
    model_scores: [{ model: general/model-a, score: 0.8 }]
limits: { batch_texts: 20, request_body: 64KiB }
`;

export function registryOf(text: string = CONFIG): Registry {
  const loaded = load(text, 'test.yaml', {});
  if (loaded.kind !== 'loaded') throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
  return loaded.registry;
}

export const MANIFEST: Manifest = {
  schema_version: 1,
  name: 'fake-encoder',
  version: '1',
  licence: 'Apache-2.0',
  base_encoder: { name: 'none', licence: 'Apache-2.0', source: 'test', sha256: '0' },
  files: {
    model: { path: 'model.onnx', sha256: 'abc', bytes: 1 },
    tokenizer: { path: 'tokenizer.json', sha256: 'abc', bytes: 1 },
    tokenizer_config: { path: 'tokenizer_config.json', sha256: 'abc', bytes: 1 },
  },
  inputs: { max_tokens: 256, head_tokens: 128, tail_tokens: 126 },
  outputs: { category: { labels: LABELS, temperature: 1 }, embedding: { dims: 384, pooling: 'mean' } },
  scores: { accuracy: 0.5 },
  data: [],
};

/** The one answer that the fixture's API can grade. */
export const GRADABLE = { requestId: 'request-1', model: 'math-model', category: 'math' };

function gradableOutcomes(): OutcomeStore {
  const outcomes = createOutcomeStore(NO_OUTCOMES, { file: null, onProblem: () => undefined });
  outcomes.answered(GRADABLE);
  return outcomes;
}

export interface Fixture {
  readonly api: Api;
  readonly encoder: FakeEncoder;
  readonly dependencies: ApiDependencies;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
}

/** The API over a fake encoder and the real decision. */
export function createFixture(
  overrides: Partial<ApiDependencies> & { encoderIs?: FakeEncoder; yaml?: string } = {},
): Fixture {
  const { encoderIs, yaml, ...rest } = overrides;
  let registry = registryOf(yaml);
  const encoder = encoderIs ?? createFakeEncoder();
  const loaded: LoadedModel = { manifest: MANIFEST, provider: 'cpu', workers: 1 };
  const dependencies: ApiDependencies = {
    clock: () => performance.now(),
    now: () => new Date('2026-01-02T03:04:05.678Z'),
    registry: () => registry,
    encoder: () => encoder,
    model: () => loaded,
    decideText: async (text) => {
      const outcome = await encoder.encode(text, { deadlineMs: 1000 });
      const signals: Signals = {
        encoding: outcome.kind === 'encoded' ? outcome.encoding : (encoder.glance?.(text) ?? null),
        degraded: outcome.kind === 'failed' ? outcome.reason : null,
        labels: encoder.labels,
        pii: [],
        shape: {} as Signals['shape'],
      };
      const body = Buffer.from(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text }] }));
      const parsed = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
      if (parsed.kind === 'invalid') throw new Error(parsed.error.message);
      const addresses = new Map([['one', ['127.0.0.1:8000']]]);
      return {
        signals,
        outcome: decide({ request: parsed.request, registry, signals, endpoints: { addresses }, random: () => 0 }),
      };
    },
    explain: () => Promise.resolve({ decision: {}, plan: {}, signals: null }),
    startPiiSearch,
    activate: async (config) => {
      registry = buildRegistry(config);
      return { kind: 'activated', version: registry.version };
    },
    readiness: () => [{ name: 'encoder', ready: true }],
    endpoints: () => [],
    outcomes: gradableOutcomes(),
    clusters: (version) =>
      version === 'v1'
        ? { kind: 'unchanged' }
        : { kind: 'clusters', response: { version_info: 'v1', resources: [{ name: 'pool' }] } },
    access: { adminToken: null, host: '127.0.0.1' },
    metrics: createMetrics({ processMetrics: false }),
    log: pino({ level: 'silent' }),
    ...rest,
  };
  const api = createApi(dependencies);
  return {
    api,
    encoder,
    dependencies,
    post: async (path, body, init = {}) =>
      api.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...init,
      }),
  };
}
