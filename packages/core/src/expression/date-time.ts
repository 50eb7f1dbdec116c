import {
  assureTimestamp,
  isTimestamp,
  compareMoments,
  dayOf,
  daysInMonth,
  DAY_MICROS,
  microsOf,
  momentOf,
  parseDate,
  parseMoment,
  parseTime,
  POSTGRES_EPOCH_DAY,
  printDate,
  printMoment,
  printTime,
  zoneOf,
  type Moment,
} from './calendar.js';
import { divideRounded } from './decimal.js';
import { DATETIME_OVERFLOW, notReproduced, raise } from './errors.js';
import { rint } from './float.js';
import { ageOf } from './age.js';
import { later, negateInterval } from './interval.js';
import { assureInterval, parseInterval, printInterval, type Interval } from './interval-value.js';
import { comparisons, stable, strict, tests, type Family } from './registry.js';
import { compareZonedTimes } from './time-value.js';

const INT4 = 2 ** 31;

function dayAsMoment(text: string): Moment {
  return { day: parseDate(text), micros: 0 };
}

function byMoment(left: (text: string) => Moment, right: (text: string) => Moment) {
  return (a: string, b: string) => compareMoments(left(a), right(b));
}

const zoned = byMoment(parseMoment, parseMoment);
const dateFirst = byMoment(dayAsMoment, parseMoment);
const dateLast = byMoment(parseMoment, dayAsMoment);

const COMPARISONS: Family = {
  ...comparisons('time_', (a, b) => parseTime(a) - parseTime(b)),
  ...comparisons('timetz_', compareZonedTimes),
  ...comparisons('date_', dateFirst, '_timestamp'),
  ...comparisons('timestamp_', dateLast, '_date'),
  ...stable({
    ...comparisons('date_', dateFirst, '_timestamptz'),
    ...comparisons('timestamptz_', dateLast, '_date'),
    ...comparisons('timestamp_', zoned, '_timestamptz'),
    ...comparisons('timestamptz_', zoned, '_timestamp'),
  }),
};

function plusDays(text: string, days: number): string {
  return printDate(parseDate(text) + days);
}

function daysBetween(left: string, right: string): string {
  const days = parseDate(left) - parseDate(right);
  if (!Number.isFinite(days)) raise(DATETIME_OVERFLOW);
  return days < -INT4 || days >= INT4 ? notReproduced('a distance in days this long') : String(days);
}

/** A timestamp and the zone of its text moved by an interval. */
function moved(text: string, span: Interval): string {
  return printMoment(later(parseMoment(text), span), zoneOf(text));
}

function dateMoved(text: string, span: Interval): string {
  const start = assureTimestamp(dayAsMoment(text));
  return printMoment(later(start, span), '');
}

/** Days and a time of day, never months. Infinities have a difference since 17. */
function between(left: string, right: string): string {
  const a = parseMoment(left);
  const b = parseMoment(right);
  if (!Number.isFinite(a.day) || !Number.isFinite(b.day))
    notReproduced('the distance of an infinite timestamp');
  const micros = microsOf(a) - microsOf(b);
  if (micros >= 2n ** 63n || micros < -(2n ** 63n)) notReproduced('a distance of timestamps this long');
  const day = BigInt(DAY_MICROS);
  return printInterval(assureInterval({ months: 0, days: Number(micros / day), micros: micros % day }));
}

/** A time of day moved around the clock. */
function aroundClock(text: string, micros: bigint): string {
  if (micros > 2n ** 62n || micros < -(2n ** 62n)) notReproduced('an interval this long');
  const day = BigInt(DAY_MICROS);
  const sum = (BigInt(parseTime(text)) + micros) % day;
  return printTime(Number(sum < 0n ? sum + day : sum));
}

const SECOND_DIGITS_MAX = 6;

/** To some digits of a second, halves away from the year 2000. */
function toDigits(text: string, digitsText: string): string {
  const moment = parseMoment(text);
  if (!Number.isFinite(moment.day)) return text;
  const rounded = momentOf(roundMicros(microsOf(moment), digitsText));
  return isTimestamp(rounded)
    ? printMoment(rounded, zoneOf(text))
    : notReproduced('a timestamp at the end of time');
}

function roundMicros(micros: bigint, digitsText: string): bigint {
  const digits = Number(digitsText);
  if (digits < 0 || digits > SECOND_DIGITS_MAX) return notReproduced('this precision');
  const unit = 10n ** BigInt(SECOND_DIGITS_MAX - digits);
  return divideRounded(micros, unit) * unit;
}

/** Time zones other than UTC are a database of their own. */
function assureUtc(zone: string): void {
  if (!/^(utc|etc\/utc)$/i.test(zone)) notReproduced('time zones other than UTC');
}

function makeDate(yearText: string, monthText: string, dayText: string): string {
  const [given, month, day] = [Number(yearText), Number(monthText), Number(dayText)];
  const year = given < 0 ? given + 1 : given;
  if (given === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month))
    raise(DATETIME_OVERFLOW);
  return printDate(dayOf({ year, month, day }));
}

/** Seconds since 1970, in floating point as Postgres computes it. */
function fromEpoch(text: string): string {
  const seconds = Number(text);
  if (Number.isNaN(seconds)) raise(DATETIME_OVERFLOW);
  if (!Number.isFinite(seconds)) return seconds > 0 ? 'infinity' : '-infinity';
  const micros = rint((seconds - POSTGRES_EPOCH_DAY * 86_400) * 1_000_000);
  if (Math.abs(micros) > 9.2e18) notReproduced('a timestamp this far away');
  return printMoment(momentOf(BigInt(micros)), '+00');
}

const toMoment = (zone: string) => (text: string) => printMoment(dayAsMoment(text), zone);
const toDate = (text: string): string => printDate(parseMoment(text).day);
const timeOf = (text: string): string | null => {
  const { day, micros } = parseMoment(text);
  return Number.isFinite(day) ? printTime(micros) : null;
};
const withZone = (zone: string) => (text: string) => printMoment(parseMoment(text), zone);
const timeFromInterval = (text: string): string => aroundClock('00:00:00', parseInterval(text).micros);

export const DATE_TIME: Family = {
  ...COMPARISONS,
  ...strict('date', {
    date_pli: (text, days) => plusDays(text, Number(days)),
    date_mii: (text, days) => plusDays(text, -Number(days)),
    'integer_pl_date(integer,date)': (days, text) => plusDays(text, Number(days)),
    timestamp_date: toDate,
    make_date: makeDate,
  }),
  ...strict('int4', { date_mi: daysBetween }),
  ...tests({
    date_finite: (text) => Number.isFinite(parseDate(text)),
    timestamp_finite: (text) => Number.isFinite(parseMoment(text).day),
  }),
  ...strict('text', { time_out: (text) => text }),
  ...strict('timestamp', {
    timestamp_pl_interval: (text, span) => moved(text, parseInterval(span)),
    timestamp_mi_interval: (text, span) => moved(text, negateInterval(parseInterval(span))),
    'interval_pl_timestamp(interval,timestamp without time zone)': (span, text) =>
      moved(text, parseInterval(span)),
    date_pl_interval: (text, span) => dateMoved(text, parseInterval(span)),
    date_mi_interval: (text, span) => dateMoved(text, negateInterval(parseInterval(span))),
    'interval_pl_date(interval,date)': (span, text) => dateMoved(text, parseInterval(span)),
    datetime_timestamp: (date, time) => {
      const day = parseDate(date);
      const micros = parseTime(time);
      if (!Number.isFinite(day)) return date;
      assureTimestamp({ day, micros: 0 });
      return printMoment(micros === DAY_MICROS ? { day: day + 1, micros: 0 } : { day, micros }, '');
    },
    date_timestamp: toMoment(''),
    timestamp_scale: toDigits,
    timestamptz_zone: (zone, text) => {
      assureUtc(zone);
      return printMoment(parseMoment(text), '');
    },
  }),
  ...strict('interval', {
    timestamp_mi: between,
    time_mi_time: (a, b) =>
      printInterval({ months: 0, days: 0, micros: BigInt(parseTime(a) - parseTime(b)) }),
    timestamp_age: ageOf,
    timestamptz_age: ageOf,
    time_interval: (text) => printInterval({ months: 0, days: 0, micros: BigInt(parseTime(text)) }),
  }),
  ...strict('time', {
    time_pl_interval: (text, span) => aroundClock(text, parseInterval(span).micros),
    time_mi_interval: (text, span) => aroundClock(text, -parseInterval(span).micros),
    time_scale: (text, digits) => printTime(Number(roundMicros(BigInt(parseTime(text)), digits))),
    timestamp_time: timeOf,
    interval_time: timeFromInterval,
  }),
  ...strict('timestamptz', {
    timestamptz_scale: toDigits,
    timestamp_zone: (zone, text) => {
      assureUtc(zone);
      return printMoment(parseMoment(text), '+00');
    },
    float8_timestamptz: fromEpoch,
  }),
  ...stable({
    ...strict('timestamptz', {
      timestamptz_pl_interval: (text, span) => moved(text, parseInterval(span)),
      timestamptz_mi_interval: (text, span) => moved(text, negateInterval(parseInterval(span))),
      'interval_pl_timestamptz(interval,timestamp with time zone)': (span, text) =>
        moved(text, parseInterval(span)),
      date_timestamptz: toMoment('+00'),
      timestamp_timestamptz: withZone('+00'),
      timestamptz_in: withZone('+00'),
    }),
    ...strict('timestamp', { timestamptz_timestamp: withZone(''), timestamp_in: withZone('') }),
    ...strict('date', { timestamptz_date: toDate, date_in: (text) => printDate(parseDate(text)) }),
    ...strict('time', { timestamptz_time: timeOf, time_in: (text) => printTime(parseTime(text)) }),
    ...strict('text', {
      date_out: (text) => text,
      timestamp_out: (text) => text,
      timestamptz_out: (text) => text,
    }),
  }),
};
