/** What becomes of guards while the router that does their work is dead, hung or too late: `failure_mode` decides. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

const NAMES = ['open', 'strict'] as const;
const config = (mode: string, jailbreak: string, decision: string): string => `
vllm_endpoints:
  - { name: e1, address: 127.0.0.1, port: '\${PORT_OPEN}', models: [open] }
  - { name: e2, address: 127.0.0.1, port: '\${PORT_STRICT}', models: [strict] }
model_config:
  strict: { pii_policy: { allow_by_default: false } }
default_model: strict
failure_mode: ${mode}
guards: { pii: { action: block }, jailbreak: { action: ${jailbreak} } }
timeouts: { decision: ${decision} }
`;
const sims = NAMES.map((name) => ({ name, models: [name] }));
const content = 'Write to jane.roe@example.com about question number';

function suite(mode: string, jailbreak: string, decision = '5s') {
  let stack: Stack;
  let count = 0;
  beforeAll(async () => {
    stack = await startStack({ config: config(mode, jailbreak, decision), sims });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => NAMES.forEach((name) => stack.sim(name).forget()));
  return {
    stack: () => stack,
    // Another text each time: what was encoded before is never too late.
    ask: (model: string) => stack.chat(model, { messages: [{ role: 'user', content: `${content} ${(count += 1)}` }] }),
    reached: () => NAMES.filter((name) => stack.sim(name).requests.length > 0),
  };
}
const codeOf = ({ status, json }: { status: number; json: { error?: { code: string } } }) =>
  `${status} ${json.error?.code ?? ''}`.trim();

/** Runs with the router killed, then with a hung one. */
async function withoutRouter(stack: Stack, check: () => Promise<void>): Promise<void> {
  stack.pauseRouter();
  await check();
  stack.resumeRouter();
  await stack.killRouter();
  await check();
  await stack.restartRouter();
}

describeWithEnvoy('closed', () => {
  describe('personal data', () => {
    const { stack, ask, reached } = suite('closed', 'off');

    test('a model that may not see them is not reached without the router; one that may is', async () => {
      await stack().watched(async () => {
        // The default model may not have it, the other one may.
        expect((await ask('auto')).headers['x-vsr-selected-model']).toBe('open');
        expect(codeOf(await ask('strict'))).toBe('403 pii_not_allowed');
        await withoutRouter(stack(), async () => {
          NAMES.forEach((name) => stack().sim(name).forget());
          expect(codeOf(await ask('auto'))).toBe('503 router_unavailable');
          expect(codeOf(await ask('strict'))).toBe('503 router_unavailable');
          expect(reached()).toEqual([]);
          expect((await ask('open')).status).toBe(200);
          expect(reached()).toEqual(['open']);
        });
      })();
    }, 60_000);
  });

  describe('jailbreak', () => {
    const { stack, ask, reached } = suite('closed', 'block', '1ms');

    test('what could not be judged in time is not sent', async () => {
      await stack().watched(async () => {
        for (const model of ['auto', 'open']) expect(codeOf(await ask(model))).toBe('503 guard_unavailable');
        expect(reached()).toEqual([]);
        await until(() => stack().events('security_block').length >= 2, 'the lines about it');
        expect(stack().events('security_block')[0]).toMatchObject({ reason_code: 'guard_unavailable', answered: 'error' }); // prettier-ignore
      })();
    });

    test('no model is reached without the router', async () => {
      await stack().watched(async () => {
        await withoutRouter(stack(), async () => {
          for (const model of ['auto', 'open', 'strict'])
            expect(codeOf(await ask(model))).toBe('503 router_unavailable');
          expect(reached()).toEqual([]);
        });
      })();
    }, 60_000);
  });
});

describeWithEnvoy('open', () => {
  const { stack, ask, reached } = suite('open', 'block', '1ms');

  test('what could not be judged in time goes on, with a note; personal data are searched for all the same', async () => {
    await stack().watched(async () => {
      expect((await ask('auto')).headers['x-vsr-selected-model']).toBe('open');
      expect(reached()).toEqual(['open']);
      expect(codeOf(await ask('strict'))).toBe('403 pii_not_allowed');
    })();
  });

  test('without the router requests go on unguarded', async () => {
    await stack().watched(async () => {
      await withoutRouter(stack(), async () => {
        NAMES.forEach((name) => stack().sim(name).forget());
        expect((await ask('auto')).headers['x-switchyard-decision']).toBe('fallback');
        expect((await ask('open')).status).toBe(200);
        expect(reached()).toEqual(['open', 'strict']);
      });
    })();
  }, 60_000);
});
