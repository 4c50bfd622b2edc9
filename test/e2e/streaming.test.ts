/** Streamed answers: nothing of ours may hold a chunk back. Each chunk says when the endpoint wrote it; the clocks are of one machine. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const config = `
vllm_endpoints:
  - { name: one, address: 127.0.0.1, port: '\${PORT_ONE}', models: [one] }
timeouts: { decision: 5s }
categories:
  - { name: math, system_prompt: You are a mathematician., model_scores: [{ model: one, score: 1 }] }
`;

describeWithEnvoy('a streamed answer', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config, sims: [{ name: 'one', models: ['one'] }] });
  }, 60_000);
  afterAll(() => stack.stop());

  const stream = (headers: Record<string, string>, onChunk?: (text: string, atMs: number) => void) =>
    stack.send({
      body: {
        model: 'auto',
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: 'user', content: CATEGORY_PROMPTS['math'] }],
      },
      headers,
      ...(onChunk === undefined ? {} : { onChunk }),
    });

  test('comes chunk by chunk, as the endpoint writes it', async () => {
    await stack.watched(async () => {
      const arrivals: number[] = [];
      const answer = await stream({ 'x-sim-chunks': '40', 'x-sim-chunk-delay-ms': '20' }, (_text, atMs) =>
        arrivals.push(atMs),
      );
      expect([answer.status, answer.failure]).toEqual([200, null]);
      expect(answer.headers['content-type']).toContain('text/event-stream');
      expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
      // Forty writes 20 ms apart: an answer that was collected first would come in one or two pieces.
      expect(arrivals.length).toBeGreaterThanOrEqual(40);
      expect(arrivals.at(-1)! - arrivals[0]!).toBeGreaterThan(600);
    })();
  });

  test('says who answered before its first chunk, and its usage is logged after the last', async () => {
    const answer = await stream({ 'x-request-id': 'stream-usage', 'x-sim-chunks': '5' });
    expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'one', 'x-switchyard-attempts': '1' });
    const line = (): Record<string, unknown> | undefined =>
      stack.events('llm_usage').find((one) => one['request_id'] === 'stream-usage');
    await until(() => line() !== undefined, 'the usage line');
    expect(line()).toMatchObject({ model: 'one', stream: true, cut_short: false });
    expect(line()!['ttft_ms']).toBeGreaterThan(0);
    expect(line()!['completion_latency_ms']).toBeGreaterThanOrEqual(line()!['ttft_ms'] as number);
  });

  test('goes on to its end when the router dies in the middle', async () => {
    await stack.watched(async () => {
      const killed: Promise<void>[] = [];
      const answer = await stream({ 'x-sim-chunks': '30', 'x-sim-chunk-delay-ms': '20' }, () => {
        if (killed.length === 0) killed.push(stack.killRouter());
      });
      await Promise.all(killed);
      expect([answer.status, answer.failure]).toEqual([200, null]);
      expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
      await stack.restartRouter();
    })();
  }, 60_000);
});
