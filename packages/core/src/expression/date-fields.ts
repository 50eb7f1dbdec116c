import {
  civilOf,
  dayOf,
  isLeap,
  microsOf,
  parseDate,
  parseMoment,
  parseTime,
  printMoment,
  zoneOf,
} from './calendar.js';
import type { Civil, Moment } from './calendar.js';
import { asciiLower } from './characters.js';
import { printDecimal } from './decimal.js';
import { notReproduced } from './errors.js';
import { printDouble } from './float-text.js';
import { parseInterval, printInterval, type Interval } from './interval-value.js';
import { stable, strict, type Family } from './registry.js';

/**
 * `extract`, `date_part` and `date_trunc` by the full names of their fields; abbreviations, time zones and infinite
 * timestamps are left to Postgres. Week numbers are ISO's.
 */
const INFINITE = 'a field of an infinite timestamp';

const HOUR = 3_600_000_000;
const MINUTE = 60_000_000;
const SECOND = 1_000_000;

/** An exact number: digits and how many of them are behind the point. */
type Field = readonly [digits: bigint | number, scale: number];

export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** The Monday of a day's week. */
function monday(day: number): number {
  return day - ((weekday(day) + 6) % 7);
}

/** The year that a day's week belongs to: that of its Thursday. */
export function weekYear(day: number): number {
  return civilOf(monday(day) + 3).year;
}

export function week(day: number): number {
  const firstMonday = monday(dayOf({ year: weekYear(day), month: 1, day: 4 }));
  return (monday(day) - firstMonday) / 7 + 1;
}

/** There is no year 0: 1 BC is -1. */
function shownYear(year: number): number {
  return year > 0 ? year : year - 1;
}

function century(year: number, length: number): number {
  return year > 0
    ? Math.floor((year + length - 1) / length)
    : -Math.floor((length - 1 - (year - 1)) / length);
}

function dateField(field: string, day: number): Field | null {
  const { year, month, day: date } = civilOf(day);
  switch (field) {
    case 'day':
      return [date, 0];
    case 'month':
      return [month, 0];
    case 'quarter':
      return [Math.floor((month - 1) / 3) + 1, 0];
    case 'week':
      return [week(day), 0];
    case 'year':
      return [shownYear(year), 0];
    case 'isoyear':
      return [shownYear(weekYear(day)), 0];
    case 'decade':
      return [Math.floor(year / 10), 0];
    case 'century':
      return [century(year, 100), 0];
    case 'millennium':
      return [century(year, 1000), 0];
    case 'dow':
      return [weekday(day), 0];
    case 'isodow':
      return [weekday(day) || 7, 0];
    case 'doy':
      return [dayOfYear(civilOf(day)), 0];
    default:
      return null;
  }
}

export function dayOfYear({ year, month, day }: Civil): number {
  const before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1] ?? 0;
  return before + day + (month > 2 && isLeap(year) ? 1 : 0);
}

function timeField(field: string, micros: bigint): Field | null {
  const inMinute = Number(micros % BigInt(MINUTE));
  switch (field) {
    case 'microseconds':
      return [inMinute, 0];
    case 'milliseconds':
      return [inMinute, 3];
    case 'second':
      return [inMinute, 6];
    case 'minute':
      return [(micros / BigInt(MINUTE)) % 60n, 0];
    case 'hour':
      return [micros / BigInt(HOUR), 0];
    default:
      return null;
  }
}

function momentField(unit: string, text: string): Field {
  const field = asciiLower(unit);
  const moment = finite(parseMoment(text));
  if (field === 'epoch') {
    const micros = microsOf(moment) + 946_684_800_000_000n;
    return micros < 2n ** 63n - 1n ? [micros, 6] : notReproduced('an epoch at the end of time');
  }
  return dateField(field, moment.day) ?? timeField(field, BigInt(moment.micros)) ?? unknown();
}

function finite(moment: Moment): Moment {
  return Number.isFinite(moment.day) ? moment : notReproduced(INFINITE);
}

function unknown(): never {
  return notReproduced('this field of a date or time');
}

function fieldOfDate(unit: string, text: string): Field {
  const field = asciiLower(unit);
  const { day } = finite({ day: parseDate(text), micros: 0 });
  if (field === 'epoch') return [day * 86_400, 0];
  return dateField(field, day) ?? unknown();
}

function fieldOfTime(unit: string, text: string): Field {
  const field = asciiLower(unit);
  const micros = parseTime(text);
  return field === 'epoch' ? [micros, 6] : (timeField(field, BigInt(micros)) ?? unknown());
}

function fieldOfInterval(unit: string, text: string): Field {
  const field = asciiLower(unit);
  const span = parseInterval(text);
  const years = Math.trunc(span.months / 12);
  switch (field) {
    case 'day':
      return [span.days, 0];
    case 'month':
      return [span.months % 12, 0];
    case 'quarter':
      return span.months < 0 ? unknown() : [Math.floor((span.months % 12) / 3) + 1, 0];
    case 'year':
      return [years, 0];
    case 'decade':
      return [Math.trunc(years / 10), 0];
    case 'century':
      return [Math.trunc(years / 100), 0];
    case 'millennium':
      return [Math.trunc(years / 1000), 0];
    case 'epoch':
      return [epochOf(span), 6];
    default:
      return timeField(field, span.micros) ?? unknown();
  }
}

/** A year counts 365.25 days here, a month 30. */
function epochOf({ months, days, micros }: Interval): bigint {
  const years = Math.trunc(months / 12);
  const seconds = BigInt(years) * 31_557_600n + BigInt((months % 12) * 30 + days) * 86_400n;
  return seconds * BigInt(SECOND) + micros;
}

function exact([digits, scale]: Field): string {
  return printDecimal({ digits: BigInt(digits), scale });
}

/** What `date_part` makes of the same field in floating point: one division, which is exact to the last bit. */
function floating([digits, scale]: Field): string {
  const safe = typeof digits === 'number' || (digits < 2n ** 53n && digits > -(2n ** 53n));
  if (scale === 3 || !safe) notReproduced('this field in floating point');
  return printDouble(Number(digits) / 10 ** scale || 0);
}

const extracted = (fieldOf: (unit: string, text: string) => Field) => (unit: string, text: string) =>
  exact(fieldOf(unit, text));
const parted = (fieldOf: (unit: string, text: string) => Field) => (unit: string, text: string) =>
  asciiLower(unit) === 'second' ? notReproduced('seconds in floating point') : floating(fieldOf(unit, text));

/** Added up in floating point, as Postgres does it. */
function partOfInterval(unit: string, text: string): string {
  if (asciiLower(unit) !== 'epoch') return parted(fieldOfInterval)(unit, text);
  const { months, days, micros } = parseInterval(text);
  if (micros > 2n ** 53n || micros < -(2n ** 53n)) notReproduced('this field in floating point');
  let seconds = Number(micros) / 1_000_000;
  seconds += 31_557_600 * Math.trunc(months / 12);
  seconds += 2_592_000 * (months % 12);
  seconds += 86_400 * days;
  return printDouble(seconds || 0);
}

function truncate(unit: string, text: string): string {
  const field = asciiLower(unit);
  const moment = parseMoment(text);
  if (!Number.isFinite(moment.day)) return UNITS.has(field) ? text : unknown();
  const step = CLOCK_UNITS.get(field);
  const result =
    step === undefined
      ? { day: firstDay(field, moment.day), micros: 0 }
      : { day: moment.day, micros: Math.floor(moment.micros / step) * step };
  return printMoment(result, zoneOf(text));
}

const CLOCK_UNITS: ReadonlyMap<string, number> = new Map([
  ['microseconds', 1],
  ['milliseconds', 1000],
  ['second', SECOND],
  ['minute', MINUTE],
  ['hour', HOUR],
]);
const UNITS: ReadonlySet<string> = new Set([
  ...CLOCK_UNITS.keys(),
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'decade',
  'century',
  'millennium',
]);

/** The first day of the week, month and so on that a day is in. Centuries begin in years that end in 01. */
function firstDay(field: string, day: number): number {
  const { year, month } = civilOf(day);
  const ofYear = (first: number): number => dayOf({ year: first, month: 1, day: 1 });
  switch (field) {
    case 'day':
      return day;
    case 'week':
      return monday(day);
    case 'month':
      return dayOf({ year, month, day: 1 });
    case 'quarter':
      return dayOf({ year, month: month - ((month - 1) % 3), day: 1 });
    case 'year':
      return ofYear(year);
    case 'decade':
      return ofYear(Math.floor(year / 10) * 10);
    case 'century':
      return ofYear(Math.floor((year - 1) / 100) * 100 + 1);
    case 'millennium':
      return ofYear(Math.floor((year - 1) / 1000) * 1000 + 1);
    default:
      return unknown();
  }
}

const MONTHS: ReadonlyMap<string, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
  ['decade', 120],
  ['century', 1200],
  ['millennium', 12_000],
]);

/** Toward zero, each part by itself. */
function truncateInterval(unit: string, text: string): string {
  const field = asciiLower(unit);
  const span = parseInterval(text);
  const months = MONTHS.get(field);
  if (months !== undefined) {
    return printInterval({ months: Math.trunc(span.months / months) * months || 0, days: 0, micros: 0n });
  }
  if (field === 'day') return printInterval({ ...span, micros: 0n });
  const step = BigInt(CLOCK_UNITS.get(field) ?? unknown());
  return printInterval({ ...span, micros: (span.micros / step) * step });
}

export const FUNCTIONS: Family = {
  ...strict('numeric', {
    extract_timestamp: extracted(momentField),
    extract_date: extracted(fieldOfDate),
    extract_time: extracted(fieldOfTime),
    extract_interval: extracted(fieldOfInterval),
  }),
  ...stable(strict('numeric', { extract_timestamptz: extracted(momentField) })),
  ...strict('float8', {
    timestamp_part: parted(momentField),
    'date_part(text,date)': (unit, text) =>
      parted(momentField)(unit, printMoment(finite({ day: parseDate(text), micros: 0 }), '')),
    time_part: parted(fieldOfTime),
    interval_part: partOfInterval,
  }),
  ...stable(strict('float8', { timestamptz_part: parted(momentField) })),
  ...strict('timestamp', { timestamp_trunc: truncate }),
  ...strict('interval', { interval_trunc: truncateInterval }),
  ...stable(
    strict('timestamptz', {
      timestamptz_trunc: truncate,
      timestamptz_trunc_zone: (unit, text, zone) =>
        asciiLower(zone) === 'utc' ? truncate(unit, text) : notReproduced('time zones other than UTC'),
    }),
  ),
};
