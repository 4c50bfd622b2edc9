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
