/** Who has how much to do: counted from the decision on, since a request that is only being sent is load already. */

/** Requests under way by address and by model, and how many each address got lately. */
export interface Load {
  /** Counts one more; the function that comes back takes it off again, once, however often it is called. */
  begin(address: string, model: string): Open;
  inFlight(address: string): number;
  modelInFlight(model: string): number;
  /** The addresses that have any, and how many. */
  underWay(): ReadonlyMap<string, number>;
  /** Requests that the address got, each weighing half as much after HALF_LIFE_MS. */
  recent(address: string): number;
  /** Forgets the past of all other addresses. */
  keep(addresses: ReadonlySet<string>): void;
}

export interface Open {
  /** Another endpoint has taken the request over. */
  move(address: string, model: string): void;
  end(): void;
}

/** Long enough to even out conversations, short enough to follow a replica that was added. */
const HALF_LIFE_MS = 30_000;
/** Addresses whose past is remembered. */
const MAX_ADDRESSES = 10_000;

export function createLoad(clock: () => number): Load {
  const byAddress = new Map<string, number>();
  const byModel = new Map<string, number>();
  const lately = new Map<string, { value: number; atMs: number }>();

  function add(address: string, model: string, delta: 1 | -1): void {
    bump(byAddress, address, delta);
    bump(byModel, model, delta);
  }

  function recent(address: string): number {
    const entry = lately.get(address);
    return entry === undefined ? 0 : entry.value * 0.5 ** ((clock() - entry.atMs) / HALF_LIFE_MS);
  }

  return {
    begin: (address, model) => {
      let at = { address, model };
      let isOpen = true;
      add(address, model, 1);
      if (lately.size < MAX_ADDRESSES || lately.has(address)) {
        lately.set(address, { value: recent(address) + 1, atMs: clock() });
      }
      return {
        move: (toAddress, toModel) => {
          if (!isOpen || (toAddress === at.address && toModel === at.model)) return;
          add(at.address, at.model, -1);
          at = { address: toAddress, model: toModel };
          add(at.address, at.model, 1);
        },
        end: () => {
          if (!isOpen) return;
          isOpen = false;
          add(at.address, at.model, -1);
        },
      };
    },
    inFlight: (address) => byAddress.get(address) ?? 0,
    modelInFlight: (model) => byModel.get(model) ?? 0,
    underWay: () => byAddress,
    recent,
    keep: (addresses) => {
      for (const address of lately.keys()) if (!addresses.has(address)) lately.delete(address);
    },
  };
}

/** Entries of zero are taken out, so that the map is no larger than what is under way. */
function bump(counts: Map<string, number>, key: string, delta: number): void {
  const next = (counts.get(key) ?? 0) + delta;
  if (next <= 0) counts.delete(key);
  else counts.set(key, next);
}
