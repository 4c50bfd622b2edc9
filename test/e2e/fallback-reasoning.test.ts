/** The reasoning fields of each attempt, on a request whose first models fail. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { allUp, LENIENT } from './harness-health.ts';
import { startStack, type Stack } from './harness.ts';

describeWithEnvoy('reasoning at a model that stands in', () => {
  const NAMES = ['a', 'b', 'c'] as const;
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config: `
vllm_endpoints:
${NAMES.map((name) => `  - { name: e${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [model-${name}] }`).join('\n')}
model_config:
  model-a: { reasoning_family: gpt-oss, fallbacks: [model-b, model-c] }
  model-b: { reasoning_family: qwen3 }
  model-c: { reasoning_family: deepseek }
default_model: model-c
classifier: { category_model: { threshold: 0.3 } }
categories:
  - name: math
    system_prompt: You are a mathematician.
    model_scores:
      - { model: model-a, score: 0.9, use_reasoning: true, reasoning_effort: high }
      - { model: model-b, score: 0.5, use_reasoning: false }
${LENIENT}`,
      sims: NAMES.map((name) => ({ name, models: [`model-${name}`] })),
    });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(async () => {
    await allUp(stack);
    NAMES.forEach((name) => stack.sim(name).forget());
  });

  const messages = [
    { role: 'system', content: 'You are a mathematician.' },
    { role: 'user', content: CATEGORY_PROMPTS['math'] },
  ];
  const ask = (status: string, extra: object = {}) =>
    stack.send({
      body: { model: 'auto', messages: [{ role: 'user', content: CATEGORY_PROMPTS['math'] }], ...extra },
      headers: { 'x-sim-status': status },
    });
  const bodyAt = (name: string): unknown => JSON.parse(stack.sim(name).requests[0]!.body!);

  test('is what its own entry of the category says, in the fields of its own family', async () => {
    await stack.watched(async () => {
      const answer = await ask('a=503');
      expect(answer.status).toBe(200);
      expect(bodyAt('a')).toEqual({ model: 'model-a', messages, reasoning_effort: 'high' });
      expect(bodyAt('b')).toEqual({ model: 'model-b', messages, chat_template_kwargs: { enable_thinking: false } });
      expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'model-b', 'x-vsr-selected-reasoning': 'off' });
    })();
  });

  test('without an entry of its own, what was decided for the first', async () => {
    await stack.watched(async () => {
      const answer = await ask('a=503, b=503');
      expect(answer.status).toBe(200);
      expect(bodyAt('c')).toEqual({ model: 'model-c', messages, chat_template_kwargs: { thinking: true } });
      expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'model-c', 'x-vsr-selected-reasoning': 'on' });
    })();
  });

  test("the caller's own fields stay the caller's at each", async () => {
    await stack.watched(async () => {
      const own = { reasoning_effort: 'low', chat_template_kwargs: { enable_thinking: true, custom: 1 } };
      expect((await ask('a=503, b=503', own)).status).toBe(200);
      expect(bodyAt('a')).toEqual({ model: 'model-a', messages, ...own });
      expect(bodyAt('b')).toEqual({ model: 'model-b', messages, ...own });
      expect(bodyAt('c')).toEqual({
        model: 'model-c',
        messages,
        ...own,
        chat_template_kwargs: { enable_thinking: true, custom: 1, thinking: true },
      });
    })();
  });
});
