import { parseTime } from './calendar.js';
import { notReproduced } from './errors.js';

const ZONED = /^(.*?)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** A `timetz`: by its moment in UTC, then by its zone, the eastern one first. (date.c, `timetz_cmp_internal`) */
export function compareZonedTimes(left: string, right: string): number {
  if (left === right) return 0;
  const a = parseZoned(left);
  const b = parseZoned(right);
  return a.utc - b.utc || a.west - b.west;
}

function parseZoned(text: string): { readonly utc: number; readonly west: number } {
  const [, time = '', sign = '', hours = '', minutes = '0', seconds = '0'] =
    ZONED.exec(text) ?? notReproduced('this form of a time');
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const west = sign === '+' ? -offset : offset;
  return { utc: parseTime(time) + west * 1_000_000, west };
}
