import { describe, expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { DecisionOutcome, Plan } from '../../../src/decision/decision.ts';
import type { EndpointState } from '../../../src/decision/served.ts';
import { fingerprintOf } from '../../../src/execution/affinity.ts';
import { dispatch } from '../../../src/execution/dispatch.ts';
import { createWaiting } from '../../../src/execution/queue.ts';
import { createTraffic, type EndpointChange } from '../../../src/execution/traffic.ts';
import type { ChatMessage } from '../../../src/openai/request.ts';
import { requestOf } from '../decision/fixture.ts';
import { namesOf, planOf, targetOf } from './targets.ts';

const ADDRESSES = new Map([
  ['e-1', ['1']],
  ['e-2', ['2']],
  ['e-3', ['3']],
]);

function open(config: object = {}) {
  const registry = buildRegistry(
    configSchema.parse({
      vllm_endpoints: [...ADDRESSES.keys()].map((name, index) => ({
        name,
        address: `10.0.0.${index}`,
        port: 1,
        models: ['m'],
      })),
      ...config,
    }),
  );
  let nowMs = 0;
  const changes: EndpointChange[] = [];
  const traffic = createTraffic({
    clock: () => nowMs,
    random: () => 0.5,
    registry: () => registry,
    onChange: (change) => changes.push(change),
  });
  traffic.state(ADDRESSES);
  return { traffic, changes, pass: (ms: number) => void (nowMs += ms), clock: () => nowMs };
}

const message = (role: string, text: string): ChatMessage => ({ ...requestOf({ text }).messages[0]!, role });
const talk = (...turns: string[]) => ({
  request: requestOf({ messages: turns.map((text, index) => message(index % 2 === 0 ? 'user' : 'assistant', text)) }),
  headers: new Map<string, string>(),
});
const failed = (address: string) => ({
  attempt: 1,
  target: targetOf(`m@${address}`),
  cause: '5xx' as const,
  status: 500,
  latencyMs: 1,
  retryAfterS: null,
});

describe('traffic', () => {
  test('an endpoint that failed three times is left out, told of once, and due after its time', () => {
    const { traffic, changes, pass } = open();
    traffic.attempted([failed('1'), failed('1'), failed('1')]);
    expect([...traffic.state(ADDRESSES).unhealthy!]).toEqual(['e-1']);
    expect(changes).toMatchObject([{ endpoint: 'e-1', address: '1', state: 'out', reason: '5xx', forMs: 1000 }]);
    pass(1000);
    expect(traffic.due(ADDRESSES)).toEqual(['1']);
    // Still away: a probe is to try it first.
    expect([...traffic.state(ADDRESSES).unhealthy!]).toEqual(['e-1']);
    traffic.tell('1', { kind: 'probed', isWell: true });
    expect(traffic.state(ADDRESSES).unhealthy!.size).toBe(0);
    expect(changes.at(-1)).toMatchObject({ state: 'up' });
  });

  test('one that waits to be tried again still has its reason, until it is back', () => {
    const { traffic, pass } = open();
    traffic.attempted([failed('1'), failed('1'), failed('1')]);
    const standing = () => traffic.view(ADDRESSES, () => true).find(({ address }) => address === '1');
    expect(standing()).toMatchObject({ state: 'out', reason: '5xx' });
    pass(1000);
    expect(standing()).toMatchObject({ state: 'due', reason: '5xx' });
    traffic.tell('1', { kind: 'probed', isWell: true });
    expect(standing()).toMatchObject({ state: 'up', reason: null });
  });

  test('what is under way at an address that is gone is still counted, under its name', () => {
    const { traffic } = open();
    const ticket = traffic.begin(planOf('m@1'), talk('hi'));
    const rest = new Map([...ADDRESSES].filter(([name]) => name !== 'e-1'));
    expect(traffic.leaving(ADDRESSES)).toEqual([]);
    expect(traffic.leaving(rest)).toEqual([{ name: 'e-1', address: '1', in_flight: 1 }]);
    ticket.end();
    expect(traffic.leaving(rest)).toEqual([]);
  });

  test('nothing is remembered of an address that is nobody’s', () => {
    const { traffic, changes } = open();
    traffic.attempted([failed('stranger'), failed('stranger'), failed('stranger')]);
    expect(changes).toEqual([]);
    expect([...traffic.state(new Map([['e-1', ['stranger']]])).unhealthy!]).toEqual([]);
  });

  test('addresses that are gone are forgotten in the end, those that are there are not', () => {
    const { traffic } = open();
    const { traffic: bounded } = open();
    const gone = Array.from({ length: 2000 }, (_, index) => `gone-${index}`);
    for (const address of gone) {
      bounded.state(new Map([...ADDRESSES, ['e-1', ['1', address]]]));
      bounded.begin(planOf(`m@${address}`), talk('hi')).end();
      bounded.tell(address, { kind: 'failed', cause: '5xx' });
    }
    bounded.attempted([failed('2'), failed('2'), failed('2')]);
    for (const address of gone) bounded.state(new Map([...ADDRESSES, ['e-1', ['1', `${address}-again`]]]));
    expect(gone.filter((address) => bounded.load.recent(address) > 0).length).toBeLessThanOrEqual(1024);
    expect([...bounded.state(ADDRESSES).unhealthy!]).toEqual(['e-2']);
    // Few of them stay as they are.
    traffic.begin(planOf('m@gone'), talk('hi')).end();
    traffic.state(ADDRESSES);
    expect(traffic.load.recent('gone')).toBeGreaterThan(0);
  });

  test('of several addresses of one endpoint the bad one is left out', () => {
    const { traffic } = open();
    const two = new Map([['e-1', ['1', '9']]]);
    traffic.attempted([failed('1'), failed('1'), failed('1')]);
    const state = traffic.state(two);
    expect([state.addresses.get('e-1'), state.unhealthy!.size]).toEqual([['9'], 0]);
  });

  test('a request counts until it ends, at whoever has it', () => {
    const { traffic } = open();
    const ticket = traffic.begin(planOf('m@1', 'm@2'), talk('hi'));
    expect(traffic.load.inFlight('1')).toBe(1);
    ticket.served(targetOf('m@2'));
    expect([traffic.load.inFlight('1'), traffic.load.inFlight('2')]).toEqual([0, 1]);
    ticket.end();
    ticket.end();
    expect([traffic.load.inFlight('2'), traffic.load.modelInFlight('m')]).toEqual([0, 0]);
  });

  test('limits of endpoints and models', () => {
    const { traffic } = open({ overload: { max_in_flight_per_endpoint: 1, max_in_flight_per_model: 2 } });
    traffic.begin(planOf('m@1'), talk('a'));
    expect(traffic.state(ADDRESSES)).toMatchObject({
      unhealthy: new Set(['e-1']),
      fullModels: new Set(),
      hasFull: true,
    });
    traffic.begin(planOf('m@2'), talk('b'));
    expect(traffic.state(ADDRESSES).fullModels).toEqual(new Set(['m']));
  });

  test('a conversation keeps its replica and its model; another one does not', () => {
    const { traffic } = open();
    const plan = planOf('m@1', 'm@2', 'm@3');
    const first = talk('hello');
    const home = traffic.arrange(plan, first);
    traffic.begin(home, first).end();
    const later = talk('hello', 'hi', 'and now?');
    for (let n = 0; n < 5; n += 1) {
      expect(traffic.arrange(plan, later).targets[0]).toEqual(home.targets[0]);
    }
    expect(traffic.heldModel(later)).toBe('m');
    expect(traffic.heldModel(first)).toBeNull();
    expect(traffic.heldModel(talk('another', 'hi', 'and now?'))).toBeNull();
  });

  test('affinity can be switched off, for the model alone too', () => {
    for (const affinity of [{ enabled: false }, { keep_model: false }]) {
      const { traffic } = open({ affinity });
      traffic.begin(planOf('m@1'), talk('hello'));
      expect(traffic.heldModel(talk('hello', 'hi', 'more'))).toBeNull();
    }
  });

  test('a header names the conversation, and is forgotten after its time', () => {
    const { traffic, pass } = open({ affinity: { ttl: '1m' } });
    const headers = new Map([['x-session-id', 's1']]);
    traffic.begin(planOf('m@1'), { ...talk('x'), headers });
    expect(traffic.heldModel({ ...talk('y'), headers })).toBe('m');
    pass(60_000);
    expect(traffic.heldModel({ ...talk('y'), headers })).toBeNull();
  });

  test('a crowded replica lets a conversation go', () => {
    const { traffic } = open();
    const plan = planOf('m@1', 'm@2', 'm@3');
    const view = talk('hello');
    const home = traffic.arrange(plan, view);
    for (let n = 0; n < 30; n += 1) traffic.begin(home, view);
    expect(traffic.arrange(plan, view).targets[0].address).not.toBe(home.targets[0].address);
  });

  test('endpoints in an order of the caller stay in it', () => {
    const { traffic } = open();
    const plan = planOf('m@3', 'm@2', 'm@1');
    const request = requestOf({
      routingFields: { routing: undefined, models: undefined, provider: { order: ['e-3'] } },
    });
    expect(traffic.arrange(plan, { request, headers: new Map() })).toBe(plan);
  });

  test('what /info/endpoints shows', () => {
    const { traffic } = open();
    traffic.attempted([failed('1'), failed('1'), failed('1')]);
    traffic.begin(planOf('m@2'), talk('hi'));
    expect(traffic.view(ADDRESSES, (address) => address !== '3')).toMatchObject([
      { name: 'e-1', address: '1', models: ['m'], state: 'out', reason: '5xx', out_for_ms: 1000, failures_in_a_row: 3 },
      { name: 'e-2', state: 'up', in_flight: 1 },
      { name: 'e-3', state: 'pending' },
    ]);
  });
});

describe('dispatch', () => {
  const unavailable = { status: 503, type: 'server_error', code: 'x', message: 'x', param: null } as const;
  const refused: DecisionOutcome = {
    kind: 'refused',
    error: unavailable,
    reasonCode: 'x',
    candidates: [],
    block: null,
  };
  const decided = (plan: Plan) => ({ kind: 'decided', plan, decision: {} }) as unknown as DecisionOutcome;
  /** Every endpoint that is not out, in order; refused when there is none. */
  const decide = (endpoints: EndpointState): DecisionOutcome => {
    const left = [...endpoints.addresses].filter(([name]) => endpoints.unhealthy?.has(name) !== true);
    return left.length === 0 ? refused : decided(planOf(...left.map(([, [address]]) => `m@${address}`)));
  };
  const input = { view: talk('hi'), decide, maxAttempts: 3, queueMs: 50, priority: () => 0, signal: new AbortController().signal }; // prettier-ignore
  const dispatcherOf = ({ traffic }: ReturnType<typeof open>) => ({
    traffic,
    state: () => traffic.state(ADDRESSES),
    waiting: createWaiting({ clock: () => performance.now(), maxLength: () => 5 }),
    clock: () => performance.now(),
  });
  const planned = (outcome: DecisionOutcome) => (outcome.kind === 'decided' ? namesOf(outcome.plan.targets) : null);

  test('an endpoint that is out comes last, in a place that would be empty', async () => {
    const world = open({ affinity: { enabled: false } });
    world.traffic.attempted([failed('2'), failed('2'), failed('2')]);
    const { outcome, ticket } = await dispatch(input, dispatcherOf(world));
    expect(planned(outcome)).toHaveLength(3);
    expect(planned(outcome)!.at(-1)).toBe('m@2');
    expect(ticket).not.toBeNull();
  });

  test('with all of them out they are tried all the same', async () => {
    const world = open();
    for (const address of ['1', '2', '3']) world.traffic.attempted([failed(address), failed(address), failed(address)]);
    expect(planned((await dispatch(input, dispatcherOf(world))).outcome)).toHaveLength(3);
  });

  test('full: waits for one that ends, else 429; a policy’s refusal is not waited on', async () => {
    const world = open({ overload: { max_in_flight_per_endpoint: 1 }, affinity: { enabled: false } });
    const dispatcher = dispatcherOf(world);
    const tickets = [];
    for (let n = 0; n < 3; n += 1) tickets.push((await dispatch(input, dispatcher)).ticket);
    const late = await dispatch(input, dispatcher);
    expect(late).toMatchObject({
      outcome: { kind: 'refused', error: { status: 429, code: 'router_overloaded' } },
      ticket: null,
    });
    const waits = dispatch({ ...input, queueMs: 5000 }, dispatcher);
    tickets[1]!.end();
    dispatcher.waiting.release();
    expect((await waits).outcome.kind).toBe('decided');
    const forbidden = { ...refused, error: { ...unavailable, status: 403 } };
    expect((await dispatch({ ...input, decide: () => forbidden }, dispatcher)).outcome).toBe(forbidden);
  });

  test('room at one model’s endpoint is not lost on a request that waits for another model', async () => {
    const world = open({ overload: { max_in_flight_per_endpoint: 1 }, affinity: { enabled: false } });
    const dispatcher = dispatcherOf(world);
    const only = (endpoint: string) => ({
      ...input,
      queueMs: 5000,
      decide: (endpoints: EndpointState): DecisionOutcome =>
        endpoints.unhealthy?.has(endpoint) === true ? refused : decided(planOf(`m@${endpoint.slice(2)}`)),
    });
    const { ticket: one } = await dispatch(only('e-1'), dispatcher);
    const { ticket: two } = await dispatch(only('e-2'), dispatcher);
    const waitsForOne = dispatch(only('e-1'), dispatcher);
    const waitsForTwo = dispatch(only('e-2'), dispatcher);
    two!.end();
    dispatcher.waiting.release();
    expect((await waitsForTwo).outcome.kind).toBe('decided');
    one!.end();
    dispatcher.waiting.release();
    expect((await waitsForOne).outcome.kind).toBe('decided');
  });
});

test('a body of nothing but openings is no long read', () => {
  const text = 'x'.repeat(4000);
  const many = Array.from({ length: 8000 }, (_, n) => message('user', `${text}${n}`));
  const fingerprint = fingerprintOf(requestOf({ messages: many }));
  expect(fingerprint).toBe(fingerprintOf(requestOf({ messages: many.slice(0, 64) })));
  expect(fingerprint).not.toBe(fingerprintOf(requestOf({ messages: many.slice(1) })));
});
