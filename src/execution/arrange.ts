/** In which order the replicas of one model are tried. Pure: load and chance come in as arguments. */
import type { Target } from '../decision/decision.ts';

export interface Arrangement {
  /** What an address has to do now, in requests; never negative. */
  readonly load: (address: string) => number;
  /** Share of the traffic that a target should have; positive. */
  readonly weight: (target: Target) => number;
  readonly random: () => number;
  /** The address that a conversation keeps; it comes first where it is one of the targets. */
  readonly first: string | null;
}

/**
 * Weighted least-outstanding by the power of two choices (Mitzenmacher, 2001): two replicas are drawn by weight and the one with less load for
 * its weight comes first; the places behind it are filled the same way from the rest.
 */
export function arrange(targets: readonly Target[], { load, weight, random, first }: Arrangement): readonly Target[] {
  const kept = targets.filter(({ address }) => address === first);
  const left = targets.filter(({ address }) => address !== first);
  const order: Target[] = [...kept];
  while (left.length > 0) {
    const one = drawIndex(left, weight, random);
    const two = left.length > 1 ? drawIndex(left, weight, random, one) : one;
    const cost = (index: number): number => {
      const target = left[index];
      return target === undefined ? Infinity : (load(target.address) + 1) / weight(target);
    };
    order.push(...left.splice(cost(two) < cost(one) ? two : one, 1));
  }
  return order;
}

/** An index drawn with probability proportional to its weight, never `except`. */
function drawIndex(
  targets: readonly Target[],
  weight: Arrangement['weight'],
  random: () => number,
  except = -1,
): number {
  let total = 0;
  targets.forEach((target, index) => (total += index === except ? 0 : weight(target)));
  let point = random() * total;
  let last = 0;
  for (const [index, target] of targets.entries()) {
    if (index === except) continue;
    last = index;
    point -= weight(target);
    if (point < 0) break;
  }
  return last;
}
