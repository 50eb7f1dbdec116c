import type { PgText } from '../value.js';
import { notReproduced } from './errors.js';

/** A range of Postgres; the empty one is null. A bound that is null is infinite. */
export interface RangeValue {
  readonly lower: PgText;
  readonly upper: PgText;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
}

const RANGE = /^([[(])("(?:[^"\\]|\\.|"")*"|[^",()[\]]*),("(?:[^"\\]|\\.|"")*"|[^",()[\]]*)([\])])$/s;

/** (Postgres manual, "Range Types: Input/Output") */
export function parseRange(text: string): RangeValue | null {
  if (text === 'empty') return null;
  const match = RANGE.exec(text);
  const [, open, lower = '', upper = '', close] = match ?? notReproduced('this form of a range');
  return {
    lower: bound(lower),
    upper: bound(upper),
    lowerInclusive: open === '[',
    upperInclusive: close === ']',
  };
}

function bound(text: string): PgText {
  if (text === '') return null;
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)|"(")/gs, '$1$2') : text;
}

const QUOTED = /^$|[()[\],"\\ \t\n\v\f\r]/;

export function printRange(range: RangeValue | null): string {
  if (range === null) return 'empty';
  const lower = `${range.lowerInclusive ? '[' : '('}${printBound(range.lower)}`;
  return `${lower},${printBound(range.upper)}${range.upperInclusive ? ']' : ')'}`;
}

function printBound(value: PgText): string {
  if (value === null) return '';
  return QUOTED.test(value) ? `"${value.replace(/["\\]/g, '$&$&')}"` : value;
}

/** One end of a range on the line of its values. */
export interface Bound {
  readonly value: PgText;
  readonly inclusive: boolean;
  readonly isLower: boolean;
}

export function lowerOf(range: RangeValue): Bound {
  return { value: range.lower, inclusive: range.lowerInclusive, isLower: true };
}

export function upperOf(range: RangeValue): Bound {
  return { value: range.upper, inclusive: range.upperInclusive, isLower: false };
}

/** (rangetypes.c, `range_cmp_bounds`) */
export function compareBounds(a: Bound, b: Bound, compare: (left: string, right: string) => number): number {
  if (a.value === null || b.value === null) {
    if (a.value !== null) return b.isLower ? 1 : -1;
    if (b.value !== null) return a.isLower ? -1 : 1;
    return a.isLower === b.isLower ? 0 : a.isLower ? -1 : 1;
  }
  return compare(a.value, b.value) || side(a) - side(b);
}

/** Where a bound stands beside its value: below it, on it, above it. */
function side(bound: Bound): number {
  if (bound.inclusive) return 0;
  return bound.isLower ? 1 : -1;
}

/** The empty range first, then by the lower bound, then by the upper. */
export function rangeComparator(
  compare: (left: string, right: string) => number,
): (left: string, right: string) => number {
  return (left, right) => {
    if (left === right) return 0;
    const a = parseRange(left);
    const b = parseRange(right);
    if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
    return compareBounds(lowerOf(a), lowerOf(b), compare) || compareBounds(upperOf(a), upperOf(b), compare);
  };
}

/** Text that is the same for equal ranges. */
export function rangeKey(key: (bound: string) => string): (text: string) => string {
  return (text) => {
    const range = parseRange(text);
    if (range === null) return text;
    return printRange({
      ...range,
      lower: range.lower === null ? null : key(range.lower),
      upper: range.upper === null ? null : key(range.upper),
    });
  };
}
