/** How much is done before the event loop gets its turn. */

/** Bytes a step scans, checks or decodes. Structure-dense input takes about 4 ms a step, a long string 0.2 ms (measured, see the record). */
export const SLICE_BYTES = 256 * 1024;
/** What reading one recorded value costs next to a byte of text. */
const VALUE_COST = 64;

/** Counts work; `spend` says when a turn is due. */
export interface Pace {
  readonly spend: (bytes: number) => boolean;
}

export function createPace(): Pace {
  let left = SLICE_BYTES;
  return {
    spend: (bytes) => {
      left -= bytes + VALUE_COST;
      if (left > 0) return false;
      left = SLICE_BYTES;
      return true;
    },
  };
}

/** Work that is done in steps: it yields where a turn of the event loop is due, and returns what came of it. */
export type Steps<Result> = Generator<undefined, Result>;

/** Does it at one go. For tests, tools and what is known to be small. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does it with a turn of the event loop between the steps: `pause` is `setImmediate` of node:timers/promises. */
export async function inTurns<Result>(steps: Steps<Result>, pause: () => Promise<unknown>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}
