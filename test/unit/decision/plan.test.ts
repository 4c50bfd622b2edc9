import { describe, expect, test } from '@jest/globals';
import { planTargets, type PlannedModel, reasoningEdit } from '../../../src/decision/plan.ts';
import { fixedRandom, registryOf } from './fixture.ts';

const registry = registryOf({
  vllm_endpoints: [
    { name: 'a', address: 'a.test', port: 1, models: ['m'], weight: 1 },
    { name: 'b', address: 'b.test', port: 2, models: ['m', 'n'], weight: 3 },
    { name: 'c', address: 'c.test', port: 3, models: ['m'], weight: 1 },
  ],
  model_config: {
    m: { reasoning_family: 'deepseek' },
    n: { reasoning_family: 'custom', served_model_name: 'n-served' },
    o: {},
  },
  reasoning_families: { custom: { type: 'top_level_reasoning_effort', parameter: 'reasoning_effort' } },
});

function planned(name: string): PlannedModel {
  const model = registry.models.get(name)!;
  return { model, endpoints: model.endpoints, reasoning: reasoningEdit(model, true, 'high') };
}

const ADDRESSES = new Map([
  ['a', ['10.0.0.1:1']],
  ['b', ['10.0.0.2:2']],
  ['c', ['10.0.0.3:3']],
]);

function order(random: () => number, models = ['m'], addresses: ReadonlyMap<string, readonly string[]> = ADDRESSES) {
  const plan = planTargets({ models: models.map(planned), addresses, random, untouched: false });
  return plan?.targets.map((target) => `${target.model}@${target.address}`) ?? null;
}

describe('planTargets', () => {
  test.each([
    [
      [0, 0],
      ['a', 'b', 'c'],
    ], // a: 0..1 of 5, b: 1..4, c: 4..5
    [
      [0.19, 0.9],
      ['a', 'c', 'b'],
    ],
    [
      [0.2, 0],
      ['b', 'a', 'c'],
    ],
    [
      [0.79, 0.9],
      ['b', 'c', 'a'],
    ],
    [
      [0.8, 0],
      ['c', 'a', 'b'],
    ],
    [
      [0.999999, 0.999999],
      ['c', 'b', 'a'],
    ],
  ])('draws the endpoints by weight without replacement: %j', (values, names) => {
    const expected = names.map((name) => `m@${ADDRESSES.get(name)![0]!}`);
    expect(order(fixedRandom(...values))).toEqual(expected);
  });

  test('the first endpoint is drawn in proportion to its weight', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 1000; index += 1) {
      const first = order(fixedRandom(index / 1000, 0))![0]!;
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ 'm@10.0.0.1:1': 200, 'm@10.0.0.2:2': 600, 'm@10.0.0.3:3': 200 });
  });

  test('models stand in for each other in the given order, each with its own name and reasoning fields', () => {
    const plan = planTargets({
      models: [planned('n'), planned('m')],
      addresses: ADDRESSES,
      random: fixedRandom(0),
      untouched: false,
    });
    expect(plan?.targets.map(({ model, servedModel, reasoning }) => [model, servedModel, reasoning.kind])).toEqual([
      ['n', 'n-served', 'reasoning_effort'],
      ['m', 'm', 'chat_template_kwargs'],
      ['m', 'm', 'chat_template_kwargs'],
      ['m', 'm', 'chat_template_kwargs'],
    ]);
  });

  test('further addresses of an endpoint follow behind all endpoints of the model', () => {
    const addresses = new Map([...ADDRESSES, ['a', ['10.1.0.1:1', '10.1.0.2:1', '[fd00::1]:1']]]);
    expect(order(fixedRandom(0, 0, 0.34), ['m'], addresses)).toEqual([
      'm@10.1.0.2:1',
      'm@10.0.0.2:2',
      'm@10.0.0.3:3',
      'm@[fd00::1]:1',
      'm@10.1.0.1:1',
    ]);
  });

  test('endpoints without an address are left out; without any there is no plan', () => {
    expect(order(fixedRandom(0), ['m'], new Map([['c', ['10.0.0.3:3']]]))).toEqual(['m@10.0.0.3:3']);
    expect(order(fixedRandom(0), ['m'], new Map([['c', []]]))).toBeNull();
    expect(order(fixedRandom(0), [])).toBeNull();
  });

  test('the list is bounded', () => {
    const many = Array.from({ length: 90 }, (_, index) => `10.2.0.${index}:1`);
    expect(order(fixedRandom(0), ['m'], new Map([['a', many]]))).toHaveLength(64);
  });
});

test.each([
  ['m', { kind: 'chat_template_kwargs', parameter: 'thinking', enabled: true }],
  ['n', { kind: 'reasoning_effort', enabled: true, effort: 'high' }],
  ['o', { kind: 'none' }],
])('reasoningEdit of %s follows its family', (name, edit) => {
  expect(reasoningEdit(registry.models.get(name)!, true, 'high')).toEqual(edit);
});
