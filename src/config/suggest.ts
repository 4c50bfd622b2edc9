/** Length of the shortest chain of insertions, deletions, substitutions and swaps of neighbours from one text to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1;
      let best = Math.min((current[column - 1] ?? 0) + 1, (last[column] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** For longer names nothing is suggested: the distance costs the product of the lengths. */
const LONGEST_COMPARED = 200;

/**
 * The known name that was probably meant, or null. Case does not count; a third of the letters may differ, at most three: "b" is not a
 * misspelt "a". The first of equally near names wins.
 */
export function didYouMean(wrong: string, known: Iterable<string>): string | null {
  if (wrong.length > LONGEST_COMPARED) return null;
  const wanted = wrong.toLowerCase();
  const limit = Math.min(3, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** A beginning shorter than this would fit too many names. */
const SHORTEST_BEGINNING = 4;

/** The one name that begins or ends with the text: a version, or the organisation before the slash, was left out. */
function onlyContinuation(wrong: string, known: Iterable<string>): string | null {
  if (wrong.length < SHORTEST_BEGINNING) return null;
  const wanted = wrong.toLowerCase();
  const found = [...known].filter(
    (name) => name.toLowerCase().startsWith(wanted) || name.toLowerCase().endsWith(wanted),
  );
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** "Did you mean …?" as a sentence to append, or the fallback when nothing is near. */
export function suggestion(wrong: string, known: Iterable<string>, fallback: string): string {
  const meant = didYouMean(wrong, known) ?? onlyContinuation(wrong, known);
  return meant === null ? fallback : `did you mean ${JSON.stringify(meant)}?`;
}
