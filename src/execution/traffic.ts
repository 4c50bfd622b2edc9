/**
 * What the router knows of the endpoints while it runs: health, load and conversations. The decision reads a snapshot of it (`state`), the
 * plan's replicas are put in order (`arrange`), and each request that is sent is counted until it ends (`begin`).
 */
import type { Registry } from '../config/registry.ts';
import type { Plan, Target } from '../decision/decision.ts';
import type { EndpointState } from '../decision/served.ts';
import type { ChatRequest } from '../openai/request.ts';
import { fingerprintOf, place, sessionKeys, type SessionKeys } from './affinity.ts';
import { arrange } from './arrange.ts';
import { groupByModel } from './attempt-plan.ts';
import { isFailure, type Attempt } from './attempts.ts';
import { isDue, isOut, stepHealth, wantsTraffic, WELL, type Health, type HealthEvent } from './health.ts';
import { createLoad, type Load } from './load.ts';
import { createSessions } from './sessions.ts';

type Addresses = ReadonlyMap<string, readonly string[]>;

/** An address went out or came back. */
export interface EndpointChange {
  readonly endpoint: string;
  readonly address: string;
  readonly state: 'up' | 'out';
  readonly reason: string | null;
  /** How long it is out at least, milliseconds. */
  readonly forMs: number;
}

export interface TrafficOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly registry: () => Registry;
  readonly onChange?: (change: EndpointChange) => void;
  /** The endpoint that an address belongs to; null for none. Asked where no decision has seen the address yet. */
  readonly endpointOf?: (address: string) => string | null;
  /** A request has ended: there may be room for another. */
  readonly onRoom?: () => void;
  /** Load of an address that others gave it, in requests; null where that is not known. */
  readonly reported?: (address: string) => number | null;
}

/** A request under way. */
export interface Ticket {
  /** The attempts that have come to an end, each told once; `served` is who really answered. */
  attempted(attempts: readonly Attempt[]): void;
  served(target: Target): void;
  /** However often it is called. */
  end(): void;
}

export interface RequestView {
  readonly request: ChatRequest;
  readonly headers: ReadonlyMap<string, string>;
}

/** One address as /info/endpoints shows it. */
export interface EndpointView {
  readonly name: string;
  readonly address: string;
  readonly models: readonly string[];
  readonly weight: number;
  readonly state: 'up' | 'out' | 'due' | 'drained' | 'pending';
  readonly reason: string | null;
  /** Milliseconds until it may be tried again; 0 when it may. */
  readonly out_for_ms: number;
  readonly in_flight: number;
  readonly failures_in_a_row: number;
}

export interface Traffic {
  /** Addresses that are none any more and still have requests under way. */
  leaving(addresses: Addresses): readonly Pick<EndpointView, 'name' | 'address' | 'in_flight'>[];
  /** What the decision needs. `hasFull`: an endpoint is left out because it has as many requests as it may. */
  state(addresses: Addresses): EndpointState & { readonly hasFull: boolean };
  /** The model that this request's conversation keeps; null for none. */
  heldModel(view: RequestView): string | null;
  arrange(plan: Plan, view: RequestView): Plan;
  begin(plan: Plan, view: RequestView): Ticket;
  /** Attempts that a retry tells of, whose request another router may have sent. */
  attempted(attempts: readonly Attempt[]): void;
  tell(address: string, event: HealthEvent): void;
  /** Addresses that wait to be tried again. */
  due(addresses: Addresses): readonly string[];
  view(addresses: Addresses, isKnown: (address: string) => boolean): readonly EndpointView[];
  readonly load: Load;
}

/** A conversation stays on a replica that has this many requests more than its share; beyond, it is better off elsewhere. */
const CROWDED_BY = 8;
/** How long an address that is due may keep the one request that tries it to itself. */
const TRIAL_MS = 5000;
/** Addresses that are remembered beside those that there are now: names keep finding new ones as containers come and go. */
const MAX_GONE = 1024;

export function createTraffic(options: TrafficOptions): Traffic {
  const { clock, random, registry, onRoom } = options;
  const health = new Map<string, Health>();
  const trials = new Map<string, number>();
  const names = new Map<string, string>();
  const limits = () => registry().config.affinity;
  const replicas = createSessions(clock, limits);
  const models = createSessions(clock, limits);
  const load = createLoad(clock);

  const healthOf = (address: string): Health => health.get(address) ?? WELL;
  const busy = (address: string): number => Math.max(load.inFlight(address), options.reported?.(address) ?? 0);
  const weightOf = ({ endpoint }: Target): number => Math.max(1, registry().endpoints.get(endpoint)?.weight ?? 1);

  /** Out, or due and already being tried. */
  function isAway(address: string, now: number): boolean {
    const state = healthOf(address);
    if (isOut(state, now)) return true;
    if (!isDue(state, now)) return false;
    return !wantsTraffic(state) || (trials.get(address) ?? -Infinity) > now;
  }

  function isFull(address: string): boolean {
    const most = registry().config.overload.max_in_flight_per_endpoint;
    return most !== undefined && load.inFlight(address) >= most;
  }

  const nameOf = (address: string): string | null => names.get(address) ?? options.endpointOf?.(address) ?? null;

  /** Of an address that is no endpoint's there is nothing to remember. */
  function tell(address: string, event: HealthEvent): void {
    const endpoint = nameOf(address);
    if (endpoint === null) return;
    const before = healthOf(address);
    const now = clock();
    const after = stepHealth(before, event, now, registry().config.health);
    if (after === before) return;
    health.set(address, after);
    trials.delete(address);
    if (before.kind === after.kind && !(after.kind === 'out' && after.times !== before.times)) return;
    options.onChange?.({
      endpoint,
      address,
      state: after.kind,
      reason: after.reason,
      forMs: after.kind === 'out' ? Math.max(0, after.untilMs - now) : 0,
    });
    if (after.kind === 'up') onRoom?.();
  }

  function attempted(attempts: readonly Attempt[]): void {
    for (const { target, cause, retryAfterS } of attempts) {
      if (isFailure(cause)) tell(target.address, { kind: 'failed', cause });
      else if (cause !== '429') tell(target.address, { kind: 'succeeded' });
      if (retryAfterS !== null && retryAfterS > 0 && cause !== 'answered') {
        tell(target.address, { kind: 'retry_after', ms: retryAfterS * 1000 });
      }
    }
  }

  function forgetOthers(addresses: Addresses): void {
    const live = new Set([...addresses.values()].flat());
    for (const map of [names, health, trials]) {
      for (const address of map.keys()) if (!live.has(address) && load.inFlight(address) === 0) map.delete(address);
    }
    load.keep(live);
  }

  /** The replica that the conversation keeps, or gets; null where nothing speaks for one. */
  function keptAddress(targets: readonly Target[], { replica: key, isOpening }: SessionKeys): string | null {
    if (key === null || targets.length < 2) return null;
    const { load_factor } = limits();
    const known = isOpening ? null : replicas.get(`${targets[0]?.model ?? ''}\u0000${key}`);
    const kept = targets.find(({ address }) => address === known);
    const totalWeight = targets.reduce((sum, target) => sum + weightOf(target), 0);
    const share = (target: Target): number =>
      (targets.reduce((sum, { address }) => sum + busy(address), 0) * weightOf(target)) / totalWeight;
    if (kept !== undefined && busy(kept.address) <= load_factor * share(kept) + CROWDED_BY) return kept.address;
    // Most of the slack is left to conversations that grow.
    const loadFactor = 1 + (load_factor - 1) / 4;
    return place(key, targets, { busy, recent: (address) => load.recent(address), weight: weightOf, loadFactor });
  }

  return {
    load,
    leaving: (addresses) => {
      const live = new Set([...addresses.values()].flat());
      return [...load.underWay()].flatMap(([address, inFlight]) =>
        live.has(address) ? [] : [{ name: names.get(address) ?? '', address, in_flight: inFlight }],
      );
    },
    state: (addresses) => {
      const now = clock();
      const unhealthy = new Set<string>();
      let hasFull = false;
      const left = new Map<string, readonly string[]>();
      let live = 0;
      for (const [name, list] of addresses) {
        for (const address of list) names.set(address, name);
        live += list.length;
        const well = list.filter((address) => !isAway(address, now));
        const free = well.filter((address) => !isFull(address));
        if (free.length < well.length) hasFull = true;
        if (list.length > 0 && free.length === 0) unhealthy.add(name);
        left.set(name, free.length === 0 ? list : free);
      }
      if (names.size > live + MAX_GONE) forgetOthers(addresses);
      const most = registry().config.overload.max_in_flight_per_model ?? Infinity;
      const fullModels = new Set([...registry().models.keys()].filter((model) => load.modelInFlight(model) >= most));
      return { addresses: left, unhealthy, fullModels, hasFull: hasFull || fullModels.size > 0 };
    },
    heldModel: ({ request, headers }) => {
      const key = sessionKeys(request, headers, limits()).model;
      return key === null ? null : models.get(key);
    },
    arrange: (plan, { request, headers }) => {
      if (hasOrder(request)) return plan;
      const keys = sessionKeys(request, headers, limits());
      const targets = groupByModel(plan.targets).flatMap((group) => {
        const total = group.reduce((sum, { address }) => sum + load.recent(address), 1);
        // Of two that have the same to do, the one that got less lately.
        const pressure = (address: string): number => busy(address) + load.recent(address) / total;
        return arrange(group, { load: pressure, weight: weightOf, random, first: keptAddress(group, keys) });
      });
      const [first, ...rest] = targets;
      return first === undefined ? plan : { ...plan, targets: [first, ...rest] };
    },
    begin: (plan, { request, headers }) => {
      const [first] = plan.targets;
      const open = load.begin(first.address, first.model);
      if (isDue(healthOf(first.address), clock())) trials.set(first.address, clock() + TRIAL_MS);
      const keys = sessionKeys(request, headers, limits());
      const remember = ({ model, address }: Target): void => {
        if (keys.replica !== null) replicas.set(`${model}\u0000${keys.replica}`, address);
      };
      remember(first);
      const conversation = limits().enabled && !plan.untouched ? (keys.model ?? fingerprintOf(request)) : null;
      if (conversation !== null) models.set(conversation, first.model);
      return {
        attempted,
        served: (target) => {
          open.move(target.address, target.model);
          if (target.address !== first.address) remember(target);
        },
        end: () => {
          open.end();
          onRoom?.();
        },
      };
    },
    attempted,
    tell,
    due: (addresses) => {
      const now = clock();
      return [...addresses.values()].flat().filter((address) => isDue(healthOf(address), now));
    },
    view: (addresses, isKnown) => {
      const now = clock();
      return [...registry().endpoints.values()].flatMap((endpoint) =>
        (addresses.get(endpoint.name) ?? []).map((address): EndpointView => {
          const state = healthOf(address);
          const standing = isOut(state, now) ? 'out' : isDue(state, now) ? 'due' : isKnown(address) ? 'up' : 'pending';
          return {
            name: endpoint.name,
            address,
            models: [...registry().models.values()]
              .filter(({ endpoints }) => endpoints.includes(endpoint))
              .map(({ name }) => name),
            weight: endpoint.weight,
            state: endpoint.weight === 0 ? 'drained' : standing,
            reason: state.kind === 'up' ? null : state.reason,
            out_for_ms: state.kind === 'up' ? 0 : Math.max(0, Math.round(state.untilMs - now)),
            in_flight: load.inFlight(address),
            failures_in_a_row: state.consecutive,
          };
        }),
      );
    },
  };
}

/** The caller named endpoints in an order of its own. */
function hasOrder({ routingFields }: ChatRequest): boolean {
  const provider: unknown = routingFields.provider;
  if (typeof provider !== 'object' || provider === null || !('order' in provider)) return false;
  return Array.isArray(provider.order) && provider.order.length > 0;
}
