const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** Reads `64MB` as Postgres's settings do (kB is 1024 bytes). What is no size comes back as it is. */
export function parseBytes(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const match = /^(\d{1,15})\s*(B|kB|MB|GB|TB)?$/.exec(value.trim());
  if (match === null) return value;
  return Number(match[1]) * (UNITS[match[2] ?? 'B'] ?? 1);
}

/** Prints a size for people: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  for (const unit of ['TB', 'GB', 'MB', 'kB'] as const) {
    const size = UNITS[unit] ?? 1;
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
  }
  return `${bytes} B`;
}
