import { expect, test } from '@jest/globals';
import type { ShareView } from '../../../src/cascade/share.ts';
import { measureCheck, showShares, tellEscalated } from '../../../src/observability/cascade.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { registryOf } from '../api/fixture.ts';
import { keepingLog } from './fixture.ts';

const REGISTRY = registryOf(`
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8000, models: [cheap, unpriced] }]
model_config: { cheap: { pricing: { currency: EUR, prompt_per_1m: 2, completion_per_1m: 10 } } }
`);

function tell(model: string, tokens: { prompt: number | null; completion: number | null; total: number | null }) {
  const { log, lines } = keepingLog();
  const metrics = createMetrics({ processMetrics: false });
  const note = {
    result: 'escalated',
    check: 'refusal',
    promptTokens: tokens.prompt,
    completionTokens: tokens.completion,
    totalTokens: tokens.total,
  } as const;
  tellEscalated({ requestId: 'req-1', model, note, latencyMs: 120 }, { metrics, log, registry: REGISTRY });
  return { line: lines[0], metrics };
}

test('an escalated answer is paid for, and counted as spent in vain', async () => {
  const { line, metrics } = tell('cheap', { prompt: 100, completion: 50, total: 150 });
  expect(line).toMatchObject({
    event: 'llm_usage',
    request_id: 'req-1',
    model: 'cheap',
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    completion_latency_ms: 120,
    cost: 0.0007,
    currency: 'EUR',
    status: 200,
    stream: false,
    escalated: 'refusal',
  });
  const { text } = await metrics.expose();
  expect(text).toContain('llm_model_tokens_total{model="cheap"} 150');
  expect(text).toContain('switchyard_cascade_wasted_tokens_total{model="cheap"} 150');
  expect(text).toContain('llm_model_cost_total{model="cheap",currency="EUR"} 0.0007');
  expect(text).toContain('switchyard_cascade_wasted_cost_total{model="cheap",currency="EUR"} 0.0007');
});

test('what the answer does not say is not made up', async () => {
  const { line, metrics } = tell('unpriced', { prompt: null, completion: null, total: null });
  expect(line).toMatchObject({ prompt_tokens: null, total_tokens: null });
  expect(line).not.toHaveProperty('cost');
  expect((await metrics.expose()).text).not.toContain('switchyard_cascade_wasted_cost_total{');
});

test('checks are counted by route and result, failed ones by model and check', async () => {
  const metrics = createMetrics({ processMetrics: false });
  measureCheck(metrics, REGISTRY, { route: 'auto', model: 'cheap', result: 'passed', check: null });
  measureCheck(metrics, REGISTRY, { route: 'auto', model: 'cheap', result: 'kept', check: 'empty' });
  const { text } = await metrics.expose();
  expect(text).toContain('switchyard_cascade_answers_total{route="auto",result="passed"} 1');
  expect(text).toContain('switchyard_cascade_answers_total{route="auto",result="kept"} 1');
  expect(text).toContain('switchyard_cascade_failed_checks_total{model="cheap",check="empty"} 1');
});

test('the gauges follow the windows; a route that is gone has none', async () => {
  const metrics = createMetrics({ processMetrics: false });
  let view: readonly ShareView[] = [
    { route: 'a', checked: 10, escalated: 2, refused: 3 },
    { route: 'b', checked: 0, escalated: 0, refused: 0 },
  ];
  showShares(metrics, () => view);
  const before = (await metrics.expose()).text;
  expect(before).toContain('switchyard_cascade_escalated_share{route="a"} 0.2');
  expect(before).toContain('switchyard_cascade_capped{route="a"} 1');
  expect(before).toContain('switchyard_cascade_capped{route="b"} 0');
  view = [{ route: 'b', checked: 4, escalated: 1, refused: 0 }];
  const after = (await metrics.expose()).text;
  expect(after).not.toContain('{route="a"}');
  expect(after).toContain('switchyard_cascade_escalated_share{route="b"} 0.25');
});
