import { describe, expect, test } from '@jest/globals';
import { buildRegistry } from '../../../src/config/registry.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { HealthEvent } from '../../../src/execution/health.ts';
import type { Got } from '../../../src/execution/http-get.ts';
import { createProber } from '../../../src/execution/prober.ts';
import { createScraper, loadOf, readVllmMetrics } from '../../../src/execution/scraper.ts';

const VLLM = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.97
`;

test.each([
  [VLLM, { running: 7, waiting: 2, cacheUsage: 0.97 }],
  ['vllm:num_requests_running 1\nvllm:gpu_cache_usage_perc 0.25\n', { running: 1, waiting: 0, cacheUsage: 0.25 }],
  ['vllm:num_requests_running NaN\n', null],
  ['http_requests_total 5\n', null],
  ['', null],
])('figures of %j', (text, expected) => {
  expect(readVllmMetrics(text)).toEqual(expected);
});

test('those that wait count double, and a full cache as one more', () => {
  expect(loadOf({ running: 7, waiting: 2, cacheUsage: 0.97 })).toBe(12);
  expect(loadOf({ running: 7, waiting: 0, cacheUsage: null })).toBe(7);
});

const registry = buildRegistry(
  configSchema.parse({
    vllm_endpoints: [
      { name: 'a', address: '10.0.0.1', port: 1, models: ['m'], health_check_path: '/up' },
      { name: 'b', address: '10.0.0.2', port: 1, models: ['m'] },
    ],
  }),
);
const addresses = () => new Map([['a', ['1']], ['b', ['2']]]); // prettier-ignore
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('scraper', () => {
  test('figures are used while they are fresh, and it is said once when they are not', async () => {
    let nowMs = 0;
    let answer: Got | null = { status: 200, body: VLLM };
    const stale: string[] = [];
    const scraper = createScraper({
      clock: () => nowMs,
      registry: () => registry,
      addresses,
      get: () => Promise.resolve(answer),
      onStale: (endpoint) => stale.push(endpoint),
    });
    try {
      scraper.tick();
      await settled();
      expect(scraper.reported('1')).toBe(12);
      answer = null;
      for (let n = 0; n < 5; n += 1) {
        nowMs += 1000;
        scraper.tick();
        await settled();
      }
      expect([scraper.reported('1'), stale]).toEqual([null, ['a', 'b']]);
      answer = { status: 200, body: VLLM };
      scraper.tick();
      await settled();
      expect(scraper.reported('1')).toBe(12);
    } finally {
      scraper.close();
    }
  });

  test('an endpoint without figures is left alone for a while', async () => {
    let nowMs = 0;
    let asked = 0;
    const get = () => {
      asked += 1;
      return Promise.resolve({ status: 404, body: '' });
    };
    const scraper = createScraper({ clock: () => nowMs, registry: () => registry, addresses: () => new Map([['a', ['1']]]), get }); // prettier-ignore
    try {
      for (let n = 0; n < 30; n += 1) {
        scraper.tick();
        await settled();
        nowMs += 1000;
      }
      expect(asked).toBe(3);
    } finally {
      scraper.close();
    }
  });
});

describe('prober', () => {
  const open = (answers: Record<string, number | null>, due: readonly string[]) => {
    const told: [string, HealthEvent][] = [];
    const asked: string[] = [];
    let nowMs = 0;
    const prober = createProber({
      clock: () => nowMs,
      registry: () => registry,
      addresses,
      due: () => due,
      tell: (address, event) => told.push([address, event]),
      get: (_endpoint, address, path) => {
        asked.push(`${address}${path}`);
        const status = answers[address];
        return Promise.resolve(status == null ? null : { status, body: '' });
      },
    });
    const round = async (ms: number) => {
      nowMs += ms;
      prober.tick();
      await settled();
    };
    return { prober, told, asked, round };
  };

  test('only endpoints with a path are checked, at the interval; two bad ones in a row count, one good one does', async () => {
    const answers: Record<string, number | null> = { '1': 500 };
    const { prober, told, asked, round } = open(answers, []);
    try {
      await round(0);
      await round(250);
      expect([asked, told]).toEqual([['1/up'], []]);
      await round(2000);
      expect(told).toEqual([['1', { kind: 'checked', isWell: false }]]);
      answers['1'] = 401;
      await round(2000);
      expect(told.at(-1)).toEqual(['1', { kind: 'checked', isWell: true }]);
    } finally {
      prober.close();
    }
  });

  test('an address that is due is probed: any answer but a server error is a good sign', async () => {
    for (const [status, isWell] of [
      [200, true],
      [404, true],
      [503, false],
      [null, false],
    ] as const) {
      const { prober, told, asked, round } = open({ '2': status, '1': 200 }, ['2']);
      try {
        await round(0);
        expect(asked).toContain('2/health');
        expect(told).toContainEqual(['2', { kind: 'probed', isWell }]);
      } finally {
        prober.close();
      }
    }
  });
});
