const count = new Intl.NumberFormat('en');
const rough = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 });
const thisYear = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });
const anyYear = new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric' });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** `100,000` */
export function formatCount(value: number): string {
  return count.format(value);
}

/** `14K` */
export function formatRough(value: number): string {
  return rough.format(value);
}

/** `20 kB` */
export function formatBytes(value: number): string {
  const [unit, size] = value < 1e6 ? ['kB', 1e3] : ['MB', 1e6];
  return `${formatCount(Number((value / Number(size)).toPrecision(2)))} ${unit}`;
}

/** `0.11 ms`: more digits would be noise. */
export function formatMs(value: number): string {
  return `${Number(value.toPrecision(2))} ms`;
}

/** `Mar 4`, or `Mar 2025` for another year. */
export function formatDay(date: Date): string {
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return (sameYear ? thisYear : anyYear).format(date);
}

export function formatMoment(date: Date): string {
  return moment.format(date);
}

const UNITS = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['week', 7 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 days ago` */
export function formatAgo(date: Date, nowMs = Date.now()): string {
  const sinceMs = nowMs - date.getTime();
  const [unit, ms] = UNITS.find(([, unitMs]) => sinceMs >= unitMs) ?? ['second', 1_000];
  return unit === 'second' ? 'just now' : relative.format(-Math.floor(sinceMs / ms), unit);
}
