/** One case of each guard and objective, on the real Envoy. What they mean in full stands in test/golden/routing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { until } from './harness-wait.ts';
import { startStack, type Stack } from './harness.ts';

const MODELS = ['cheap', 'strong', 'fast', 'vision', 'cloud'];
const KEY = 'tenant-key-1';
const config = `
vllm_endpoints:
${MODELS.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [${name}], region: ${name === 'cloud' ? 'us-east-1' : 'eu-west-1'} }`).join('\n')}
model_config:
  cheap: { capabilities: [tools, json], context_window: 8192, pricing: { prompt_per_1m: 0.1, completion_per_1m: 0.2 }, latency: { ttft_ms: 200, tokens_per_s: 60 } }
  strong: { capabilities: [tools, json], context_window: 131072, pricing: { prompt_per_1m: 5, completion_per_1m: 15 }, latency: { ttft_ms: 600, tokens_per_s: 40 } }
  fast: { capabilities: [], context_window: 8192, pricing: { prompt_per_1m: 1, completion_per_1m: 2 }, latency: { ttft_ms: 30, tokens_per_s: 300 } }
  vision: { capabilities: [vision], context_window: 32768, pricing: { prompt_per_1m: 2, completion_per_1m: 4 }, latency: { ttft_ms: 400, tokens_per_s: 50 } }
  cloud: { capabilities: [tools, json], context_window: 131072, pii_policy: { allow_by_default: false }, pricing: { prompt_per_1m: 8, completion_per_1m: 24 }, latency: { ttft_ms: 500, tokens_per_s: 45 } }
default_model: cheap
classifier: { category_model: { threshold: 0.3 } }
timeouts: { decision: 5s }
policy: { allow_trace: true }
tenants:
  list:
    - { name: europe, api_key_sha256: ['${createHash('sha256').update(KEY).digest('hex')}'], policy: { allowed_regions: [eu] } }
rules:
  - name: no-tax-advice
    when: { keywords: [tax return] }
    then: { deny: { status: 403, message: Ask a tax adviser. } }
  - name: shouting
    when: { header: { x-app: [megaphone] } }
    then: { model: fast, system_prompt: { text: Be loud. } }
categories:
${Object.keys(CATEGORY_PROMPTS)
  .map(
    (category) =>
      `  - { name: ${category}, model_scores: [{ model: cloud, score: 0.95 }, { model: strong, score: 0.9 }, { model: vision, score: 0.7 }, { model: cheap, score: 0.6 }, { model: fast, score: 0.5 }] }`,
  )
  .join('\n')}
`;

describeWithEnvoy('policy, guards and objectives', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      config, // Latencies are learnt while the tests run: `fast` must stay what its name says.
      sims: MODELS.map((name) => ({ name, models: [name], behaviour: { delayMs: name === 'fast' ? 0 : 100 } })),
    });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => MODELS.forEach((name) => stack.sim(name).forget()));

  const question = CATEGORY_PROMPTS['math']!;
  const ask = (extra: object = {}, headers: Record<string, string> = {}, content: unknown = question, model = 'auto') =>
    stack.send({ body: { model, messages: [{ role: 'user', content }], ...extra }, headers });
  const answeredBy = async (...request: Parameters<typeof ask>): Promise<string> => {
    const answer = await ask(...request);
    return answer.status === 200
      ? answer.headers['x-vsr-selected-model']!
      : `${answer.status} ${answer.json.error.code}`;
  };

  test('without any of it the best score of the category answers', async () => {
    expect(await answeredBy()).toBe('cloud');
  });

  describe('capabilities', () => {
    test('an image goes to the model that sees, however well others score', async () => {
      const content = [
        { type: 'text', text: question },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ];
      expect(await answeredBy({}, {}, content)).toBe('vision');
    });
    test('an image and tools: no model has both, and the error says so', async () => {
      const content = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }];
      const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
      const answer = await ask({ tools, tool_choice: 'required' }, {}, content);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(423);
      expect(answer.json.error.message).toMatch(/vision|image/);
      expect(MODELS.every((name) => stack.sim(name).requests.length === 0)).toBe(true);
    });
    test('a prompt that is too long for the small windows goes to a large one', async () => {
      expect(['cloud', 'strong']).toContain(
        await answeredBy(
          {},
          { 'x-routing-objective': 'cost' },
          `${question} ${'lorem ipsum dolor sit amet '.repeat(8000)}`,
        ),
      );
    });
  });

  describe('policy', () => {
    test('a tenant is told by its key and kept in its region', async () => {
      expect(await answeredBy({}, { authorization: `Bearer ${KEY}` })).toBe('strong');
    });
    test('for a named model too', async () => {
      const answer = await ask({}, { authorization: `Bearer ${KEY}` }, question, 'cloud');
      expect(answer.status).toBe(403);
      await until(() => stack.events('routing_block').length > 0, 'the block line');
      expect(stack.events('routing_block').at(-1)).toMatchObject({ tenant: 'europe' });
    });
    test('personal data keeps away from a model that may not have it', async () => {
      const mail = 'Write to jane.doe@corp-mail.com and ask for the derivative of x^3 * ln(x). Show every step.';
      expect(await answeredBy({}, {}, mail)).toBe('strong');
      const named = await ask({}, {}, mail, 'cloud');
      expect(named.status).toBeGreaterThanOrEqual(400);
      await until(() => stack.events('security_block').length > 0, 'the block line');
      expect(JSON.stringify(stack.events('security_block'))).not.toContain('jane');
      expect(stack.logs()).not.toContain('jane.doe');
    });
  });

  describe('rules', () => {
    test('deny', async () => {
      const answer = await ask({}, {}, 'Can you fill in my tax return for 2025?');
      expect([answer.status, answer.json.error.message]).toEqual([403, 'Ask a tax adviser.']);
    });
    test('a model and a prompt by header', async () => {
      const answer = await ask({}, { 'x-app': 'megaphone' });
      expect(answer.headers).toMatchObject({ 'x-vsr-selected-model': 'fast', 'x-switchyard-decision': 'shouting' });
      expect(stack.sim('fast').requests[0]!.body).toContain('Be loud.');
    });
  });

  describe('objectives', () => {
    test.each([
      ['cost', 'cheap'],
      ['latency', 'fast'],
      ['quality', 'cloud'],
    ])('x-routing-objective: %s', async (objective, model) => {
      expect(await answeredBy({}, { 'x-routing-objective': objective })).toBe(model);
    });
    test.each([
      ['auto:cost', 'cheap'],
      ['auto:fast', 'fast'],
      ['auto:quality', 'cloud'],
    ])('the alias %s', async (alias, model) => {
      expect(await answeredBy({}, {}, question, alias)).toBe(model);
    });
    test('balanced weighs all three', async () => {
      expect(MODELS).toContain(await answeredBy({ routing: { objective: 'balanced' } }));
    });
    test('cost with a floor takes the cheapest model that is good enough', async () => {
      expect(['vision', 'strong', 'cloud']).toContain(
        await answeredBy({ routing: { objective: 'cost', quality_floor: 0.65 } }),
      );
    });
    test('knobs narrow, and never reach the endpoint', async () => {
      expect(
        await answeredBy({
          routing: { deny: ['cloud', 'strong'], region: 'eu' },
          provider: { data_collection: 'allow' },
        }),
      ).toBe('vision');
      const body = stack.sim('vision').requests[0]!.body!;
      expect(body).not.toContain('routing');
      expect(body).not.toContain('provider');
    });
    test('the explanation comes with the answer when it is asked for', async () => {
      const answer = await ask({ routing: { trace: true } });
      expect(answer.json.choices[0].message.role).toBe('assistant');
      expect(answer.json.routing_metadata).toMatchObject({
        answered_by: 'cloud',
        attempts: 1,
        decision: { selectedModel: 'cloud', schemaVersion: 1 },
      });
      expect(answer.json.routing_metadata.decision.candidates).toHaveLength(MODELS.length);
      expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)));
      expect(JSON.parse(answer.headers['x-switchyard-trace']!)).toMatchObject({ model: 'cloud', candidates: 5 });
      expect((await ask()).json).not.toHaveProperty('routing_metadata');
    });
    test('of a stream it comes in a header, and the stream stays as it is', async () => {
      const answer = await ask({ routing: { trace: true }, stream: true });
      expect(JSON.parse(answer.headers['x-switchyard-trace']!)).toMatchObject({ model: 'cloud' });
      expect(answer.body).not.toContain('routing_metadata');
      expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
    });
    test('a knob of a wrong type is refused by name', async () => {
      const answer = await ask({ routing: { max_cost_usd: 'little' } });
      expect([answer.status, answer.json.error.param]).toEqual([400, 'routing.max_cost_usd']);
    });
  });
});
