const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const SIZE_BYTES = { B: 1, KB: 1000, KiB: 1024, MB: 1e6, MiB: 1024 ** 2, GB: 1e9, GiB: 1024 ** 3 } as const;

/** Milliseconds of "250ms", "1.5s", "5m", "1h", to a thousandth; null when the text is not a duration with a unit. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  if (match === null) return null;
  // 2.3 s are 2300 ms, not 2299.9999999999995.
  return Math.round(Number(match[1]) * DURATION_MS[match[2] as keyof typeof DURATION_MS] * 1000) / 1000;
}

/** Bytes of "512KiB", "32MiB", "10MB", rounded down; null when the text is not a size with a unit. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KB|KiB|MB|MiB|GB|GiB)$/.exec(text.trim());
  return match === null ? null : Math.floor(Number(match[1]) * SIZE_BYTES[match[2] as keyof typeof SIZE_BYTES]);
}

/** The shortest text that parses to the same milliseconds: 90000 → "90s". */
export function formatDuration(ms: number): string {
  return withLargestUnit(ms, { h: DURATION_MS.h, m: DURATION_MS.m, s: DURATION_MS.s }, 'ms');
}

/** The shortest text that parses to the same bytes: 33554432 → "32MiB". */
export function formatBytes(bytes: number): string {
  return withLargestUnit(bytes, { GiB: SIZE_BYTES.GiB, MiB: SIZE_BYTES.MiB, KiB: SIZE_BYTES.KiB }, 'B');
}

function withLargestUnit(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  for (const [unit, size] of Object.entries(units))
    if (value !== 0 && value % size === 0) return `${value / size}${unit}`;
  return `${value}${smallest}`;
}
