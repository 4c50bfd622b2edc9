import { describe, expect, test } from '@jest/globals';
import { explainAnswer } from '../../../src/api/responses.ts';
import { explain, explanation } from '../../../src/explain.ts';
import { createFakeEncoder } from '../../fakes/fake-encoder.ts';
import { createFixture, registryOf } from './fixture.ts';

const EXPLAIN = '/api/v1/explain';
const registry = registryOf();
const request = (model: string) => ({
  model,
  messages: [{ role: 'user', content: 'math: what is 2 + 2? My SSN is 536-22-1234' }],
});
const ask = (body: Uint8Array) =>
  explain(body, '/v1/chat/completions', registry, createFakeEncoder()).then((routed) => explanation(routed));

describe('POST /api/v1/explain', () => {
  const { post, api } = createFixture({ explain: ask });

  test('answers what `switchyard explain` prints', async () => {
    const answer = await post(EXPLAIN, request('auto'));
    expect(answer.status).toBe(200);
    const explained = explainAnswer.parse(await answer.json());
    const printed = JSON.parse(JSON.stringify(await ask(Buffer.from(JSON.stringify(request('auto')))))) as object;
    expect({ ...explained, latencyMs: 0 }).toEqual({ ...printed, latencyMs: 0 });
    expect(explained).toMatchObject({
      decision: { decision: 'auto' },
      plan: { targets: [{ endpoint: 'one', model: 'math-model' }, { endpoint: 'one' }] },
      signals: { pii: [{ kind: 'US_SSN' }] },
    });
    expect(JSON.stringify(explained)).not.toContain('536-22');
  });

  test('a request that would be refused is answered: 200, and why', async () => {
    const answer = await post(EXPLAIN, request('gpt-17'));
    expect(answer.status).toBe(200);
    expect(explainAnswer.parse(await answer.json())).toMatchObject({
      refused: { status: 404, code: 'model_not_found' },
    });
  });

  test('so is one that is no chat request', async () => {
    const answer = await post(EXPLAIN, { model: 'auto' });
    expect(answer.status).toBe(200);
    expect(explainAnswer.parse(await answer.json())).toMatchObject({ refused: { status: 400 } });
  });

  test.each(['[]', '"a"', 'null', '{'])('%s is a 400', async (body) => {
    const answer = await api.request(EXPLAIN, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(400);
  });

  test('it names the system prompt, so that it is closed to others', async () => {
    const answer = await createFixture({ explain: ask, access: { adminToken: 'token', host: '127.0.0.1' } }).post(
      EXPLAIN,
      request('auto'),
    );
    expect(answer.status).toBe(401);
  });
});
