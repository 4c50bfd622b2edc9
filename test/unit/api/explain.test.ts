import { describe, expect, test } from '@jest/globals';
import { explainAnswer } from '../../../src/api/responses.ts';
import { explain, explanation } from '../../../src/explain.ts';
import { createFakeEncoder } from '../../fakes/fake-encoder.ts';
import { createFixture, registryOf } from './fixture.ts';

const EXPLAIN = '/api/v1/explain';
const registry = registryOf(`
vllm_endpoints: [{ name: one, address: 127.0.0.1, port: 8000, models: [general, math-model] }]
default_model: general
tenants: { from_header: x-tenant, list: [{ name: acme, policy: { deny_models: [math-model] } }] }
categories: [{ name: math, model_scores: [{ model: math-model, score: 1 }] }]
`);
const request = (model: string) => ({
  model,
  messages: [{ role: 'user', content: 'math: what is 2 + 2? My SSN is 536-22-1234' }],
});
const ask = (body: Uint8Array, headers: ReadonlyMap<string, string> = new Map()) =>
  explain({ body, path: '/v1/chat/completions', headers }, registry, createFakeEncoder()).then((routed) =>
    explanation(routed),
  );

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

  test('headers beside the request are read like a client’s, and are no part of the body', async () => {
    const answer = await post(EXPLAIN, {
      ...request('auto'),
      headers: { 'X-Tenant': 'acme', 'x-routing-objective': 'cost', 'x-vsr-selected-model': 'evil' },
    });
    const explained = (await answer.json()) as { decision: { stripFields: string[] } };
    expect(explained).toMatchObject({
      decision: { tenant: 'acme', selectedModel: 'general', objective: { kind: 'cost', source: 'header' } },
    });
    expect(JSON.stringify(explained)).not.toContain('evil');
    expect(explained.decision.stripFields).not.toContain('headers');
  });

  test.each([
    [{ 'x-tenant': 7 }, 'headers.x-tenant'],
    [[], 'headers'],
    [{ 'not a name': 'x' }, 'headers.not a name'],
    [Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, ''])), 'headers: has more than 100'],
  ])('headers that are none are a 400', async (headers, message) => {
    const answer = await post(EXPLAIN, { ...request('auto'), headers });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(message);
  });

  test('headers are counted before the single ones are looked at', async () => {
    const headers = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`not a name ${index}`, 7]));
    const answer = await post(EXPLAIN, { ...request('auto'), headers });
    expect(await answer.json()).toMatchObject({ error: { message: 'headers: has more than 100 names' } });
  });

  test('a body nested more deeply than can be printed is a 400', async () => {
    const answer = await api.request(EXPLAIN, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"model":"auto","messages":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    });
    expect(answer.status).toBe(400);
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
