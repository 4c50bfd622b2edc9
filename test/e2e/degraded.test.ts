/** What a request gets when there is no time for the encoder: Envoy, the router as a process, the shipped model and its table of tokens. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { until } from './harness-wait.ts';
import { startStack, type Stack } from './harness.ts';

const NAMES = ['general', 'technical'];
/** No machine reads a full window in a millisecond. */
const LONG_MATHS =
  'Solve the integral of x^2 times e^x, then differentiate the polynomial, factor the equation and prove the theorem by induction. '.repeat(
    12,
  );
const config = `
vllm_endpoints:
  - { name: general, address: 127.0.0.1, port: '\${PORT_GENERAL}', models: [general] }
  - { name: technical, address: 127.0.0.1, port: '\${PORT_TECHNICAL}', models: [technical] }
model_config:
  technical: { reasoning_family: qwen3 }
default_model: general
timeouts: { decision: 1ms }
categories:
  - name: math
    system_prompt: You are a mathematician.
    model_scores:
      - { model: technical, score: 0.9, use_reasoning: true }
      - { model: general, score: 0.2 }
`;

describeWithEnvoy('without time for the encoder', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config, sims: NAMES.map((name) => ({ name, models: [name] })) });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));

  /** The answer and the line about it. */
  async function ask(content: string) {
    const before = stack.routingDecisions().length;
    const answer = await stack.send({ body: { model: 'auto', messages: [{ role: 'user', content }] } });
    await until(() => stack.routingDecisions().length > before, 'the decision line');
    return { answer, line: stack.routingDecisions().at(-1) };
  }
  const counted = async (series: string): Promise<number> => {
    const text = await (await fetch(`${stack.apiUrl}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };

  test('the table of tokens finds the category: its model and prompt, and no reasoning', async () => {
    await stack.watched(async () => {
      const { answer, line } = await ask(LONG_MATHS);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'x-vsr-selected-model': 'technical',
        'x-vsr-selected-category': 'math',
        'x-vsr-selected-reasoning': 'off',
        'x-vsr-injected-system-prompt': 'true',
      });
      expect(line).toMatchObject({
        category: 'math',
        degraded: 'deadline',
        classifier_tier: 'static',
        reasoning_enabled: false,
        reasoning_confidence: 0.5,
        reasoning_reason: 'fallback_traditional_classification',
        strategy: 'classification_error_fallback',
        encoder_tokens: null,
      });
      expect(line?.['entropy']).toEqual(expect.any(Number));
      expect(stack.sim('technical').requests).toHaveLength(1);
      expect(await counted('switchyard_classifications_total{tier="static"}')).toBe(1);
      expect(await counted('switchyard_degraded_total{reason="deadline"}')).toBe(1);
    })();
  });

  test.each([
    ['invented words, over and over', 'grelm vostik palunda herrix '.repeat(60)],
    [
      'a word of every field',
      'a contract, a cell, a price, a force, a war, a proof, a loop, a cure, a bridge, a dream, an acid. '.repeat(7),
    ],
  ])('what the table is not sure of goes to the default model: %s', async (_, text) => {
    await stack.watched(async () => {
      const { answer, line } = await ask(text);
      expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'general', 'x-vsr-selected-category': '' });
      expect(line).toMatchObject({ category: '', degraded: 'deadline', classifier_tier: 'static' });
      expect(line?.['confidence']).toBeLessThan(0.6);
    })();
  });

  test('another language is not guessed at', async () => {
    await stack.watched(async () => {
      const { answer, line } = await ask('请用简单的语言解释这个积分方程的解法。'.repeat(20));
      expect(answer.headers['x-vsr-selected-model']).toBe('general');
      expect(line).toMatchObject({ category: null, degraded: 'unsupported_language', classifier_tier: null });
    })();
  });

  test('the classification API says that it had no time, and does not pass the table off as the encoder', async () => {
    const response = await fetch(`${stack.apiUrl}/api/v1/classify/intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: `Once more: ${LONG_MATHS}` }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'CLASSIFIER_UNAVAILABLE', reason: 'deadline' } });
  });
});
