import type { Registry } from '../../src/config/registry.ts';
import { NOTHING_OBSERVED } from '../../src/decision/observations.ts';
import type { World } from '../../src/route.ts';
import { createFakeEncoder } from '../fakes/fake-encoder.ts';

/** A world in which time stands still: the fake encoder, and the endpoint `one` at 127.0.0.1:8000. */
export function worldOf(registry: Registry, pause: World['pause'] = () => Promise.resolve()): World {
  return {
    registry,
    encoder: createFakeEncoder(),
    deadlineMs: 60_000,
    endpoints: { addresses: new Map([['one', ['127.0.0.1:8000']]]) },
    apiKey: () => null,
    clock: () => 0,
    nowMs: () => 0,
    observations: NOTHING_OBSERVED,
    random: () => 0,
    pause,
  };
}
