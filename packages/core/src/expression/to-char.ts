import { civilOf, parseMoment, type Moment } from './calendar.js';
import { dayOfYear, week, weekday, weekYear } from './date-fields.js';
import { notReproduced } from './errors.js';
import { stable, strict, type Family } from './registry.js';

/**
 * `to_char` of timestamps for the patterns that reports use. Names of months and days are English, as Postgres has
 * them without the prefix TM. Any other pattern, and years that do not have four digits, are left to Postgres.
 */
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Longer patterns of Postgres that begin like one of ours stand here too, so that none is cut short. */
const TOKEN =
  /(FM)?(HH24|HH12|IYYY|SSSSS|SSSS|MONTH|Month|month|IDDD|YYYY|Y,YYY|IYY|YYY|DDD|DAY|Day|day|MON|Mon|mon|HH|IW|WW|MM|MI|MS|US|SS|DD|DY|Dy|dy|YY|IY|ID|AM|PM|am|pm|Q|D|Y)|"([^"\\]*)"|([-/.,:; ])/y;

/** The text of a field and, for FM, the text without what fills it up. */
type Field = (moment: Moment) => readonly [filled: string, bare: string];

/** Names of months and days are filled up to the longest of them. */
const NAME_WIDTH = 9;

function number(width: number, value: (moment: Moment) => number): Field {
  return (moment) => [String(value(moment)).padStart(width, '0'), String(value(moment))];
}

function text(value: (moment: Moment) => string, width: number = 0): Field {
  return (moment) => [value(moment).padEnd(width), value(moment)];
}

const hour = ({ micros }: Moment): number => Math.floor(micros / 3_600_000_000);
const month = ({ day }: Moment): number => civilOf(day).month;
const monthName = (moment: Moment): string => MONTHS[month(moment) - 1] ?? '';
const dayName = ({ day }: Moment): string => DAYS[weekday(day)] ?? '';
const half = (moment: Moment): string => (hour(moment) < 12 ? 'AM' : 'PM');

/** Upper case, as it is, lower case: the pattern's own case says which. */
function cased(pattern: string, value: (moment: Moment) => string, length?: number): [string, Field][] {
  const width = length === undefined ? NAME_WIDTH : 0;
  const named = (change: (name: string) => string): Field =>
    text((moment) => change(value(moment).slice(0, length)), width);
  return [
    [pattern.toUpperCase(), named((name) => name.toUpperCase())],
    [pattern, named((name) => name)],
    [pattern.toLowerCase(), named((name) => name.toLowerCase())],
  ];
}

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['YYYY', number(4, ({ day }) => civilOf(day).year)],
  ['YY', number(2, ({ day }) => civilOf(day).year % 100)],
  ['IYYY', number(4, ({ day }) => weekYear(day))],
  ['IW', number(2, ({ day }) => week(day))],
  ['Q', number(1, (moment) => Math.floor((month(moment) - 1) / 3) + 1)],
  ['MM', number(2, month)],
  ['DD', number(2, ({ day }) => civilOf(day).day)],
  ['DDD', number(3, ({ day }) => dayOfYear(civilOf(day)))],
  ['D', number(1, ({ day }) => weekday(day) + 1)],
  ['ID', number(1, ({ day }) => weekday(day) || 7)],
  ['HH24', number(2, hour)],
  ['HH12', number(2, (moment) => hour(moment) % 12 || 12)],
  ['HH', number(2, (moment) => hour(moment) % 12 || 12)],
  ['MI', number(2, ({ micros }) => Math.floor(micros / 60_000_000) % 60)],
  ['SS', number(2, ({ micros }) => Math.floor(micros / 1_000_000) % 60)],
  ['MS', number(3, ({ micros }) => Math.floor((micros % 1_000_000) / 1000))],
  ['US', number(6, ({ micros }) => micros % 1_000_000)],
  ['AM', text(half)],
  ['PM', text(half)],
  ['am', text((moment) => half(moment).toLowerCase())],
  ['pm', text((moment) => half(moment).toLowerCase())],
  ...cased('Month', monthName),
  ...cased('Mon', monthName, 3),
  ...cased('Day', dayName),
  ...cased('Dy', dayName, 3),
]);

/** Fields whose FM does more than to leave out what fills them, or less. */
const WITHOUT_FM = new Set(['YYYY', 'YY', 'IYYY', 'MS', 'US']);

function compile(pattern: string): (moment: Moment) => string {
  const parts: ((moment: Moment) => string)[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < pattern.length) {
    const [, bare, name = '', quoted, mark] = TOKEN.exec(pattern) ?? notReproduced('this pattern of to_char');
    const literal = quoted ?? mark;
    const field = FIELDS.get(name);
    if (literal !== undefined) parts.push(() => literal);
    else if (field === undefined || (bare && WITHOUT_FM.has(name))) notReproduced('this pattern of to_char');
    else parts.push((moment) => field(moment)[bare ? 1 : 0]);
  }
  return (moment) => parts.map((part) => part(moment)).join('');
}

/** The last pattern is remembered, since it is mostly a parameter. */
let lastPattern: string | null = null;
let last: (moment: Moment) => string = () => '';

function toChar(value: string, pattern: string): string | null {
  if (pattern === '') return notReproduced('an empty pattern');
  if (pattern !== lastPattern) {
    last = compile(pattern);
    lastPattern = pattern;
  }
  const moment = parseMoment(value);
  const year = Number.isFinite(moment.day) ? civilOf(moment.day).year : 0;
  if (year < 1000 || year > 9998) notReproduced('to_char of such a year');
  return last(moment);
}

export const FUNCTIONS: Family = stable(
  strict('text', { timestamp_to_char: toChar, timestamptz_to_char: toChar }),
);
