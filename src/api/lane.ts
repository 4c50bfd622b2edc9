/**
 * The API's way to the encoder. Routing goes there directly; texts of API requests enter the encoder's queue through a lane, a few at a time,
 * so that a batch of a thousand texts adds at most `width` texts to what a routed request waits for. Turns are first come, first served, and a
 * batch asks for its next turn only when it has finished one, so two batches alternate.
 */
export interface Lane {
  /** Runs `work` when a turn is free. Null when too many wait already, or `signal` fired first. */
  run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result | null>;
  /** Works that wait for a turn. */
  waiting(): number;
}

/** Single texts do not queue behind batches. */
export interface Lanes {
  readonly interactive: Lane;
  readonly background: Lane;
}

export interface LaneOptions {
  /** Works that run at a time. */
  readonly width: number;
  /** Works that may wait; past it `run` answers null at once. */
  readonly maxWaiting: number;
}

interface Waiter {
  readonly begin: () => void;
}

/** Makes an empty lane. */
export function createLane(options: LaneOptions): Lane {
  const waiters = new Set<Waiter>();
  let running = 0;

  const leave = () => {
    running -= 1;
    const next = waiters.values().next().value;
    if (next === undefined) return;
    waiters.delete(next);
    next.begin();
  };

  const enter = (signal: AbortSignal): Promise<boolean> => {
    if (signal.aborted) return Promise.resolve(false);
    if (running < options.width) {
      running += 1;
      return Promise.resolve(true);
    }
    if (waiters.size >= options.maxWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = () => {
        waiters.delete(waiter);
        resolve(false);
      };
      const waiter: Waiter = {
        begin: () => {
          signal.removeEventListener('abort', giveUp);
          running += 1;
          resolve(true);
        },
      };
      waiters.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  };

  return {
    run: async (work, signal) => {
      if (!(await enter(signal))) return null;
      try {
        return await work();
      } finally {
        leave();
      }
    },
    waiting: () => waiters.size,
  };
}
