/** A bounded memory of conversations: the one that was not heard of for the longest time is forgotten first. */
export interface Sessions {
  /** What was remembered under the key; null for an unknown or forgotten one. */
  get(key: string): string | null;
  set(key: string, value: string): void;
  readonly size: number;
}

export interface SessionLimits {
  readonly max_sessions: number;
  /** Milliseconds without a request after which a conversation is forgotten. */
  readonly ttl: number;
}

export function createSessions(clock: () => number, limits: () => SessionLimits): Sessions {
  // A Map keeps the order of insertion: the first entry is the one that was used least lately.
  const entries = new Map<string, { readonly value: string; readonly atMs: number }>();

  function put(key: string, value: string): void {
    entries.delete(key);
    entries.set(key, { value, atMs: clock() });
    const { max_sessions, ttl } = limits();
    for (const [oldest, { atMs }] of entries) {
      if (entries.size <= max_sessions && clock() - atMs < ttl) break;
      entries.delete(oldest);
    }
  }

  return {
    get: (key) => {
      const entry = entries.get(key);
      return entry === undefined || clock() - entry.atMs >= limits().ttl ? null : entry.value;
    },
    set: put,
    get size() {
      return entries.size;
    },
  };
}
