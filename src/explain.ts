import { NOTHING_OBSERVED } from './decision/observations.ts';
import { formatHostPort } from './envoy/address.ts';
import type { Registry } from './config/registry.ts';
import { route, type RouteInput, type Routed, type World } from './route.ts';
import type { Encoder } from './signals/signals.ts';

/** Nobody waits for a request here: the same body gives the same decision on a busy machine too. */
const DEADLINE_MS = 10_000;

/** What would come of a client; headers by lower-case name. */
export type Explained = Pick<RouteInput, 'body' | 'path' | 'headers'>;

/** Routes a request as the router would, and sends nothing: no key is read, and equal choices fall to the first endpoint. */
export function explainIn(request: Explained, world: World, signal: AbortSignal): Promise<Routed> {
  const { registry, encoder, endpoints, clock, nowMs, observations, outcomes, pause } = world;
  return route(
    { ...request, startedMs: nowMs(), signal },
    {
      registry,
      encoder,
      endpoints,
      clock,
      nowMs,
      observations,
      ...(outcomes === undefined ? {} : { outcomes }),
      pause,
      deadlineMs: DEADLINE_MS,
      apiKey: () => null,
      random: () => 0,
    },
  );
}

/** The same in a world in which all endpoints of a config are up, and nothing was observed. Names are not looked up. */
export function explain(request: Explained, registry: Registry, encoder: Encoder): Promise<Routed> {
  return explainIn(request, configuredWorld(registry, encoder), new AbortController().signal);
}

function configuredWorld(registry: Registry, encoder: Encoder): World {
  const addresses = new Map(
    [...registry.endpoints.values()].map((endpoint) => [
      endpoint.name,
      [formatHostPort({ host: endpoint.address, port: endpoint.port })],
    ]),
  );
  return {
    registry,
    encoder,
    deadlineMs: DEADLINE_MS,
    endpoints: { addresses },
    apiKey: () => null,
    clock: () => performance.now(),
    nowMs: () => Date.now(),
    observations: NOTHING_OBSERVED,
    random: () => 0,
    pause: () => Promise.resolve(),
  };
}

/** What `switchyard explain` prints and `POST /api/v1/explain` answers: no part of the body, and no embedding. */
export function explanation({ outcome, signals, latencyMs }: Routed): unknown {
  const seen = signals === null ? null : { ...signals, encoding: withoutEmbedding(signals.encoding) };
  return outcome.kind === 'refused'
    ? { refused: outcome.error, reasonCode: outcome.reasonCode, candidates: outcome.candidates, signals: seen }
    : { decision: outcome.decision, plan: outcome.plan, signals: seen, latencyMs };
}

function withoutEmbedding(encoding: NonNullable<Routed['signals']>['encoding']): unknown {
  return encoding === null ? null : { ...encoding, embedding: undefined };
}
