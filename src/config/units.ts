const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const SIZE_BYTES = { B: 1, KB: 1000, KiB: 1024, MB: 1e6, MiB: 1024 ** 2, GB: 1e9, GiB: 1024 ** 3 } as const;

/** Milliseconds of "250ms", "1.5s", "5m", "1h"; null when the text is not a duration with a unit. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  return match === null ? null : Number(match[1]) * DURATION_MS[match[2] as keyof typeof DURATION_MS];
}

/** Bytes of "512KiB", "32MiB", "10MB"; null when the text is not a size with a unit. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KB|KiB|MB|MiB|GB|GiB)$/.exec(text.trim());
  return match === null ? null : Math.floor(Number(match[1]) * SIZE_BYTES[match[2] as keyof typeof SIZE_BYTES]);
}
