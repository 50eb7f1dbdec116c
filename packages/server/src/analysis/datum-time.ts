/** Days from 1970-01-01, where JavaScript counts from, to 2000-01-01, where Postgres does. */
const EPOCH_DAYS = 10_957;
const DAY_US = 86_400_000_000n;
const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;
const INT64_MAX = 9_223_372_036_854_775_807n;
const INT64_MIN = -9_223_372_036_854_775_808n;

export function dateText(days: number): string {
  if (days === INT32_MAX) return 'infinity';
  if (days === INT32_MIN) return '-infinity';
  const { date, era } = calendar(days);
  return date + era;
}

/** @param zone what follows the time. */
export function timestampText(us: bigint, zone: string): string {
  if (us === INT64_MAX) return 'infinity';
  if (us === INT64_MIN) return '-infinity';
  let days = us / DAY_US;
  if (us < 0n && us % DAY_US !== 0n) days--;
  const { date, era } = calendar(Number(days));
  return `${date} ${timeText(us - days * DAY_US)}${zone}${era}`;
}

export function timeText(us: bigint): string {
  const seconds = us / 1_000_000n;
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fractionOf(us % 1_000_000n)}`;
}

/** @param zone seconds west of UTC. */
export function timetzText(us: bigint, zone: number): string {
  const east = Math.abs(zone);
  const parts = [Math.floor(east / 3600), Math.floor(east / 60) % 60, east % 60];
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop();
  return `${timeText(us)}${zone > 0 ? '-' : '+'}${parts.map((part) => two(BigInt(part))).join(':')}`;
}

/** IntervalStyle postgres: `1 year 2 mons -3 days +04:05:06.7`. */
export function intervalText(us: bigint, days: number, months: number): string {
  if (us === INT64_MAX && days === INT32_MAX && months === INT32_MAX) return 'infinity';
  if (us === INT64_MIN && days === INT32_MIN && months === INT32_MIN) return '-infinity';
  const parts: string[] = [];
  let before = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    parts.push(`${before && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`);
    before = value < 0;
  };
  add(Math.trunc(months / 12), 'year');
  add(months % 12, 'mon');
  add(days, 'day');
  if (parts.length === 0 || us !== 0n) {
    const size = us < 0n ? -us : us;
    const seconds = size / 1_000_000n;
    const sign = us < 0n ? '-' : before ? '+' : '';
    parts.push(
      `${sign}${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fractionOf(size % 1_000_000n)}`,
    );
  }
  return parts.join(' ');
}

/** Of the proleptic Gregorian calendar, by days from 2000-01-01: in years that JavaScript's Date does not reach, too. */
function calendar(days: number): { readonly date: string; readonly era: string } {
  // In spans of 400 years, each as long as any other; counted from 0000-03-01, so that the leap day ends a year.
  const shifted = days + EPOCH_DAYS + 719_468;
  const span = Math.floor(shifted / 146_097);
  const day = shifted - span * 146_097;
  const year = Math.floor(
    (day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const ofYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const ofMonth = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  const full = span * 400 + year + (month >= 10 ? 1 : 0);
  const shown = full > 0 ? full : 1 - full;
  const date = `${String(shown).padStart(4, '0')}-${two(BigInt(month < 10 ? month + 3 : month - 9))}-${two(BigInt(ofMonth))}`;
  return { date, era: full > 0 ? '' : ' BC' };
}

function two(value: bigint): string {
  return String(value).padStart(2, '0');
}

function fractionOf(us: bigint): string {
  return us === 0n ? '' : `.${String(us).padStart(6, '0').replace(/0+$/, '')}`;
}
