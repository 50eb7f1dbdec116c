import { DATETIME_OVERFLOW, notReproduced, raise } from './errors.js';

/**
 * Dates and times of the proleptic Gregorian calendar, as Postgres prints them under ISO and UTC. A moment is a day
 * and the microseconds within it: together they go beyond what one JavaScript number holds.
 */
export interface Moment {
  /** Since 1970-01-01; infinite for the infinities. */
  readonly day: number;
  /** From 0 to 86,399,999,999. */
  readonly micros: number;
}

export interface Civil {
  /** Astronomical: 0 is 1 BC. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export const DAY_MICROS = 86_400_000_000;
const DAY_MICROS_BIG = 86_400_000_000n;

/** 4714-11-24 BC, the first day that Postgres has. */
const FIRST_DAY = dayOf({ year: -4713, month: 11, day: 24 });
/** The first days that are too late for a date and for a timestamp. */
const DATE_END = dayOf({ year: 5_874_898, month: 1, day: 1 });
const TIMESTAMP_END = dayOf({ year: 294_277, month: 1, day: 1 });
/** 2000-01-01, from which Postgres counts. */
export const POSTGRES_EPOCH_DAY = 10_957;

/** Days since 1970-01-01, by eras of 400 years that begin in March. */
export function dayOf({ year, month, day }: Civil): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

export function civilOf(day: number): Civil {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

const DATE = /^(\d{4,})-(\d\d)-(\d\d)( BC)?$/;
const MOMENT = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00)?( BC)?$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;

/** @throws NotReproduced for text that is not as Postgres prints a date */
export function parseDate(text: string): number {
  const infinite = parseInfinity(text);
  if (infinite !== null) return infinite;
  const match = DATE.exec(text);
  const [, year = '', month = '', day = '', bc] = match ?? notReproduced('this form of a date');
  return parseDay(year, month, day, bc);
}

function parseDay(yearText: string, month: string, day: string, bc: string | undefined): number {
  const year = Number(yearText);
  const civil = { year: bc === undefined ? year : 1 - year, month: Number(month), day: Number(day) };
  const valid = year > 0 && civil.month >= 1 && civil.month <= 12 && civil.day >= 1;
  if (!valid || civil.day > daysInMonth(civil.year, civil.month)) notReproduced('a date that is none');
  return dayOf(civil);
}

function parseInfinity(text: string): number | null {
  if (text === 'infinity') return Infinity;
  return text === '-infinity' ? -Infinity : null;
}

export function parseMoment(text: string): Moment {
  const infinite = parseInfinity(text);
  if (infinite !== null) return { day: infinite, micros: 0 };
  const match = MOMENT.exec(text);
  const [, year = '', month = '', date = '', hour = '', minute = '', second = '', fraction = '', bc] =
    match ?? notReproduced('this form of a timestamp');
  const micros = clock(hour, minute, second, fraction);
  if (micros >= DAY_MICROS) notReproduced('an hour that is none');
  return { day: parseDay(year, month, date, bc), micros };
}

function clock(hour: string, minute: string, second: string, fraction: string): number {
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 59) notReproduced('a time that is none');
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return seconds * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

/** Microseconds since midnight; up to 24:00:00. */
export function parseTime(text: string): number {
  const [, hour = '', minute = '', second = '', fraction = ''] =
    TIME.exec(text) ?? notReproduced('this form of a time');
  const micros = clock(hour, minute, second, fraction);
  return micros > DAY_MICROS ? notReproduced('a time that is none') : micros;
}

export function printTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map(two).join(':') + printFraction(micros % 1_000_000);
}

/** `.5`, or nothing. */
export function printFraction(micros: number): string {
  return micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

export function two(value: number): string {
  return String(value).padStart(2, '0');
}

function printCivil(day: number): readonly [text: string, era: string] {
  const { year, month, day: date } = civilOf(day);
  const shown = year > 0 ? year : 1 - year;
  return [`${String(shown).padStart(4, '0')}-${two(month)}-${two(date)}`, year > 0 ? '' : ' BC'];
}

function printInfinity(day: number): string | null {
  if (day === Infinity) return 'infinity';
  return day === -Infinity ? '-infinity' : null;
}

/** @throws PgError when it is no date of Postgres */
export function printDate(day: number): string {
  if (Number.isFinite(day) && (day < FIRST_DAY || day >= DATE_END)) raise(DATETIME_OVERFLOW);
  return printInfinity(day) ?? printCivil(day).join('');
}

/** @param zone `+00` for a timestamptz, nothing for a timestamp */
export function printMoment(moment: Moment, zone: string): string {
  const { day, micros } = assureTimestamp(moment);
  const infinite = printInfinity(day);
  if (infinite !== null) return infinite;
  const [date, era] = printCivil(day);
  return `${date} ${printTime(micros)}${zone}${era}`;
}

/** @throws PgError when it is no timestamp of Postgres */
export function assureTimestamp(moment: Moment): Moment {
  return isTimestamp(moment) ? moment : raise(DATETIME_OVERFLOW);
}

export function isTimestamp({ day }: Moment): boolean {
  return !Number.isFinite(day) || (day >= FIRST_DAY && day < TIMESTAMP_END);
}

/** Microseconds since 2000, as Postgres holds a timestamp. Finite ones only. */
export function microsOf({ day, micros }: Moment): bigint {
  return BigInt(day - POSTGRES_EPOCH_DAY) * DAY_MICROS_BIG + BigInt(micros);
}

export function momentOf(micros: bigint): Moment {
  const rest = ((micros % DAY_MICROS_BIG) + DAY_MICROS_BIG) % DAY_MICROS_BIG;
  return { day: Number((micros - rest) / DAY_MICROS_BIG) + POSTGRES_EPOCH_DAY, micros: Number(rest) };
}

export function compareMoments(a: Moment, b: Moment): number {
  return a.day === b.day ? a.micros - b.micros : a.day < b.day ? -1 : 1;
}

/** The zone is always UTC: the text of a timestamptz ends in it, unless it is infinite. */
export function zoneOf(text: string): string {
  return /\+00( BC)?$/.test(text) ? '+00' : '';
}
