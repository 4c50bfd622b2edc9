/** Requests that wait for room, the more important in front; bounded in number and in time. */
export interface Waiting {
  /**
   * Settles `true` when there may be room, `false` when there was none in time, the request was shed for a more important one, or nobody waits for
   * it any more. `deadlineMs` is in the clock's milliseconds.
   */
  wait(priority: number, deadlineMs: number, signal: AbortSignal): Promise<boolean>;
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

interface Entry {
  readonly priority: number;
  readonly settle: (isRoom: boolean) => void;
}

export function createWaiting({ clock, maxLength, onShed }: WaitingOptions): Waiting {
  const entries: Entry[] = [];

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
    last.settle(false);
    return true;
  }

  return {
    wait: (priority, deadlineMs, signal) => {
      const leftMs = deadlineMs - clock();
      if (leftMs <= 0 || signal.aborted || !makeRoom(priority)) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (isRoom: boolean): void => {
          leave(entry);
          clearTimeout(timer);
          signal.removeEventListener('abort', abandon);
          resolve(isRoom);
        };
        const abandon = (): void => settle(false);
        const entry: Entry = { priority, settle };
        const timer = setTimeout(abandon, leftMs);
        signal.addEventListener('abort', abandon, { once: true });
        const behind = entries.findIndex((other) => other.priority < priority);
        entries.splice(behind === -1 ? entries.length : behind, 0, entry);
      });
    },
    release: () => entries[0]?.settle(true),
    get length() {
      return entries.length;
    },
  };
}
