import { describe, expect, test } from '@jest/globals';
import { createFixture, GRADABLE } from '../api/fixture.ts';

const PATH = '/api/v1/outcomes';

async function cells(api: ReturnType<typeof createFixture>['api']) {
  return (await (await api.request('/info/outcomes')).json()) as {
    used: boolean;
    graded: number;
    version: string;
    cells: { model: string; count: number; quality: number }[];
  };
}

describe('POST /api/v1/outcomes', () => {
  test('grades a request, and /info/outcomes shows what it does', async () => {
    const { api, post } = createFixture();
    const before = await cells(api);
    const response = await post(PATH, { request_id: GRADABLE.requestId, score: 0 });
    expect(await response.json()).toEqual({
      model: 'math-model',
      category: 'math',
      score: 0,
      count: 1,
      replaced: false,
    });
    const after = await cells(api);
    expect(after).toMatchObject({ used: false, graded: 1 });
    expect(after.version).not.toBe(before.version);
    // (20 × 0.9 + 0) / 21
    expect(after.cells).toMatchObject([{ model: 'math-model', count: 1, prior: 0.9, quality: 0.8571 }]);
  });

  test('an id that nobody knows is 404, and is not repeated', async () => {
    const response = await createFixture().post(PATH, { request_id: 'secret-id', score: 1 });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('secret-id');
  });

  test.each([
    { request_id: GRADABLE.requestId },
    { request_id: GRADABLE.requestId, score: 1.1 },
    { request_id: GRADABLE.requestId, score: -0.1 },
    { request_id: GRADABLE.requestId, score: '1' },
    { request_id: '', score: 1 },
    { request_id: 'x'.repeat(129), score: 1 },
    { score: 1 },
  ])('%j is 400', async (body) => {
    const { api, post } = createFixture();
    expect((await post(PATH, body)).status).toBe(400);
    expect((await cells(api)).graded).toBe(0);
  });

  test('needs the admin token where one is set', async () => {
    const { api, post } = createFixture({ access: { adminToken: 'token', host: '0.0.0.0' } });
    const body = { request_id: GRADABLE.requestId, score: 0 };
    expect((await post(PATH, body)).status).toBe(401);
    expect((await cells(api)).graded).toBe(0);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer token' };
    expect((await post(PATH, body, { headers })).status).toBe(200);
  });
});
