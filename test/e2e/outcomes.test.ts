/** Grades of real answers: they reach the table, and with `outcomes.use` the choice. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const configWith = (use: boolean) => `
vllm_endpoints:
  - { name: praised, address: 127.0.0.1, port: '\${PORT_PRAISED}', models: [praised] }
  - { name: proven, address: 127.0.0.1, port: '\${PORT_PROVEN}', models: [proven] }
default_model: proven
classifier: { category_model: { threshold: 0.3 } }
timeouts: { decision: 5s }
outcomes: { use: ${use}, prior_strength: 2 }
categories:
  - { name: math, model_scores: [{ model: praised, score: 0.9 }, { model: proven, score: 0.6 }] }
  - { name: law, model_scores: [{ model: praised, score: 0.9 }, { model: proven, score: 0.6 }] }
`;
const SIMS = ['praised', 'proven'].map((name) => ({ name, models: [name], keep: 20 }));

/** The prompt through Envoy; which model answered. */
async function ask(stack: Stack, category: string, requestId: string): Promise<string | undefined> {
  const answer = await stack.send({
    body: { model: 'auto', messages: [{ role: 'user', content: CATEGORY_PROMPTS[category] }] },
    headers: { 'x-request-id': requestId },
  });
  expect([answer.status, answer.headers['x-vsr-selected-category']]).toEqual([200, category]);
  return answer.headers['x-vsr-selected-model'];
}

async function post(stack: Stack, grade: object): Promise<{ readonly status: number; readonly json: unknown }> {
  const answer = await fetch(`${stack.apiUrl}/api/v1/outcomes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(grade),
  });
  return { status: answer.status, json: await answer.json() };
}

/** Grades an answer as soon as the router has seen its end, which it reads from a copy. */
async function grade(stack: Stack, requestId: string, score: number): Promise<unknown> {
  let last: Awaited<ReturnType<typeof post>> = { status: 0, json: null };
  await until(async () => {
    last = await post(stack, { request_id: requestId, score });
    return last.status === 200;
  }, 'the answer to be gradable');
  return last.json;
}

async function cellsOf(stack: Stack): Promise<readonly Record<string, unknown>[]> {
  const info = (await (await fetch(`${stack.apiUrl}/info/outcomes`)).json()) as { cells: Record<string, unknown>[] };
  return info.cells;
}

describeWithEnvoy('grades that are used', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config: configWith(true), sims: SIMS });
  }, 60_000);
  afterAll(() => stack.stop());

  test('change the table, and who answers in that category alone', async () => {
    await stack.watched(async () => {
      expect(await cellsOf(stack)).toEqual([]);
      for (const [index, requestId] of ['first', 'second'].entries()) {
        expect(await ask(stack, 'math', requestId)).toBe('praised');
        expect(await grade(stack, requestId, 0)).toEqual({
          model: 'praised',
          category: 'math',
          score: 0,
          count: index + 1,
          replaced: false,
        });
      }
      // (2 · 0.9 + 0) / (2 + 2)
      expect(await cellsOf(stack)).toMatchObject([
        { model: 'praised', category: 'math', count: 2, mean: 0, prior: 0.9, quality: 0.45 },
      ]);
      expect(await ask(stack, 'math', 'third')).toBe('proven');
      expect(await ask(stack, 'law', 'fourth')).toBe('praised');
      const lines = () => stack.routingDecisions().filter((line) => line['request_id'] === 'third');
      await until(() => lines().length > 0, 'the decision line');
      expect(lines()).toMatchObject([{ selected_model: 'proven', category: 'math' }]);

      // A second thought about the same answers puts things back.
      for (const requestId of ['first', 'second']) {
        expect(await grade(stack, requestId, 1)).toMatchObject({ count: 2, replaced: true });
      }
      expect(await ask(stack, 'math', 'fifth')).toBe('praised');
    })();
  });

  test('belong to answers of routed requests alone', async () => {
    expect((await post(stack, { request_id: 'never-sent', score: 1 })).status).toBe(404);
    await stack.chat('proven', {}, { 'x-request-id': 'by-name' });
    await ask(stack, 'law', 'after-it');
    await grade(stack, 'after-it', 1);
    expect((await post(stack, { request_id: 'by-name', score: 1 })).status).toBe(404);
  });
});

describeWithEnvoy('grades that are only collected', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config: configWith(false), sims: SIMS });
  }, 60_000);
  afterAll(() => stack.stop());

  test('change the table, and not the choice', async () => {
    await stack.watched(async () => {
      for (const requestId of ['first', 'second', 'third']) {
        expect(await ask(stack, 'math', requestId)).toBe('praised');
        await grade(stack, requestId, 0);
      }
      expect(await cellsOf(stack)).toMatchObject([{ model: 'praised', category: 'math', count: 3, mean: 0 }]);
      expect(await ask(stack, 'math', 'fourth')).toBe('praised');
    })();
  });
});
