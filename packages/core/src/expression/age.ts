import { civilOf, compareMoments, daysInMonth, parseMoment, type Moment } from './calendar.js';
import { notReproduced } from './errors.js';
import { printInterval } from './interval-value.js';

/**
 * The distance of two timestamps in years, months, days and time, as people count it: field by field, borrowing the
 * days of the earlier one's month. (timestamp.c, `timestamp_age`)
 */
export function ageOf(left: string, right: string): string {
  const a = parseMoment(left);
  const b = parseMoment(right);
  if (!Number.isFinite(a.day) || !Number.isFinite(b.day)) notReproduced('the age of an infinite timestamp');
  const sign = compareMoments(a, b) < 0 ? -1 : 1;
  const { months, days, micros } = sign < 0 ? distance(b, a) : distance(a, b);
  return printInterval({ months: sign * months || 0, days: sign * days || 0, micros: BigInt(sign * micros) });
}

function distance(late: Moment, early: Moment): { months: number; days: number; micros: number } {
  const a = civilOf(late.day);
  const b = civilOf(early.day);
  let months = (a.year - b.year) * 12 + a.month - b.month;
  let days = a.day - b.day;
  let micros = late.micros - early.micros;
  if (micros < 0) {
    micros += 86_400_000_000;
    days--;
  }
  if (days < 0) {
    days += daysInMonth(b.year, b.month);
    months--;
  }
  return { months, days, micros };
}
