import type { PiiFinding } from './finding.ts';

/** Both lists in order of place, without what of `others` overlaps something of `first`. Each list is sorted and disjoint; so is the result. */
export function merge(first: readonly PiiFinding[], others: readonly PiiFinding[]): PiiFinding[] {
  const merged: PiiFinding[] = [];
  let i = 0;
  for (const other of others) {
    let one = first[i];
    while (one !== undefined && one.end <= other.start) {
      merged.push(one);
      i += 1;
      one = first[i];
    }
    const isFree = (one === undefined || other.end <= one.start) && other.start >= (merged.at(-1)?.end ?? 0);
    if (isFree && other.end > other.start) merged.push(other);
  }
  merged.push(...first.slice(i));
  return merged;
}
