import { describe, expect, test } from '@jest/globals';
import { readKnobs } from '../../../src/decision/knobs.ts';

const ABSENT = { routing: undefined, provider: undefined, models: undefined };

function read(fields: object, headers: Record<string, string> = {}) {
  return readKnobs({ ...ABSENT, ...fields }, new Map(Object.entries(headers)));
}

function knobsOf(fields: object, headers: Record<string, string> = {}) {
  const outcome = read(fields, headers);
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  return outcome.knobs;
}

describe('readKnobs', () => {
  test('without fields asks for nothing', () => {
    expect(knobsOf({})).toMatchObject({
      objective: null,
      models: null,
      deny: [],
      regions: null,
      trace: false,
      fields: [],
    });
    expect(knobsOf({ routing: null, provider: {} })).toMatchObject({
      objective: null,
      fields: ['routing', 'provider'],
    });
  });

  test('reads every field of routing', () => {
    const routing = {
      objective: 'fast',
      quality_floor: 0.5,
      max_cost_usd: 0.01,
      max_latency_ms: 900,
      models: ['a', 'b'],
      deny: 'c',
      region: ['eu'],
      trace: true,
    };
    expect(knobsOf({ routing })).toMatchObject({
      objective: { kind: 'latency', source: 'routing.objective' },
      limits: { qualityFloor: 0.5, maxCostUsd: 0.01, maxLatencyMs: 900, maxTtftMs: null },
      models: ['a', 'b'],
      modelsInOrder: false,
      deny: ['c'],
      regions: ['eu'],
      trace: true,
      fields: ['routing'],
    });
  });

  test('reads what OpenRouter’s clients send', () => {
    const provider = {
      order: ['A'],
      only: ['A', 'B'],
      ignore: ['C'],
      sort: { by: 'price', partition: 'none' },
      max_price: { prompt: '0.5', completion: 2 },
      data_collection: 'deny',
      allow_fallbacks: false,
      quantizations: ['fp8'],
    };
    const knobs = knobsOf({ provider, models: ['x', 'y'] });
    expect(knobs).toMatchObject({
      objective: { kind: 'cost', source: 'provider.sort' },
      models: ['x', 'y'],
      modelsInOrder: true,
      provider: {
        order: ['A'],
        only: ['A', 'B'],
        ignore: ['C'],
        maxPromptPrice: 0.5,
        maxCompletionPrice: 2,
        denyDataCollection: true,
        allowFallbacks: false,
      },
      fields: ['provider', 'models'],
      notes: ['provider.quantizations has no meaning here and was passed over'],
    });
    expect(knobsOf({ provider: { zdr: true } }).provider.denyDataCollection).toBe(true);
  });

  test('models and routing.models together leave what both list, in the order of models', () => {
    const knobs = knobsOf({ models: ['c', 'b', 'a'], routing: { models: ['a', 'c'] } });
    expect(knobs).toMatchObject({ models: ['c', 'a'], modelsInOrder: true });
  });

  test.each([
    [{ routing: { objective: 'cost' }, provider: { sort: 'latency' } }, { 'x-routing-objective': 'quality' }, 'cost'],
    [{ provider: { sort: 'throughput' } }, { 'x-routing-objective': 'quality' }, 'latency'],
    [{}, { 'x-routing-objective': ' Balanced ' }, 'balanced'],
  ])('%j with %j aims at %s', (fields, headers, kind) => expect(knobsOf(fields, headers).objective?.kind).toBe(kind));

  test.each([
    [{ routing: 'cost' }, 'routing'],
    [{ routing: [] }, 'routing'],
    [{ routing: { quality: 1 } }, 'routing.quality'],
    [{ routing: { objective: 'best' } }, 'routing.objective'],
    [{ routing: { objective: 'constructor' } }, 'routing.objective'],
    [{ routing: { quality_floor: 1.1 } }, 'routing.quality_floor'],
    [{ routing: { quality_floor: '0.5' } }, 'routing.quality_floor'],
    [{ routing: { max_cost_usd: -1 } }, 'routing.max_cost_usd'],
    [{ routing: { max_latency_ms: true } }, 'routing.max_latency_ms'],
    [{ routing: { models: [1] } }, 'routing.models'],
    [{ routing: { deny: [''] } }, 'routing.deny'],
    [{ routing: { region: {} } }, 'routing.region'],
    [{ routing: { models: Array.from({ length: 65 }, () => 'm') } }, 'routing.models'],
    [{ routing: { models: ['m'.repeat(257)] } }, 'routing.models'],
    [{ routing: { trace: 'yes' } }, 'routing.trace'],
    [{ provider: 'x' }, 'provider'],
    [{ provider: { sort: 'name' } }, 'provider.sort'],
    [{ provider: { max_price: { prompt: 'cheap' } } }, 'provider.max_price.prompt'],
    [{ provider: { max_price: 3 } }, 'provider.max_price'],
    [{ provider: { data_collection: 'maybe' } }, 'provider.data_collection'],
    [{ provider: { allow_fallbacks: 1 } }, 'provider.allow_fallbacks'],
    [{ models: {} }, 'models'],
  ])('refuses %j', (fields, param) => {
    expect(read(fields)).toMatchObject({ kind: 'invalid', error: { status: 400, param } });
  });

  test('refuses an unknown objective in the header', () => {
    const outcome = read({}, { 'x-routing-objective': 'x' });
    expect(outcome).toMatchObject({ kind: 'invalid', error: { param: 'x-routing-objective' } });
  });
});
