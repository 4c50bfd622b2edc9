import { expect, test } from '@jest/globals';
import { behaviourOf, DEFAULT_BEHAVIOUR } from '../../../src/sim/behaviour.ts';

test.each([
  [{ 'x-sim-status': '503' }, { status: 503 }],
  [{ 'x-sim-status': 'b=503, me=429' }, { status: 429 }],
  [{ 'x-sim-status': 'b=503' }, {}],
  [{ 'x-sim-status': 'b=503, 500' }, { status: 500 }],
  [{ 'x-sim-status': '99' }, {}],
  [{ 'x-sim-status': 'NaN' }, {}],
  [{ 'x-sim-delay-ms': '12.5' }, { delayMs: 12.5 }],
  [{ 'x-sim-delay-ms': '-1' }, {}],
  [{ 'x-sim-delay-ms': '600001' }, {}],
  [{ 'x-sim-cut': 'headers' }, { cut: 'headers' }],
  [{ 'x-sim-cut': 'me=2' }, { cut: 2 }],
  [{ 'x-sim-chunks': '0' }, {}],
  [
    { 'x-sim-chunks': '7', 'x-sim-chunk-delay-ms': '3' },
    { chunks: 7, chunkDelayMs: 3 },
  ],
  [{ 'x-sim-echo': 'body' }, { echo: 'body' }],
  [{ 'x-sim-echo': '1' }, { echo: 'summary' }],
  [{ 'x-sim-retry-after': '30' }, { retryAfterS: 30 }],
])('%j', (headers, changed) => {
  expect(behaviourOf(headers, 'me', DEFAULT_BEHAVIOUR)).toEqual({ ...DEFAULT_BEHAVIOUR, ...changed });
});

test("a request's headers come before what the owner set", () => {
  const base = { ...DEFAULT_BEHAVIOUR, status: 500, delayMs: 5 };
  expect(behaviourOf({ 'x-sim-status': '200' }, 'me', base)).toEqual({ ...base, status: 200 });
});
