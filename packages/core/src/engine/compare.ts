import { unreachable } from '../assert.js';
import { compareAscii, compareBytes, compareDecimal, normaliseDecimal, trimBlanks } from './compare-text.js';
import { arrayComparator, arrayKey } from '../expression/array-value.js';
import { addressKey, compareAddresses } from '../expression/address-value.js';
import { compareIntervals, intervalSpan } from '../expression/interval-value.js';
import { compareJsonb, jsonbKey } from '../expression/json-node.js';
import { rangeComparator, rangeKey } from '../expression/range-value.js';
import { rowComparator, rowKey } from '../expression/row-value.js';
import { compareZonedTimes } from '../expression/time-value.js';
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
    case 'char':
      return (left, right) => compareBytes(trimBlanks(left), trimBlanks(right));
    case 'interval':
      return compareIntervals;
    case 'jsonb':
      return compareJsonb;
    case 'inet':
      return compareAddresses;
    case 'timetz':
      return compareZonedTimes;
    case 'array':
      return arrayComparator(comparator(type.element));
    case 'range':
      return rangeComparator(comparator(type.element));
    case 'row':
      return rowComparator(type.fields.map((field) => comparator(field.type)));
    case 'time':
    case 'bool':
    case 'uuid':
    case 'bytea':
      return compareAscii;
    case 'json':
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
    case 'char':
      return trimBlanks;
    case 'interval':
      return (value) => String(intervalSpan(value));
    case 'jsonb':
      return jsonbKey;
    case 'inet':
      return addressKey;
    case 'array':
      return arrayKey(equalityKey(type.element));
    case 'range':
      return rangeKey(equalityKey(type.element));
    case 'row':
      return rowKey(type.fields.map((field) => equalityKey(field.type)));
    default:
      return (value) => value;
  }
}

/** NaN equals NaN and is above infinity; -0 equals 0. Both sides have the same float type. */
export function compareFloat(left: string, right: string): number {
  if (left === right) return 0;
  const a = Number(left);
  const b = Number(right);
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Dates and timestamps in ISO text: `-infinity`, BC years, years beyond 9999, a fraction with trailing zeros cut. */
export function compareDate(left: string, right: string): number {
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
