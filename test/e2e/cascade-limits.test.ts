/** What a cascade leaves alone, what it may cost, and what happens to it when the router is busy, away or reconfigured. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { GivenAnswer } from '../../src/sim/behaviour.ts';
import { cascadeStack, CONFIG, GOOD, REFUSAL, says } from './harness-cascade.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { steadyLoad, tally } from './harness-load.ts';
import { sleep, until } from './harness-wait.ts';

describeWithEnvoy('cascade, its limits', () => {
  const { stack, ask, received, give, metric } = cascadeStack();

  test('streams are never held back', async () => {
    await stack().watched(async () => {
      give('cheap', REFUSAL);
      const arrived: number[] = [];
      const got = await stack().send({
        body: { model: 'auto', stream: true, messages: [{ role: 'user', content: 'Tell me a story' }] },
        headers: { 'x-sim-chunk-delay-ms': '80', 'x-sim-chunks': '8' },
        onChunk: (_, atMs) => void arrived.push(atMs),
      });
      expect(got.body.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(arrived.length).toBeGreaterThan(4);
      expect((arrived.at(-1) ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(300);
      expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap' });
      expect(Object.keys(got.headers)).not.toContain('x-switchyard-cascade');
      expect(received()).toEqual(['cheap']);
    })();
  });

  test('only the checks that are asked for count, and a route without a cascade opens no stream to the router', async () => {
    await stack().watched(async () => {
      give('cheap', says(''));
      const passed = await ask({}, { 'x-route': 'refusals' });
      expect([passed.headers['x-switchyard-cascade'], received()]).toEqual(['passed', ['cheap']]);
      const streams = async () => (await stack().envoy.stats('pool.ext_proc.streams_started'))['cluster.pool.ext_proc.streams_started']; // prettier-ignore
      const before = await streams();
      give('cheap', REFUSAL);
      const plain = await ask({}, { 'x-route': 'plain' });
      const named = await stack().chat('cheap');
      expect([plain.body, named.body]).toEqual([REFUSAL.body, REFUSAL.body]);
      expect(Object.keys(plain.headers)).not.toContain('x-switchyard-cascade');
      expect(await streams()).toBe(before);
    })();
  });

  const UNCHECKED: readonly [what: string, given: GivenAnswer][] = [
    ['too large', says(`I'm sorry, I can't help with that.${' '.repeat(70_000)}`)],
    ['of unknown length', { ...REFUSAL, chunked: true }],
    ['no JSON', { ...REFUSAL, contentType: 'text/plain' }],
    ['no completion', { body: '{"ok": true}' }],
    ['broken JSON', { body: '{"choices": [' }],
  ];
  test.each(UNCHECKED)('an answer that is %s passes unchecked, byte for byte', async (_, given) => {
    give('cheap', given);
    const got = await ask();
    expect([got.status, got.body, got.failure]).toEqual([200, given.body, null]);
    expect(got.headers).toMatchObject({ 'x-vsr-selected-model': 'cheap', 'x-switchyard-cascade': 'unchecked' });
    expect(received()).toEqual(['cheap']);
  });

  test('an error of the cheap model that is an answer stays the answer', async () => {
    stack().sim('cheap').behave({ status: 404 });
    const got = await ask();
    expect([got.status, received()]).toEqual([404, ['cheap']]);
  });

  test('beyond the share the cheap answer is kept, and metrics and log say so', async () => {
    await stack().watched(async () => {
      const states: string[] = [];
      for (let i = 0; i < 60; i += 1) {
        const isBad = i % 2 === 0;
        give('cheap', isBad ? REFUSAL : { body: GOOD });
        const got = await ask({}, { 'x-route': 'capped' });
        expect(got.status).toBe(200);
        states.push(got.headers['x-switchyard-cascade'] ?? '');
        if (states.at(-1) === 'kept:refusal') expect(got.body).toBe(REFUSAL.body);
      }
      const count = (state: string): number => states.filter((one) => one === state).length;
      expect(count('passed')).toBe(30);
      expect(count('escalated:refusal') + count('kept:refusal')).toBe(30);
      expect(count('escalated:refusal')).toBeLessThanOrEqual(60 * 0.2);
      expect(count('escalated:refusal')).toBeGreaterThanOrEqual(10);
      expect(await metric('switchyard_cascade_capped{route="capped"}')).toBe(1);
      expect(await metric('switchyard_cascade_escalated_share{route="capped"}')).toBeCloseTo(
        count('escalated:refusal') / 60,
      );
      expect(await metric('switchyard_cascade_answers_total{route="capped",result="kept"}')).toBe(
        count('kept:refusal'),
      );
      expect(stack().events('cascade_capped')).toMatchObject([{ route: 'capped', max_share: 0.2 }]);
      expect(await metric('switchyard_cascade_capped{route="auto"}')).toBe(0);
    })();
  });

  test('several at once: each client gets its own answer', async () => {
    await stack().watched(async () => {
      give('cheap', REFUSAL);
      for (let round = 0; round < 5; round += 1) {
        const numbers = Array.from({ length: 8 }, (_, index) => round * 8 + index);
        const got = await Promise.all(
          numbers.map((number) => ask({ messages: [{ role: 'user', content: `number ${number}.` }] })),
        );
        expect(got.map(({ status, body }) => [status, /number \d+\./.exec(body)?.[0]])).toEqual(
          numbers.map((number) => [200, `number ${number}.`]),
        );
      }
    })();
  });

  test('an answer that nobody checks in time passes, with the router away', async () => {
    await stack().watched(async () => {
      give('cheap', REFUSAL);
      stack().sim('cheap').behave({ delayMs: 600 });
      const asked = ask();
      await until(() => stack().sim('cheap').requests.length > 0, 'the request to be under way');
      stack().pauseRouter();
      const got = await asked;
      stack().resumeRouter();
      stack().sim('cheap').behave({ delayMs: 0 });
      expect([got.status, got.body]).toEqual([200, REFUSAL.body]);
    })();
  }, 30_000);
});

const ON = 'cascade: { enabled: true';

describeWithEnvoy('a cascade that is switched on', () => {
  const off = CONFIG.replace(ON, 'cascade: { enabled: false').replace(/^rules:[^]*/m, '');
  const { stack, give, metric } = cascadeStack(off);

  test('by a reload: no request fails, and from then on answers are checked', async () => {
    await stack().watched(async () => {
      give('cheap', REFUSAL);
      let isOver = false;
      const load = steadyLoad(() => stack().chat('auto'), 15, { stop: () => isOver });
      await sleep(300);
      const file = stack().router.configFile;
      writeFileSync(file, readFileSync(file, 'utf8').replace('cascade: { enabled: false', ON));
      await until(async () => (await metric('switchyard_cascade_answers_total{route="auto",result="escalated"}')) > 3, 'escalations'); // prettier-ignore
      isOver = true;
      const { results } = await load;
      expect(tally(results.map(({ status }) => status))).toEqual({ '200': results.length });
      const states = results.map(({ headers }) => headers['x-switchyard-cascade'] ?? 'none');
      expect(states[0]).toBe('none');
      expect(states).toContain('escalated:refusal');
    })();
  }, 30_000);
});
