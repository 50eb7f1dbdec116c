import { must, unreachable } from '../assert.js';
import { compareAscii, compareBytes, compareDecimal, normaliseDecimal, trimBlanks } from './compare-text.js';
import type { ValueType } from '../plan.js';

/**
 * Equality and order of values in Postgres's canonical text, exactly as Postgres has them, without parsing to
 * JavaScript numbers or dates: those lose digits. Inputs are never null; NULL logic is the caller's.
 *
 * Relied on: the pinned output settings (ISO dates, UTC, hex bytea), under which equal values of one type print
 * the same text, except numerics (scale) and float zeros (sign).
 */
export type Compare = (left: string, right: string) => number;

/** Makes text that is the same for two values exactly when they are equal. */
export type KeyOf = (value: string) => string;

/** Types that are rarer, or whose texts have to be taken apart: what they need is in a chunk. */
export type RarerKind = 'interval' | 'jsonb' | 'inet' | 'timetz' | 'array' | 'range' | 'multirange' | 'row';

/** How values of such a type are compared, which are made of values of other types: elements, bounds, fields. */
export interface TypeRule {
  readonly compare: (parts: readonly Compare[]) => Compare;
  readonly key: (parts: readonly KeyOf[]) => KeyOf;
}

/** Those that are loaded: a plan names the chunks of all types that it compares. */
export type TypeRules = { readonly [K in RarerKind]?: TypeRule };

/** The order of a type. (Postgres manual, "Operator Classes": the default btree order.) */
export function comparator(type: ValueType, rules: TypeRules): Compare {
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
    case 'time':
    case 'bool':
    case 'uuid':
    case 'bytea':
    case 'mac':
    case 'bits':
      return compareAscii;
    case 'json':
    case 'opaque':
      return compareAscii;
    case 'interval':
    case 'jsonb':
    case 'inet':
    case 'timetz':
    case 'array':
    case 'range':
    case 'multirange':
    case 'row':
      return ruleOf(type.kind, rules).compare(partsOf(type).map((part) => comparator(part, rules)));
    default:
      return unreachable(type);
  }
}

/** Text that is the same for two values exactly when they are equal: what equality indexes are keyed by. */
export function equalityKey(type: ValueType, rules: TypeRules): KeyOf {
  switch (type.kind) {
    case 'int':
    case 'numeric':
      return normaliseDecimal;
    case 'float':
      return (value) => (value === '-0' ? '0' : value);
    case 'char':
      return trimBlanks;
    case 'interval':
    case 'jsonb':
    case 'inet':
    case 'timetz':
    case 'array':
    case 'range':
    case 'multirange':
    case 'row':
      return ruleOf(type.kind, rules).key(partsOf(type).map((part) => equalityKey(part, rules)));
    default:
      return (value) => value;
  }
}

function ruleOf(kind: RarerKind, rules: TypeRules): TypeRule {
  return must(rules[kind], 'a plan names its chunks');
}

/** The types of which values of a type are made. */
export function partsOf(type: ValueType): readonly ValueType[] {
  if ('element' in type) return [type.element];
  return type.kind === 'row' ? type.fields.map((field) => field.type) : [];
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
