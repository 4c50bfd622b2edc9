import type { PiiFinding } from './finding.ts';

/** Everything that is found from one fixed piece of text: the @ of an address, the first letters of a token. */
export interface AnchorSearch {
  /** What stands at the anchors that have not been looked at and that are before `to`. */
  advance(to: number): PiiFinding[];
}

/**
 * Looks at each `anchor` in the text, once. The next anchor is kept between calls, so that a text without any is run through once however
 * many calls there are.
 */
export function createAnchorSearch(
  text: string,
  anchor: string,
  at: (text: string, anchor: number) => PiiFinding | null,
): AnchorSearch {
  let next = text.indexOf(anchor);
  return {
    advance: (to) => {
      const findings: PiiFinding[] = [];
      while (next >= 0 && next < to) {
        const finding = at(text, next);
        if (finding !== null) findings.push(finding);
        next = text.indexOf(anchor, Math.max(next + 1, finding?.end ?? 0));
      }
      return findings;
    },
  };
}
