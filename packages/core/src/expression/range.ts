import { comparator } from '../engine/compare.js';
import type { Compare, TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { notReproduced, raise } from './errors.js';
import { isOrdered } from './ordered.js';
import {
  compareBounds,
  lowerOf,
  parseRange,
  printRange,
  rangeComparator,
  upperOf,
  type RangeValue,
} from './range-value.js';
import { RangeMaking, type MaybeRange } from './range-making.js';
import { loose, strict, tests, typed, typedComparisons, typedTests, type Family } from './registry.js';

function elementCompare(types: readonly ValueType[], rules: TypeRules): Compare {
  const range = types.find((type) => type.kind === 'range');
  if (range?.kind !== 'range' || !isOrdered(range.element)) return notReproduced('the order of this range');
  return comparator(range.element, rules);
}

type Pair = (a: RangeValue, b: RangeValue, compare: Compare) => boolean;

/** A test of two ranges that are not empty; with an empty one it is false. */
function pair(test: Pair) {
  return (types: readonly ValueType[], rules: TypeRules) => {
    const compare = elementCompare(types, rules);
    return (left: string, right: string) => {
      const a = parseRange(left);
      const b = parseRange(right);
      return a !== null && b !== null && test(a, b, compare);
    };
  };
}

const before: Pair = (a, b, compare) => compareBounds(upperOf(a), lowerOf(b), compare) < 0;
const overlaps: Pair = (a, b, compare) =>
  compareBounds(lowerOf(a), upperOf(b), compare) <= 0 && compareBounds(lowerOf(b), upperOf(a), compare) <= 0;
const covers: Pair = (a, b, compare) =>
  compareBounds(lowerOf(a), lowerOf(b), compare) <= 0 && compareBounds(upperOf(a), upperOf(b), compare) >= 0;

/** Every range holds the empty one. */
function containing(types: readonly ValueType[], rules: TypeRules) {
  const compare = elementCompare(types, rules);
  return (left: string, right: string): boolean => {
    const b = parseRange(right);
    if (b === null) return true;
    const a = parseRange(left);
    return a !== null && covers(a, b, compare);
  };
}

function containsElement(types: readonly ValueType[], rules: TypeRules) {
  const compare = elementCompare(types, rules);
  return (text: string, element: string): boolean => {
    const range = parseRange(text);
    if (range === null) return false;
    const low = range.lower === null ? -1 : compare(range.lower, element);
    const high = range.upper === null ? 1 : compare(range.upper, element);
    return (
      (low < 0 || (low === 0 && range.lowerInclusive)) && (high > 0 || (high === 0 && range.upperInclusive))
    );
  };
}

/** Two ranges' common part. */
function intersection(types: readonly ValueType[], rules: TypeRules) {
  const compare = elementCompare(types, rules);
  return (left: string, right: string): string => {
    const a = parseRange(left);
    const b = parseRange(right);
    if (a === null || b === null || !overlaps(a, b, compare)) return 'empty';
    const low = compareBounds(lowerOf(a), lowerOf(b), compare) >= 0 ? a : b;
    const high = compareBounds(upperOf(a), upperOf(b), compare) <= 0 ? a : b;
    return printRange({
      lower: low.lower,
      lowerInclusive: low.lowerInclusive,
      upper: high.upper,
      upperInclusive: high.upperInclusive,
    });
  };
}

const bound = (of: (range: RangeValue) => PgText) => (text: string) => {
  const range = parseRange(text);
  return range === null ? null : of(range);
};
const trait = (of: (range: RangeValue) => boolean) => (text: string) => {
  const range = parseRange(text);
  return range !== null && of(range);
};
const comparing = (types: readonly ValueType[], rules: TypeRules): Compare =>
  rangeComparator(elementCompare(types, rules));

/** With functions that make a range of a type of their own form. */
function made(operation: (a: MaybeRange, b: MaybeRange, making: RangeMaking) => MaybeRange) {
  return (types: readonly ValueType[], rules: TypeRules) => {
    const making = RangeMaking.of(types, rules);
    return (left: string, right: string): string =>
      printRange(operation(parseRange(left), parseRange(right), making));
  };
}

const FLAGS = /^[[(][\])]$/;
const NO_FLAGS = '22000';
const SYNTAX = '42601';

/** Of two bounds, and what is said of them: `[)` where nothing is. The type is the one that is made. */
function constructed(types: readonly ValueType[], rules: TypeRules) {
  const making = RangeMaking.of(types, rules);
  return (lower: PgText = null, upper: PgText = null, flags: PgText = null): string => {
    const [open, close] = FLAGS.test(flags ?? raise(NO_FLAGS)) ? (flags ?? '') : raise(SYNTAX);
    return printRange(
      making.make(
        { value: lower, inclusive: open === '[', isLower: true },
        { value: upper, inclusive: close === ']', isLower: false },
      ),
    );
  };
}

export const RANGE: Family = {
  ...typedComparisons('range_', comparing),
  ...typedTests({
    range_contains: containing,
    range_contained_by: (...of) => {
      const contains = containing(...of);
      return (a, b) => contains(b, a);
    },
    range_contains_elem: containsElement,
    elem_contained_by_range: (...of) => {
      const contains = containsElement(...of);
      return (element, range) => contains(range, element);
    },
    range_overlaps: pair(overlaps),
    range_before: pair(before),
    range_after: pair((a, b, compare) => before(b, a, compare)),
    range_overleft: pair((a, b, compare) => compareBounds(upperOf(a), upperOf(b), compare) <= 0),
    range_overright: pair((a, b, compare) => compareBounds(lowerOf(a), lowerOf(b), compare) >= 0),
  }),
  ...typedTests({
    range_adjacent: (types, rules) => {
      const making = RangeMaking.of(types, rules);
      return (left, right) => {
        const [a, b] = [parseRange(left), parseRange(right)];
        return a !== null && b !== null && making.adjacent(a, b);
      };
    },
  }),
  ...typed('anyrange', {
    range_intersect: intersection,
    range_union: made((a, b, making) => making.union(a, b, true)),
    range_merge: made((a, b, making) => making.union(a, b, false)),
    range_minus: made((a, b, making) => making.minus(a, b)),
  }),
  ...loose('anyrange', {
    range_constructor2: (types, rules) => {
      const construct = constructed(types, rules);
      return (lower = null, upper = null) => construct(lower, upper, '[)');
    },
    range_constructor3: constructed,
  }),
  ...strict('anyelement', {
    range_lower: bound((range) => range.lower),
    range_upper: bound((range) => range.upper),
  }),
  ...tests({
    range_empty: (text) => parseRange(text) === null,
    range_lower_inc: trait((range) => range.lowerInclusive),
    range_upper_inc: trait((range) => range.upperInclusive),
    range_lower_inf: trait((range) => range.lower === null),
    range_upper_inf: trait((range) => range.upper === null),
  }),
};
