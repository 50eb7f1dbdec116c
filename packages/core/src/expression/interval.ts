import { daysInMonth, civilOf, dayOf, DAY_MICROS, assureTimestamp, type Moment } from './calendar.js';
import { notReproduced } from './errors.js';
import {
  assureInterval,
  compareIntervals,
  isInterval,
  parseInterval,
  printInterval,
  type Interval,
} from './interval-value.js';
import { comparisons, stable, strict, type Family } from './registry.js';

/** A moment some months, days and microseconds later, in this order; a day beyond the month's last becomes its last. */
export function later(moment: Moment, span: Interval): Moment {
  if (!Number.isFinite(moment.day)) return moment;
  const afterMonths = span.months === 0 ? moment.day : plusMonths(assureTimestamp(moment).day, span.months);
  const afterDays = assureTimestamp({ day: afterMonths + span.days, micros: moment.micros }).day;
  const total = BigInt(moment.micros) + span.micros;
  const days = total / BigInt(DAY_MICROS);
  const rest = Number(total % BigInt(DAY_MICROS));
  const day = afterDays + Number(days) - (rest < 0 ? 1 : 0);
  return assureTimestamp({ day, micros: rest < 0 ? rest + DAY_MICROS : rest });
}

function plusMonths(day: number, months: number): number {
  const { year, month, day: date } = civilOf(day);
  const total = year * 12 + month - 1 + months;
  const newYear = Math.floor(total / 12);
  const newMonth = total - newYear * 12 + 1;
  const result = dayOf({
    year: newYear,
    month: newMonth,
    day: Math.min(date, daysInMonth(newYear, newMonth)),
  });
  return assureTimestamp({ day: result, micros: 0 }).day;
}

export function negateInterval({ months, days, micros }: Interval): Interval {
  return { months: -months || 0, days: -days || 0, micros: -micros };
}

function combine(sign: 1 | -1): (left: string, right: string) => string {
  return (left, right) => {
    const a = parseInterval(left);
    const b = parseInterval(right);
    const sum = {
      months: a.months + sign * b.months,
      days: a.days + sign * b.days,
      micros: a.micros + BigInt(sign) * b.micros,
    };
    return printInterval(assureInterval(sum));
  };
}

/** By whole numbers alone: what fractions leave is carried in floating point, which differs between machines. */
function times(text: string, factorText: string): string {
  const factor = Number(factorText);
  const { months, days, micros } = parseInterval(text);
  const product = { months: months * factor || 0, days: days * factor || 0 };
  const total = Number.isSafeInteger(factor)
    ? micros * BigInt(factor)
    : notReproduced('fractions of an interval');
  const exact = Number.isSafeInteger(product.months) && Number.isSafeInteger(product.days);
  if (!exact || total > 2n ** 53n || total < -(2n ** 53n)) notReproduced('an interval this long');
  return printInterval(assureInterval({ ...product, micros: total }));
}

function justifyHours(value: Interval): Interval {
  const whole = value.micros / BigInt(DAY_MICROS);
  return align({ ...value, days: value.days + Number(whole), micros: value.micros % BigInt(DAY_MICROS) });
}

/** Days and time of one sign. */
function align(value: Interval): Interval {
  const { days, micros } = value;
  if (days > 0 && micros < 0n) return { ...value, days: days - 1, micros: micros + BigInt(DAY_MICROS) };
  if (days < 0 && micros > 0n) return { ...value, days: days + 1, micros: micros - BigInt(DAY_MICROS) };
  return value;
}

function justifyDays(value: Interval): Interval {
  const months = value.months + Math.trunc(value.days / 30);
  const days = value.days % 30;
  if (months > 0 && days < 0) return { ...value, months: months - 1, days: days + 30 };
  if (months < 0 && days > 0) return { ...value, months: months + 1, days: days - 30 };
  return { ...value, months, days: days || 0 };
}

const justified = (change: (value: Interval) => Interval) => (text: string) =>
  printInterval(assureInterval(change(parseInterval(text))));

/** Up to where all majors print the hours right. */
const HOURS_MAX = 2_000_000_000n;

/** @throws NotReproduced for fractional seconds, which arrive as a float, and for what is out of range */
function make(...parts: string[]): string {
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
  if (!Number.isSafeInteger(seconds)) notReproduced('an interval of fractional seconds');
  const micros = (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n;
  const value = { months: years * 12 + months, days: weeks * 7 + days, micros };
  const small = micros < HOURS_MAX * 3_600_000_000n && micros > -HOURS_MAX * 3_600_000_000n;
  return small && isInterval(value)
    ? printInterval(value)
    : notReproduced('an interval that is out of range');
}

export const INTERVAL: Family = {
  ...comparisons('interval_', compareIntervals),
  ...strict('interval', {
    interval_pl: combine(1),
    interval_mi: combine(-1),
    interval_um: (text) => printInterval(assureInterval(negateInterval(parseInterval(text)))),
    interval_mul: times,
    mul_d_interval: (factor, text) => times(text, factor),
    interval_justify_hours: justified(justifyHours),
    interval_justify_days: justified(justifyDays),
    make_interval: make,
  }),
  ...stable({
    ...strict('interval', { interval_in: (text) => printInterval(parseInterval(text)) }),
    ...strict('text', { interval_out: (text) => text }),
  }),
};
