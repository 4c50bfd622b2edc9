/** Requests that wait for room, the more important in front; bounded in number and in time. */
export interface Waiting {
  /**
   * Settles with a turn when there may be room, null when there was none in time, the request was shed for a more important one, or nobody waits for
   * it any more. `deadlineMs` is in the clock's milliseconds. Who had a turn and found no room that it could use (it was at another model's endpoint)
   * comes back with that turn: it gets its old place, and the next one tries.
   */
  wait(priority: number, deadlineMs: number, signal: AbortSignal, turn?: Turn | null): Promise<Turn | null>;
  /** A request has ended: the first that waits may try. */
  release(): void;
  readonly length: number;
}

export interface WaitingOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly maxLength: () => number;
  /** A request was turned away because the queue was full. */
  readonly onShed?: () => void;
}

export interface Turn {
  /** Which of all arrivals it is. */
  readonly arrival: number;
  /** Which release it was woken for, and the how manieth of that one. */
  readonly release: number;
  readonly tries: number;
}

interface Entry {
  readonly priority: number;
  readonly arrival: number;
  /** The last release that it was woken for; 0: none. */
  readonly tried: number;
  readonly settle: (turn: Turn | null) => void;
}

/** Requests that one release lets try at most: each decides anew. Those that were not reached are first at the next one. */
const MAX_TRIES = 32;

export function createWaiting({ clock, maxLength, onShed }: WaitingOptions): Waiting {
  const entries: Entry[] = [];
  let arrivals = 0;
  let releases = 0;

  function leave(entry: Entry): void {
    const at = entries.indexOf(entry);
    if (at !== -1) entries.splice(at, 1);
  }

  /** Makes a place for this priority: false when everybody who waits is at least as important. */
  function makeRoom(priority: number): boolean {
    if (entries.length < maxLength()) return true;
    const last = entries.at(-1);
    onShed?.();
    if (last === undefined || last.priority >= priority) return false;
    last.settle(null);
    return true;
  }

  function wake(entry: Entry | undefined, release: number, tries: number): void {
    entry?.settle({ arrival: entry.arrival, release, tries });
  }

  /** The room was none for the one that had this turn: of the others, the one that has not tried for the longest time. */
  function passOn({ release, tries }: Turn): void {
    if (tries >= MAX_TRIES) return;
    let next: Entry | undefined;
    for (const entry of entries) if (entry.tried < (next?.tried ?? release)) next = entry;
    wake(next, release, tries + 1);
  }

  return {
    wait: (priority, deadlineMs, signal, turn = null) => {
      const leftMs = deadlineMs - clock();
      const mayWait = leftMs > 0 && !signal.aborted && (turn !== null || makeRoom(priority));
      if (!mayWait) {
        if (turn !== null) passOn(turn);
        return Promise.resolve(null);
      }
      return new Promise((resolve) => {
        const settle = (given: Turn | null): void => {
          leave(entry);
          clearTimeout(timer);
          signal.removeEventListener('abort', abandon);
          resolve(given);
        };
        const abandon = (): void => settle(null);
        const arrival = turn?.arrival ?? (arrivals += 1);
        const entry: Entry = { priority, arrival, tried: turn?.release ?? 0, settle };
        const timer = setTimeout(abandon, leftMs);
        signal.addEventListener('abort', abandon, { once: true });
        const isBehind = (other: Entry): boolean =>
          other.priority < priority || (other.priority === priority && other.arrival > arrival);
        const behind = entries.findIndex(isBehind);
        entries.splice(behind === -1 ? entries.length : behind, 0, entry);
        if (turn !== null) passOn(turn);
      });
    },
    release: () => {
      releases += 1;
      wake(entries[0], releases, 1);
    },
    get length() {
      return entries.length;
    },
  };
}
