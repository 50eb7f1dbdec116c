import { printFraction, two } from './calendar.js';
import { DATETIME_OVERFLOW, notReproduced, raise } from './errors.js';

/** As Postgres holds an interval: three parts that are not carried into each other. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

const INTERVAL =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

let lastText = '';
let last: Interval = { months: 0, days: 0, micros: 0n };

/**
 * The last one is remembered, since it is mostly a parameter.
 * @throws NotReproduced for text that is not as Postgres prints an interval; infinities came with 17
 */
export function parseInterval(text: string): Interval {
  if (text !== lastText) {
    last = readInterval(text);
    lastText = text;
  }
  return last;
}

function readInterval(text: string): Interval {
  const match = text === '' ? null : INTERVAL.exec(text);
  const [
    ,
    years = '0',
    mons = '0',
    days = '0',
    sign = '',
    hours = '0',
    minutes = '0',
    seconds = '0',
    fraction = '',
  ] = match ?? notReproduced('this form of an interval');
  if (Number(minutes) > 59 || Number(seconds) > 59) notReproduced('this form of an interval');
  const whole = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  const micros = whole * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  const value = {
    months: Number(years) * 12 + Number(mons),
    days: Number(days),
    micros: sign === '-' ? -micros : micros,
  };
  return isInterval(value) ? value : notReproduced('an interval that is out of range');
}

const INT4 = 2 ** 31;
const INT8 = 2n ** 63n;

/** Within what Postgres holds, less the extremes, which mean infinity since 17. */
export function isInterval({ months, days, micros }: Interval): boolean {
  const small = [months, days].every((part) => part > -INT4 && part < INT4 - 1);
  return small && micros > -INT8 && micros < INT8 - 1n;
}

export function assureInterval(value: Interval): Interval {
  if (isInterval(value)) return value;
  const { months, days, micros } = value;
  const beyond = [months, days].some((part) => part < -INT4 || part >= INT4);
  return beyond || micros < -INT8 || micros >= INT8
    ? raise(DATETIME_OVERFLOW)
    : notReproduced('an interval at the end of what there is');
}

/** Each part has its own sign; one that follows a negative part shows its plus. (datetime.c, `EncodeInterval`) */
export function printInterval({ months, days, micros }: Interval): string {
  let text = '';
  let afterNegative = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    text += `${text && ' '}${afterNegative && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`;
    afterNegative = value < 0;
  };
  add(Math.trunc(months / 12), 'year');
  add(months % 12, 'mon');
  add(days, 'day');
  if (micros === 0n && text !== '') return text;
  const sign = micros < 0n ? '-' : afterNegative ? '+' : '';
  return `${text && `${text} `}${sign}${printClock(micros < 0n ? -micros : micros)}`;
}

function printClock(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const hours = String(seconds / 3600n).padStart(2, '0');
  return `${hours}:${two(Number((seconds / 60n) % 60n))}:${two(Number(seconds % 60n))}${printFraction(Number(micros % 1_000_000n))}`;
}

/** What intervals are compared by: a month is 30 days, a day 24 hours. */
export function spanOf({ months, days, micros }: Interval): bigint {
  return BigInt(months * 30 + days) * 86_400_000_000n + micros;
}

/** The same of an interval's text. */
export function intervalSpan(text: string): bigint {
  return spanOf(parseInterval(text));
}

export function compareIntervals(left: string, right: string): number {
  if (left === right) return 0;
  const a = intervalSpan(left);
  const b = intervalSpan(right);
  return a < b ? -1 : a > b ? 1 : 0;
}
