import { describe, expect, test } from '@jest/globals';
import { measureRouting, type RoutingMeasurement } from '../../../src/observability/metrics-decision.ts';
import type { MetricDefinition } from '../../../src/observability/metric-definition.ts';
import { METRICS } from '../../../src/observability/metrics-table.ts';
import { createMetrics, type Metrics } from '../../../src/observability/metrics.ts';
import type { PiiFinding } from '../../../src/signals/pii.ts';
import { decided, ENCODING, MODEL_SPECIFIED, refused, REGISTRY, signalsOf } from './fixture.ts';

const ROWS: readonly MetricDefinition[] = METRICS;

async function exposed(metrics: Metrics): Promise<string> {
  return (await metrics.expose()).text;
}

describe('the table', () => {
  test('has each name once, spelled as Prometheus wants, with labels that are no reserved words', () => {
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
    for (const { name, labels, type, buckets } of ROWS) {
      expect(name).toMatch(/^(llm|switchyard)_[a-z0-9_]+$/);
      for (const label of labels) expect(label).toMatch(/^(?!le$|__)[a-z][a-z_]*$/);
      expect(buckets !== undefined).toBe(type === 'histogram');
      expect([...(buckets ?? [])]).toEqual([...(buckets ?? [])].sort((one, two) => one - two));
    }
  });

  test.each([
    'llm_model_requests_total',
    'llm_request_errors_total',
    'llm_model_routing_modifications_total',
    'llm_routing_reason_codes_total',
    'llm_model_routing_latency_seconds',
    'llm_model_completion_latency_seconds',
    'llm_model_ttft_seconds',
    'llm_model_tpot_seconds',
    'llm_model_prompt_tokens_total',
    'llm_model_completion_tokens_total',
    'llm_model_cost_total',
    'llm_category_classifications_count',
    'llm_reasoning_decisions_total',
    'llm_reasoning_effort_usage_total',
    'llm_entropy_classification_latency_seconds',
    'llm_pii_violations_total',
  ])('has the classic %s, and the exposition shows it', async (name) => {
    expect(ROWS.map((row) => row.name)).toContain(name);
    expect(await exposed(createMetrics({ processMetrics: false }))).toContain(`# TYPE ${name} `);
  });

  test('resolves half a millisecond where routing is timed', () => {
    for (const name of [
      'llm_model_routing_latency_seconds',
      'llm_classifier_latency_seconds',
      'switchyard_encoder_inference_seconds',
    ]) {
      expect(ROWS.find((row) => row.name === name)?.buckets?.[0]).toBe(0.0005);
    }
  });
});

describe('the registry', () => {
  test('counts, observes and sets', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.inc('llm_model_requests_total', { model: 'm' });
    metrics.add('llm_model_tokens_total', 41, { model: 'm' });
    metrics.observe('llm_model_routing_latency_seconds', 0.0007);
    metrics.set('switchyard_config_info', 1, { version: 'v1' });
    metrics.clear('switchyard_config_info');
    metrics.set('switchyard_config_info', 1, { version: 'v2' });
    metrics.gauge('switchyard_encoder_queue_depth', () => 7);
    metrics.shift('switchyard_requests_in_flight', 3);
    metrics.shift('switchyard_requests_in_flight', -1);
    const text = await exposed(metrics);
    expect(text).toContain('llm_model_requests_total{model="m"} 1');
    expect(text).toContain('llm_model_tokens_total{model="m"} 41');
    expect(text).toContain('llm_model_routing_latency_seconds_bucket{le="0.0005"} 0');
    expect(text).toContain('llm_model_routing_latency_seconds_bucket{le="0.001"} 1');
    expect(text).toContain('switchyard_config_info{version="v2"} 1');
    expect(text).not.toContain('version="v1"');
    expect(text).toContain('switchyard_encoder_queue_depth 7');
    expect(text).toContain('switchyard_requests_in_flight 2');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a counter ignores %d', async (amount) => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.add('llm_model_cost_total', amount, { model: 'm', currency: 'USD' });
    metrics.observe('llm_model_routing_latency_seconds', Number.NaN);
    const text = await exposed(metrics);
    expect(text).not.toContain('llm_model_cost_total{');
    expect(text).toContain('llm_model_routing_latency_seconds_count 0');
  });

  test('names and labels are checked when compiling', () => {
    const metrics = createMetrics({ processMetrics: false });
    // @ts-expect-error no such metric
    expect(() => metrics.inc('llm_nothing_total')).not.toThrow();
    // @ts-expect-error a label is missing
    expect(() => metrics.inc('llm_model_requests_total', {})).not.toThrow();
    // @ts-expect-error a histogram is no counter
    expect(() => metrics.inc('llm_model_routing_latency_seconds')).not.toThrow();
  });

  test('adds the process and the event loop when asked', async () => {
    const text = await exposed(createMetrics({ processMetrics: true }));
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});

const ROUTING: RoutingMeasurement = {
  registry: REGISTRY,
  signals: signalsOf(),
  outcome: decided(),
  routingLatencyMs: 3,
  classificationMs: 2,
  bodyBytes: 900,
};

describe('a routing', () => {
  test('moves the classic counters', async () => {
    const metrics = createMetrics({ processMetrics: false });
    measureRouting(metrics, ROUTING);
    const text = await exposed(metrics);
    for (const line of [
      'llm_model_requests_total{model="math-model"} 1',
      'llm_routing_reason_codes_total{reason_code="auto_routing",model="math-model"} 1',
      'llm_model_routing_modifications_total{source_model="auto",target_model="math-model"} 1',
      'llm_category_classifications_count{category="math"} 1',
      'llm_reasoning_decisions_total{category="math",model="math-model",enabled="true",effort="unspecified"} 1',
      'llm_reasoning_template_usage_total{family="qwen3",param="enable_thinking"} 1',
      'llm_entropy_classification_decisions_total{uncertainty_level="low",reasoning_enabled="true",decision_reason="low_uncertainty_trust_classification",top_category="math"} 1',
      'llm_model_routing_latency_seconds_count 1',
      'llm_entropy_classification_latency_seconds_count 1',
      'switchyard_request_body_bytes_sum 900',
      'switchyard_encoder_memo_lookups_total{result="miss"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  test('of a concrete model changes nothing and classifies nothing', async () => {
    const metrics = createMetrics({ processMetrics: false });
    measureRouting(metrics, { ...ROUTING, signals: null, classificationMs: null, outcome: MODEL_SPECIFIED });
    const text = await exposed(metrics);
    expect(text).toContain('llm_model_requests_total{model="math-model"} 1');
    expect(text).not.toMatch(
      /llm_model_routing_modifications_total\{|llm_reasoning_decisions_total\{|llm_classification_confidence_count\{/,
    );
  });

  test('without the encoder is counted with its reason', async () => {
    const metrics = createMetrics({ processMetrics: false });
    measureRouting(metrics, {
      ...ROUTING,
      signals: signalsOf({ encoding: null }),
      outcome: decided({ degraded: 'queue_full' }),
    });
    expect(await exposed(metrics)).toContain('switchyard_degraded_total{reason="queue_full"} 1');
  });

  test('is counted by who read the prompt; a stand-in is no pass of the encoder', async () => {
    const metrics = createMetrics({ processMetrics: false });
    measureRouting(metrics, ROUTING);
    measureRouting(metrics, {
      ...ROUTING,
      signals: signalsOf({ encoding: { ...ENCODING, tier: 'static' }, degraded: 'deadline' }),
      outcome: decided({ degraded: 'deadline', classifierTier: 'static' }),
    });
    measureRouting(metrics, { ...ROUTING, outcome: decided({ degraded: 'no_text', classifierTier: null }) });
    measureRouting(metrics, { ...ROUTING, signals: null, outcome: MODEL_SPECIFIED });
    const text = await exposed(metrics);
    for (const tier of ['encoder', 'static', 'none']) {
      expect(text).toContain(`switchyard_classifications_total{tier="${tier}"} 1`);
    }
    expect(text).toContain('switchyard_encoder_tokens_count 2');
    expect(text).toContain(
      'llm_classification_confidence_count{category="math",classification_method="static_table"} 1',
    );
  });

  test('that was refused is an error of an unknown model', async () => {
    const metrics = createMetrics({ processMetrics: false });
    measureRouting(metrics, { ...ROUTING, outcome: refused(404, 'model_not_found') });
    expect(await exposed(metrics)).toContain('llm_request_errors_total{model="unknown",reason="model_not_found"} 1');
  });

  test('counts each model that personal data ruled out, by kind', async () => {
    const metrics = createMetrics({ processMetrics: false });
    const found = (kind: PiiFinding['kind']) => ({ kind, start: 0, end: 1, confidence: 1 });
    const candidate = (model: string, reason: string) => ({
      ...{ model, admissible: false, score: null, parts: [], notes: [] },
      rejections: [{ stage: 'policy', reason, detail: '' }],
    });
    measureRouting(metrics, {
      ...ROUTING,
      signals: signalsOf({ pii: [found('EMAIL_ADDRESS'), found('EMAIL_ADDRESS'), found('PHONE_NUMBER')] }),
      outcome: decided({
        candidates: [candidate('general/model-a', 'pii_not_allowed'), candidate('math-model', 'drained')],
      }),
    });
    const lines = (await exposed(metrics)).split('\n').filter((line) => line.startsWith('llm_pii_violations_total{'));
    expect(lines).toEqual([
      'llm_pii_violations_total{model="general/model-a",pii_type="EMAIL_ADDRESS"} 1',
      'llm_pii_violations_total{model="general/model-a",pii_type="PHONE_NUMBER"} 1',
    ]);
  });

  test('makes no series from words of the client', async () => {
    const metrics = createMetrics({ processMetrics: false });
    for (let index = 0; index < 50; index += 1) {
      const words = { originalModel: `client-word-${index}`, reasoningEffort: `client-word-${index}` };
      measureRouting(metrics, { ...ROUTING, outcome: decided(words) });
    }
    const text = await exposed(metrics);
    expect(text).not.toContain('client-word');
    expect(text).toContain(
      'llm_model_routing_modifications_total{source_model="unknown",target_model="math-model"} 50',
    );
    expect(text).toContain('effort="other"} 50');
  });
});
