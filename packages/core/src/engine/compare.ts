import { unreachable } from '../assert.js';
import type { ValueType } from '../plan.js';

/**
 * Equality and order of values in Postgres's canonical text, exactly as Postgres has them, without parsing to
 * JavaScript numbers or dates: those lose digits. Inputs are never null; NULL logic is the caller's.
 *
 * Relied on: the pinned output settings (ISO dates, UTC, hex bytea), under which equal values of one type print
 * the same text, except numerics (scale) and float zeros (sign).
 */
export type Compare = (left: string, right: string) => number;

/** The order of a type. (Postgres manual, "Operator Classes": the default btree order.) */
export function comparator(type: ValueType): Compare {
  switch (type.kind) {
    case 'int':
    case 'numeric':
      return compareDecimal;
    case 'float':
      return compareFloat;
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return compareDate;
    case 'enum': {
      const rank = new Map(type.labels.map((label, index) => [label, index]));
      return (left, right) => (rank.get(left) ?? -1) - (rank.get(right) ?? -1);
    }
    case 'text':
      return compareBytes;
    case 'bool':
    case 'uuid':
    case 'bytea':
      return compareAscii;
    case 'opaque':
      return compareAscii;
    default:
      return unreachable(type);
  }
}

/** Text that is the same for two values exactly when they are equal: what equality indexes are keyed by. */
export function equalityKey(type: ValueType): (value: string) => string {
  switch (type.kind) {
    case 'int':
    case 'numeric':
      return normaliseDecimal;
    case 'float':
      return (value) => (value === '-0' ? '0' : value);
    default:
      return (value) => value;
  }
}

function compareAscii(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * By UTF-8 bytes, which is by code points: JavaScript's `<` compares UTF-16 units and puts a surrogate pair
 * (U+10000 and above) before U+E000..U+FFFF.
 */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      const aHigh = a >= 0xd800 && a <= 0xdfff;
      const bHigh = b >= 0xd800 && b <= 0xdfff;
      return aHigh === bHigh ? a - b : aHigh ? 1 : -1;
    }
  }
  return left.length - right.length;
}

/** Integers and numerics of any length, NaN above infinity above all numbers. */
function compareDecimal(left: string, right: string): number {
  if (left === right) return 0;
  const special = decimalRank(left) - decimalRank(right);
  if (special !== 0) return special;
  if (decimalRank(left) !== 0) return 0;
  const a = normaliseDecimal(left);
  const b = normaliseDecimal(right);
  const aNegative = a.startsWith('-');
  const bNegative = b.startsWith('-');
  if (aNegative !== bNegative) return aNegative ? -1 : 1;
  return aNegative ? compareMagnitude(b.slice(1), a.slice(1)) : compareMagnitude(a, b);
}

function decimalRank(value: string): number {
  if (value === 'NaN') return 2;
  if (value === 'Infinity') return 1;
  return value === '-Infinity' ? -1 : 0;
}

function compareMagnitude(left: string, right: string): number {
  const aPoint = left.indexOf('.');
  const bPoint = right.indexOf('.');
  const aWhole = aPoint < 0 ? left.length : aPoint;
  const bWhole = bPoint < 0 ? right.length : bPoint;
  return aWhole - bWhole || compareAscii(left, right);
}

function normaliseDecimal(value: string): string {
  if (!value.includes('.')) return value;
  let end = value.length;
  while (value.charCodeAt(end - 1) === 48) end--;
  if (value.charCodeAt(end - 1) === 46) end--;
  const trimmed = value.slice(0, end);
  return trimmed === '-0' ? '0' : trimmed;
}

/** NaN equals NaN and is above infinity; -0 equals 0. Both sides have the same float type. */
function compareFloat(left: string, right: string): number {
  if (left === right) return 0;
  const a = Number(left);
  const b = Number(right);
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Dates and timestamps in ISO text: `-infinity`, BC years, years beyond 9999, a fraction with trailing zeros cut. */
function compareDate(left: string, right: string): number {
  if (left === right) return 0;
  const a = dateYear(left);
  const b = dateYear(right);
  if (a !== b) return a < b ? -1 : 1;
  return compareAscii(dateRest(left), dateRest(right));
}

function dateYear(value: string): number {
  if (value === 'infinity') return Infinity;
  if (value === '-infinity') return -Infinity;
  const year = Number(value.slice(0, value.indexOf('-')));
  return value.endsWith(' BC') ? 1 - year : year;
}

function dateRest(value: string): string {
  return value.slice(value.indexOf('-')).replace(/(\+00)?( BC)?$/, '');
}
