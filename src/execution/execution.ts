/** Everything that runs beside the decisions, wired together: traffic, queue, probes and scrapes. */
import type { Registry } from '../config/registry.ts';
import type { EndpointState } from '../decision/served.ts';
import type { Dispatcher } from './dispatch.ts';
import { httpGet } from './http-get.ts';
import { createProber } from './prober.ts';
import { createWaiting } from './queue.ts';
import { createScraper } from './scraper.ts';
import { createTraffic, type EndpointChange, type EndpointView, type Traffic } from './traffic.ts';

type Addresses = ReadonlyMap<string, readonly string[]>;

export interface ExecutionOptions {
  readonly clock: () => number;
  readonly random: () => number;
  readonly registry: () => Registry;
  /** Every address of every endpoint. */
  readonly addresses: () => Addresses;
  /** Those of them that a request may be sent to, because Envoy has them. */
  readonly known: (addresses: Addresses) => Addresses;
  readonly onChange: (change: EndpointChange) => void;
  readonly onShed: () => void;
  readonly onStale: (endpoint: string, address: string, ageMs: number) => void;
}

export interface Execution {
  readonly traffic: Traffic;
  readonly dispatcher: Dispatcher;
  state(): EndpointState;
  view(): readonly EndpointView[];
  leaving(): ReturnType<Traffic['leaving']>;
  /** Requests that wait for room. */
  waiting(): number;
  close(): void;
}

export function createExecution(options: ExecutionOptions): Execution {
  const { clock, random, registry, addresses, known } = options;
  const waiting = createWaiting({
    clock,
    maxLength: () => registry().config.overload.queue,
    onShed: options.onShed,
  });
  const scraper = createScraper({ clock, registry, addresses, get: httpGet, onStale: options.onStale });
  const traffic = createTraffic({
    clock,
    random,
    registry,
    onChange: options.onChange,
    endpointOf: (address) => [...addresses()].find(([, list]) => list.includes(address))?.[0] ?? null,
    onRoom: () => waiting.release(),
    reported: (address) => scraper.reported(address),
  });
  const prober = createProber({
    clock,
    registry,
    addresses,
    due: () => traffic.due(addresses()),
    tell: (address, event) => traffic.tell(address, event),
    get: httpGet,
  });
  const state = () => traffic.state(known(addresses()));
  return {
    traffic,
    dispatcher: { traffic, state, waiting, clock },
    state,
    view: () => {
      const live = new Set([...known(addresses()).values()].flat());
      return traffic.view(addresses(), (address) => live.has(address));
    },
    leaving: () => traffic.leaving(addresses()),
    waiting: () => waiting.length,
    close: () => {
      prober.close();
      scraper.close();
    },
  };
}
