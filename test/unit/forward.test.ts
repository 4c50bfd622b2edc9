import { expect, test } from '@jest/globals';
import { routeRetry } from '../../src/forward.ts';
import type { World } from '../../src/route.ts';
import { PLAN, REGISTRY } from './observability/fixture.ts';

/** The part of a router's world that a later attempt looks at: no endpoint has a key (any more). */
const world = { registry: REGISTRY, apiKey: () => null, pause: () => Promise.resolve() } as unknown as World;

const retry = (keyed: boolean, clientAuthorization: string | null) =>
  routeRetry(
    {
      path: '/v1/chat/completions',
      contentType: 'application/json',
      body: new Uint8Array(),
      carried: {
        targets: PLAN.targets.map((target) => ({ ...target, reasoningTold: true, largerWindow: false })),
        untouched: true,
        note: '',
        callerReasoningWins: true,
        keyed,
        category: 'math',
        requestId: 'req-1',
        startedMs: 1000,
      },
      address: '127.0.0.1:8000',
      attempt: 1,
      clientAuthorization,
    },
    world,
  );

test('a key that an earlier attempt may carry is taken out, though a reload has taken it from the config', async () => {
  expect((await retry(true, null))?.removeHeaders).toEqual(['authorization']);
});

test('the client’s own Authorization takes its place where it was kept', async () => {
  const mutations = await retry(true, 'Bearer of-the-client');
  expect(mutations?.removeHeaders).toEqual([]);
  expect(mutations?.setHeaders).toContainEqual({ name: 'authorization', value: 'Bearer of-the-client' });
});

test('without keys the client’s own Authorization is left alone', async () => {
  const mutations = await retry(false, null);
  expect(mutations?.removeHeaders).toEqual([]);
  expect(mutations?.setHeaders.map(({ name }) => name)).not.toContain('authorization');
});
