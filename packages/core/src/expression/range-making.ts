import { comparator, type Compare, type TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import { DATETIME_OVERFLOW, notReproduced, OUT_OF_RANGE, raise } from './errors.js';
import { parseDate, printDate } from './calendar.js';
import { isOrdered } from './ordered.js';
import { compareBounds, lowerOf, upperOf, type Bound, type RangeValue } from './range-value.js';

/** A range, or null for the empty one. */
export type MaybeRange = RangeValue | null;

/** Makes ranges of one type in the form that the type gives them: `(1,3]` of integers is `[2,4)`. */
export class RangeMaking {
  readonly compare: Compare;
  /** The value after one; null for a type that leaves ranges as they are made. */
  readonly #next: ((value: string) => string) | null;

  constructor(compare: Compare, next: ((value: string) => string) | null) {
    this.compare = compare;
    this.#next = next;
  }

  /** Of the range or multirange among types. @throws NotReproduced for a form that only the application knows */
  static of(types: readonly ValueType[], rules: TypeRules): RangeMaking {
    const type = types.map(rangeWithin).find((one) => one !== null);
    if (type === undefined || type === null || !isOrdered(type.element))
      return notReproduced('the order of this range');
    const { canonical } = type;
    if (canonical === 'other') return notReproduced('the canonical form of this range');
    return new RangeMaking(comparator(type.element, rules), canonical === undefined ? null : NEXT[canonical]);
  }

  /** (rangetypes.c, `make_range`) @throws PgError */
  make(lower: Bound, upper: Bound): MaybeRange {
    const serialized = this.#serialized(lower, upper);
    if (serialized === null || this.#next === null) return serialized;
    const { lower: from, upper: to, lowerInclusive, upperInclusive } = serialized;
    const first = from === null || lowerInclusive ? from : this.#next(from);
    const end = to === null || !upperInclusive ? to : this.#next(to);
    // What has no next value, an infinite date, keeps its side.
    return this.#serialized(
      { value: first, inclusive: lowerInclusive || first !== from, isLower: true },
      { value: end, inclusive: upperInclusive && end === to, isLower: false },
    );
  }

  #serialized(lower: Bound, upper: Bound): MaybeRange {
    const order = this.#compareValues(lower, upper);
    if (order > 0) raise(NOT_IN_ORDER);
    if (order === 0 && !(lower.inclusive && upper.inclusive)) return null;
    return {
      lower: lower.value,
      upper: upper.value,
      lowerInclusive: lower.value !== null && lower.inclusive,
      upperInclusive: upper.value !== null && upper.inclusive,
    };
  }

  /** Without regard to whether they are inclusive. (rangetypes.c, `range_cmp_bound_values`) */
  #compareValues(a: Bound, b: Bound): number {
    return compareBounds({ ...a, inclusive: true }, { ...b, inclusive: true }, this.compare);
  }

  bounds(a: Bound, b: Bound): number {
    return compareBounds(a, b, this.compare);
  }

  /** Whether nothing is between an upper bound and a lower one, and neither reaches into the other. */
  meet(upper: Bound, lower: Bound): boolean {
    const order = this.#compareValues(upper, lower);
    if (order === 0) return upper.inclusive !== lower.inclusive;
    if (order > 0 || this.#next === null) return false;
    return this.make(turned(upper), turned(lower)) === null;
  }

  overlap(a: RangeValue, b: RangeValue): boolean {
    return this.bounds(lowerOf(a), upperOf(b)) <= 0 && this.bounds(lowerOf(b), upperOf(a)) <= 0;
  }

  before(a: RangeValue, b: RangeValue): boolean {
    return this.bounds(upperOf(a), lowerOf(b)) < 0;
  }

  adjacent(a: RangeValue, b: RangeValue): boolean {
    return this.meet(upperOf(a), lowerOf(b)) || this.meet(upperOf(b), lowerOf(a));
  }

  covers(a: RangeValue, b: RangeValue): boolean {
    return this.bounds(lowerOf(a), lowerOf(b)) <= 0 && this.bounds(upperOf(a), upperOf(b)) >= 0;
  }

  /** @param strict raises an error where something is between them */
  union(a: MaybeRange, b: MaybeRange, strict: boolean): MaybeRange {
    if (a === null || b === null) return a ?? b;
    if (strict && !this.overlap(a, b) && !this.adjacent(a, b)) raise(NOT_IN_ORDER);
    const low = this.bounds(lowerOf(a), lowerOf(b)) < 0 ? a : b;
    const high = this.bounds(upperOf(a), upperOf(b)) > 0 ? a : b;
    return this.make(lowerOf(low), upperOf(high));
  }

  /** @throws PgError where `b` lies within `a`: the rest would be two ranges */
  minus(a: MaybeRange, b: MaybeRange): MaybeRange {
    if (a === null || b === null) return a;
    const lows = this.bounds(lowerOf(a), lowerOf(b));
    const highs = this.bounds(upperOf(a), upperOf(b));
    if (lows < 0 && highs > 0) raise(NOT_IN_ORDER);
    if (!this.overlap(a, b)) return a;
    if (lows >= 0 && highs <= 0) return null;
    return highs <= 0 ? this.make(lowerOf(a), turned(lowerOf(b))) : this.make(turned(upperOf(b)), upperOf(a));
  }
}

type RangeType = Extract<ValueType, { kind: 'range' | 'multirange' }>;

function rangeWithin(type: ValueType): RangeType | null {
  if (type.kind === 'array') return rangeWithin(type.element);
  return type.kind === 'range' || type.kind === 'multirange' ? type : null;
}

/** The bound of what begins where this ends, or ends where this begins. */
export function turned({ value, inclusive, isLower }: Bound): Bound {
  return { value, inclusive: !inclusive, isLower: !isLower };
}

/** data_exception: bounds not in order, or a result that would be no range. */
const NOT_IN_ORDER = '22000';

function nextInteger(bits: number): (value: string) => string {
  const end = (1n << BigInt(bits - 1)) - 1n;
  return (value) => {
    const number = BigInt(value);
    return number === end ? raise(OUT_OF_RANGE) : String(number + 1n);
  };
}

/** One day beyond the last date. (Postgres manual, "Date/Time Types") */
const DATE_END = parseDate('5874898-01-01');

function nextDate(value: string): string {
  const day = parseDate(value);
  if (!Number.isFinite(day)) return value;
  return day + 1 >= DATE_END ? raise(DATETIME_OVERFLOW) : printDate(day + 1);
}

const NEXT = { int4: nextInteger(32), int8: nextInteger(64), date: nextDate } as const;
