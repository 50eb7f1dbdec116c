import { plannerError } from './errors.js';
import type { StringConstant } from './references.js';

/** date, time, timestamp, timestamptz, timetz, and their arrays. (pg_type.dat) */
export const CLOCK_TYPES: ReadonlySet<number> = new Set([
  1082, 1083, 1114, 1184, 1266, 1182, 1183, 1115, 1185, 1270,
  // ranges and multiranges over them, and their arrays
  3908, 3910, 3912, 4533, 4534, 4535, 3909, 3911, 3913, 6152, 6153, 6155,
]);

/** Words that Postgres replaces by the present (Postgres manual, "Special Values"). */
const SPECIAL = /(^|[^a-z])(now|today|tomorrow|yesterday)([^a-z]|$)/i;

export function mentionsPresent(value: string): boolean {
  return SPECIAL.test(value);
}

const TEXT_TYPES = new Set(['text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'citext', 'char']);

/**
 * Whether a constant may stand for the present: it holds a special word alone or with a time, and nothing shows
 * that it is text. `isTime` tells whether a column of that name may be a date or a time.
 */
export function readsPresent(constant: StringConstant, isTime: (column: string) => boolean): boolean {
  if (
    !/^[\s[({,"]*(now|today|tomorrow|yesterday)\b[^a-z]*(utc|z|allballs|infinity|now|today|tomorrow|yesterday)?[^a-z]*$/i.test(
      constant.value,
    )
  )
    return false;
  if (constant.castTo !== null && TEXT_TYPES.has(constant.castTo)) return false;
  return constant.besideColumn === null || isTime(constant.besideColumn);
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How often time moves for a query that reads the clock. @throws `tick_invalid`. @returns milliseconds. */
export function parseTick(tick: string): number {
  const match = /^([1-9]\d{0,5})(s|m|h|d)$/.exec(tick);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw plannerError('tick_invalid', JSON.stringify(tick.slice(0, 20)));
  const ms = Number(match[1]) * unit;
  if (ms > TICK_MS_MAX) throw plannerError('tick_invalid', 'longer than 24 days');
  return ms;
}

/** What a timer can hold. */
const TICK_MS_MAX = 2_147_483_647;
