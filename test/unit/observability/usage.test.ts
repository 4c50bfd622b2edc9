import { describe, expect, test } from '@jest/globals';
import type { Observation } from '../../../src/extproc/machine-events.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { costOf, createUsageListener } from '../../../src/observability/usage.ts';
import { CARRIED_KEY, CARRIED_NAMESPACE, encodeCarried } from '../../../src/rewrite/carried.ts';
import { registryOf } from '../api/fixture.ts';
import { keepingLog, PLAN } from './fixture.ts';

const PRICED = registryOf(`
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8000, models: [math-model, other] }]
model_config:
  math-model: { pricing: { currency: EUR, prompt_per_1m: 2, completion_per_1m: 10 } }
`);
const CARRIED = encodeCarried({
  targets: PLAN.targets.map((target) => ({ ...target, reasoningTold: true, largerWindow: false })),
  untouched: false,
  note: '',
  callerReasoningWins: true,
  keyed: false,
  category: 'math',
  requestId: 'req-1',
  startedMs: 1000,
});

interface Answer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly chunks: readonly string[];
  readonly how?: 'complete' | 'cut';
  readonly carried?: string | null;
  readonly address?: string;
}

/** Plays one answer to a listener whose clock goes 10 ms at each look. */
async function watch(answer: Answer) {
  const { log, lines } = keepingLog();
  const metrics = createMetrics({ processMetrics: false });
  let now = 1000;
  const listener = createUsageListener({ unixMs: () => (now += 10), registry: () => PRICED, metrics, log });
  const { carried = CARRIED } = answer;
  const metadata = new Map(carried === null ? [] : [[CARRIED_NAMESPACE, { [CARRIED_KEY]: carried }]]);
  const headers = new Map(Object.entries({ ':status': '200', 'content-type': 'application/json', ...answer.headers }));
  const attributes = new Map([
    ['upstream.address', answer.address ?? '127.0.0.1:8000'],
    ['upstream.request_attempt_count', '1'],
  ]);
  const story: Observation[] = [
    { kind: 'response', headers, attributes, metadata },
    ...answer.chunks.map((chunk): Observation => ({ kind: 'chunk', body: Buffer.from(chunk), endOfStream: false })),
    { kind: 'end', how: answer.how ?? 'complete' },
  ];
  for (const observation of story) listener(observation);
  return { usage: lines.find((line) => line['event'] === 'llm_usage'), text: (await metrics.expose()).text };
}

const BODY =
  '{"model":"math-model","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}}';
const STREAM = [
  'data: {"choices":[{"delta":{"content":"4"}}]}\n\n',
  'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}\n\n',
  'data: [DONE]\n\n',
];

test('an answer in one piece', async () => {
  const { usage, text } = await watch({ chunks: [BODY] });
  expect(usage).toMatchObject({
    level: 'info',
    msg: 'llm_usage',
    request_id: 'req-1',
    model: 'math-model',
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    completion_latency_ms: 20,
    ttft_ms: 10,
    cost: 0.0007,
    currency: 'EUR',
    stream: false,
    cut_short: false,
  });
  expect(text).toContain('llm_model_prompt_tokens_total{model="math-model"} 100');
  expect(text).toContain('llm_model_completion_tokens_total{model="math-model"} 50');
  expect(text).toContain('llm_model_tokens_total{model="math-model"} 150');
  expect(text).toContain('llm_model_cost_total{model="math-model",currency="EUR"} 0.0007');
  expect(text).toContain('llm_model_ttft_seconds_count{model="math-model"} 1');
  expect(text).toContain('llm_model_tpot_seconds_sum{model="math-model"} 0.0004');
});

test('a stream, in any chunking', async () => {
  const whole = STREAM.join('');
  const headers = { 'content-type': 'text/event-stream' };
  for (const chunks of [STREAM, [whole], whole.split(/(?:)/u)]) {
    const { usage } = await watch({ headers, chunks });
    expect(usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 2,
      total_tokens: 9,
      stream: true,
      cut_short: false,
    });
    expect(usage?.['ttft_ms']).toBeGreaterThan(0);
  }
});

test('a stream that ends without its last event was cut short', async () => {
  const { usage, text } = await watch({
    headers: { 'content-type': 'text/event-stream' },
    chunks: STREAM.slice(0, 1),
    how: 'cut',
  });
  expect(usage).toMatchObject({ cut_short: true, prompt_tokens: null, completion_tokens: null });
  expect(usage).not.toHaveProperty('cost');
  expect(text).toContain('llm_request_errors_total{model="math-model",reason="answer_cut"} 1');
});

test.each([
  ['429', 'upstream_4xx'],
  ['503', 'upstream_5xx'],
])('an answer with %s is an error without usage', async (status, reason) => {
  const { usage, text } = await watch({ headers: { ':status': status }, chunks: [BODY] });
  expect(usage).toBeUndefined();
  expect(text).toContain(`llm_request_errors_total{model="math-model",reason="${reason}"} 1`);
});

test.each([
  ['no plan', { carried: null }],
  ['a plan that is none', { carried: '{"targets":3}' }],
  ['an address outside the plan', { address: '10.0.0.1:1' }],
])('%s: nobody asked a model', async (_, answer) => {
  const { usage, text } = await watch({ ...answer, chunks: [BODY] });
  expect(usage).toBeUndefined();
  expect(text).not.toContain('llm_model_tokens_total{');
});

test('a compressed answer is timed and not read', async () => {
  const { usage } = await watch({ headers: { 'content-encoding': 'gzip' }, chunks: ['\x1f\x8b'] });
  expect(usage).toMatchObject({ prompt_tokens: null, completion_tokens: null, total_tokens: null });
  expect(usage).not.toHaveProperty('cost');
});

test('nothing but an end says nothing', () => {
  const { log, lines } = keepingLog();
  const listener = createUsageListener({
    unixMs: () => 0,
    registry: () => PRICED,
    metrics: createMetrics({ processMetrics: false }),
    log,
  });
  listener({ kind: 'chunk', body: Buffer.from('x'), endOfStream: false });
  listener({ kind: 'end', how: 'cut' });
  expect(lines).toEqual([]);
});

describe('the cost', () => {
  const tokens = { promptTokens: 1_000_000, completionTokens: 500_000, totalTokens: 1_500_000 };
  test.each([
    ['is the sum of both prices', tokens, { currency: 'USD', prompt_per_1m: 2, completion_per_1m: 10 }, 7],
    ['is unknown without pricing', tokens, undefined, null],
    ['is unknown when one price is missing', tokens, { currency: 'USD', prompt_per_1m: 2 }, null],
    [
      'needs no price for tokens that were not used',
      { ...tokens, completionTokens: 0 },
      { currency: 'USD', prompt_per_1m: 2 },
      2,
    ],
    ['may be zero when the price is', tokens, { currency: 'USD', prompt_per_1m: 0, completion_per_1m: 0 }, 0],
    [
      'is unknown when the tokens are',
      { ...tokens, completionTokens: null },
      { currency: 'USD', prompt_per_1m: 2, completion_per_1m: 1 },
      null,
    ],
    [
      'of embeddings is their prompt',
      { promptTokens: 1_000_000, completionTokens: null, totalTokens: 1_000_000 },
      { currency: 'USD', prompt_per_1m: 2 },
      2,
    ],
  ])('%s', (_, facts, pricing, cost) => {
    expect(costOf(facts, pricing)?.cost ?? null).toBe(cost);
  });
});
