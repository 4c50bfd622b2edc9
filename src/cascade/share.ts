/** How much of each route's traffic is escalated, over a sliding window, and whether there is room for one more. */

export interface ShareLimits {
  /** 0..1 of the requests whose answers are checked. */
  readonly maxShare: number;
  /** Requests within the window that may be escalated whatever the share is: of few, one is a large share. */
  readonly minEscalations: number;
  readonly windowMs: number;
}

export interface ShareView {
  readonly route: string;
  /** Requests whose answers were checked. */
  readonly checked: number;
  /** Those of them that another model was asked for. */
  readonly escalated: number;
  /** Answers that failed and were kept for want of room. */
  readonly refused: number;
}

export interface Shares {
  /** Counts a request whose first answer is there to be checked: once a request, whatever comes of it. */
  count(route: string, limits: ShareLimits): void;
  /** Whether one more request may be escalated, and counts it if so; `refused_first`: it is the first in the window that may not. */
  escalate(route: string, limits: ShareLimits): 'granted' | 'refused' | 'refused_first';
  /** Each route as its window stands now. */
  view(): readonly ShareView[];
}

/** The window moves in so many steps: what falls out of it does so up to a twentieth of the window late. */
const STEPS = 20;
/** Routes are rules of the config; names of rules that are gone make room for new ones. */
const MAX_ROUTES = 1000;

interface Bucket {
  readonly step: number;
  checked: number;
  escalated: number;
  refused: number;
}

interface Window {
  readonly stepMs: number;
  /** Oldest first; at most STEPS. */
  buckets: Bucket[];
}

/** `clock`: milliseconds of a clock that never goes back. Counts in this process alone: routers of a group keep the share each for themselves. */
export function createShares(clock: () => number): Shares {
  const windows = new Map<string, Window>();

  /** The route's window without what has left it; a changed length starts afresh. */
  function windowOf(route: string, windowMs: number): Window {
    const stepMs = windowMs / STEPS;
    const known = windows.get(route);
    if (known?.stepMs === stepMs) return current(known);
    const fresh: Window = { stepMs, buckets: [] };
    windows.delete(route);
    windows.set(route, fresh);
    const oldest = windows.keys().next();
    if (windows.size > MAX_ROUTES && oldest.done !== true) windows.delete(oldest.value);
    return fresh;
  }

  function current(window: Window): Window {
    const first = Math.floor(clock() / window.stepMs) - STEPS + 1;
    if ((window.buckets[0]?.step ?? first) < first) window.buckets = window.buckets.filter(({ step }) => step >= first);
    return window;
  }

  function bucketOf(window: Window): Bucket {
    const step = Math.floor(clock() / window.stepMs);
    const last = window.buckets.at(-1);
    if (last?.step === step) return last;
    const bucket: Bucket = { step, checked: 0, escalated: 0, refused: 0 };
    window.buckets.push(bucket);
    return bucket;
  }

  return {
    count: (route, { windowMs }) => {
      bucketOf(windowOf(route, windowMs)).checked += 1;
    },
    escalate: (route, { maxShare, minEscalations, windowMs }) => {
      const window = windowOf(route, windowMs);
      const bucket = bucketOf(window);
      const { checked, escalated, refused } = totals(window);
      if (escalated < minEscalations || escalated + 1 <= maxShare * checked) {
        bucket.escalated += 1;
        return 'granted';
      }
      bucket.refused += 1;
      return refused === 0 ? 'refused_first' : 'refused';
    },
    view: () => [...windows].map(([route, window]) => ({ route, ...totals(current(window)) })),
  };
}

function totals({ buckets }: Window): Omit<ShareView, 'route'> {
  const sum = { checked: 0, escalated: 0, refused: 0 };
  for (const { checked, escalated, refused } of buckets) {
    sum.checked += checked;
    sum.escalated += escalated;
    sum.refused += refused;
  }
  return sum;
}
