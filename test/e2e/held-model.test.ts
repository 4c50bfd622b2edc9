/** A conversation keeps the model that it began with, unless something forbids it. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const NAMES = ['numbers', 'words'] as const;
const config = (port: (name: string) => string, more = ''): string => `
vllm_endpoints:
${NAMES.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: ${port(name)}, models: [${name}] }`).join('\n')}
model_config:
  numbers: { capabilities: [json] }
  words: { capabilities: [json, tools] }
default_model: words
classifier: { category_model: { threshold: 0.3 } }
categories:
  - { name: math, model_scores: [{ model: numbers, score: 0.9 }, { model: words, score: 0.2 }] }
  - { name: law, model_scores: [{ model: words, score: 0.9 }, { model: numbers, score: 0.2 }] }
tenants: { from_header: x-tenant, list: [{ name: letters, policy: { deny_models: [numbers] } }] }
timeouts: { decision: 5s }
health: { consecutive_errors: 1, ejection: 5s }
${more}`;
const fromEnv = (name: string): string => `'\${PORT_${name.toUpperCase()}}'`;

const TOOLS = [{ type: 'function', function: { name: 'lookup', parameters: { type: 'object', properties: {} } } }];

describeWithEnvoy('the model of a conversation', () => {
  let stack: Stack;
  let conversation = 0;
  beforeAll(async () => {
    stack = await startStack({ config: config(fromEnv), sims: NAMES.map((name) => ({ name, models: [name] })) });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => void (conversation += 1));

  const math = () => `Conversation ${conversation}. ${CATEGORY_PROMPTS['math']!}`;
  const law = CATEGORY_PROMPTS['law']!;
  type Asked = { extra?: object; headers?: Record<string, string> };
  const ask = async (messages: readonly object[], { extra = {}, headers = {} }: Asked = {}): Promise<string> => {
    const answer = await stack.send({ body: { model: 'auto', messages, ...extra }, headers });
    expect(answer.status).toBe(200);
    return answer.headers['x-vsr-selected-model']!;
  };
  const user = (content: string) => ({ role: 'user', content });
  /** The second turn: a question of law after one of mathematics. */
  const second = () => [user(math()), { role: 'assistant', content: 'It is 3x^2 ln(x) + x^2.' }, user(law)];

  test('stays, whatever the next question is about', async () => {
    await stack.watched(async () => {
      expect(await ask([user(law)])).toBe('words');
      expect(await ask([user(math())])).toBe('numbers');
      expect(await ask(second())).toBe('numbers');
      expect(await ask([...second(), { role: 'assistant', content: 'No.' }, user(law)])).toBe('numbers');
      await until(
        () =>
          stack.routingDecisions().some((line) => line['selected_model'] === 'numbers' && line['category'] === 'law'),
        'the line that says so',
      );
    })();
  });

  test('a conversation that did not begin here is no such', async () => {
    expect(await ask(second())).toBe('words');
  });

  test('with the header, from the first turn on and whatever is sent', async () => {
    const headers = { 'x-session-id': `session-${conversation}` };
    expect(await ask([user(math())], { headers })).toBe('numbers');
    expect(await ask([user(law)], { headers })).toBe('numbers');
    expect(await ask([user(law)], { headers: { 'x-session-id': `other-${conversation}` } })).toBe('words');
  });

  test.each<[string, Asked]>([
    ['a capability that it lacks', { extra: { tools: TOOLS } }],
    ['a policy that denies it', { headers: { 'x-tenant': 'letters' } }],
    ['the caller, who names others', { extra: { routing: { models: ['words'] } } }],
    ["the caller's own objective", { extra: { routing: { objective: 'quality' } } }],
  ])('%s ends it', async (_, asked) => {
    await stack.watched(async () => {
      expect(await ask([user(math())])).toBe('numbers');
      expect(await ask(second())).toBe('numbers');
      expect(await ask(second(), asked)).toBe('words');
    })();
  });

  test('so does an endpoint that is out', async () => {
    await stack.watched(async () => {
      expect(await ask([user(math())])).toBe('numbers');
      stack.sim('numbers').behave({ status: 500 });
      // Answered by the model that stands in; from then on the other one is left alone.
      expect(await ask(second())).toBe('words');
      stack.sim('numbers').forget();
      expect(await ask(second())).toBe('words');
      expect(stack.sim('numbers').requests).toEqual([]);
      stack.sim('numbers').behave({ status: 200 });
      await until(async () => {
        const { endpoints } = (await (await fetch(`${stack.apiUrl}/info/endpoints`)).json()) as {
          endpoints: { state: string }[];
        };
        return endpoints.every(({ state }) => state === 'up');
      }, 'all to be up');
    })();
  });

  test('keep_model: false lets every turn choose anew', async () => {
    await stack.watched(async () => {
      const before = stack.events('config_reloaded').length;
      const port = (name: string): string => String(stack.sim(name).port);
      writeFileSync(stack.router.configFile, config(port, 'affinity: { keep_model: false }\n'));
      await until(() => stack.events('config_reloaded').length > before, 'the new config');
      expect(await ask([user(math())])).toBe('numbers');
      expect(await ask(second())).toBe('words');
    })();
  });
});
