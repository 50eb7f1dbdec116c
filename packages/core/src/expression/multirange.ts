import { comparator, type Compare, type TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { parseArray } from './array-value.js';
import { notReproduced, raise } from './errors.js';
import {
  multirangeComparator,
  parseMultirange,
  printMultirange,
  type MultirangeValue,
} from './multirange-value.js';
import { isOrdered } from './ordered.js';
import { RangeMaking, turned, type MaybeRange } from './range-making.js';
import { lowerOf, parseRange, printRange, rangeComparator, upperOf, type RangeValue } from './range-value.js';
import { strict, tests, typed, typedComparisons, typedTests, type Bind, type Family } from './registry.js';

type Operand = 'range' | 'multirange';
type Test = (a: MultirangeValue, b: MultirangeValue, making: RangeMaking) => boolean;

/** A range is a multirange of one. */
const READ: Readonly<Record<Operand, (text: string) => MultirangeValue>> = {
  range: (text) => {
    const range = parseRange(text);
    return range === null ? [] : [range];
  },
  multirange: parseMultirange,
};

function pair(left: Operand, right: Operand, test: Test): Bind<(a: string, b: string) => boolean> {
  return (types, rules) => {
    const making = RangeMaking.of(types, rules);
    return (a, b) => test(READ[left](a), READ[right](b), making);
  };
}

/** Of what is empty, nothing is beside it. */
function beside(test: Test): Test {
  return (a, b, making) => a.length > 0 && b.length > 0 && test(a, b, making);
}

/** From its first bound to its last. */
function hull(ranges: MultirangeValue): RangeValue {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (first === undefined || last === undefined) return notReproduced('the bounds of an empty multirange');
  return {
    lower: first.lower,
    lowerInclusive: first.lowerInclusive,
    upper: last.upper,
    upperInclusive: last.upperInclusive,
  };
}

const contains: Test = (a, b, making) => b.every((inner) => a.some((outer) => making.covers(outer, inner)));
const overlaps: Test = (a, b, making) => a.some((one) => b.some((other) => making.overlap(one, other)));
const before = beside((a, b, making) => making.before(hull(a), hull(b)));
const overleft = beside((a, b, making) => making.bounds(upperOf(hull(a)), upperOf(hull(b))) <= 0);
const overright = beside((a, b, making) => making.bounds(lowerOf(hull(a)), lowerOf(hull(b))) >= 0);
const adjacent = beside((a, b, making) => making.adjacent(hull(a), hull(b)));

function reversed(test: Test): Test {
  return (a, b, making) => test(b, a, making);
}

/** A relation of a multirange with a range, either way round, and with another multirange. */
function relation(name: string, test: Test): Record<string, Bind<(a: string, b: string) => boolean>> {
  return {
    [`multirange_${name}_range`]: pair('multirange', 'range', test),
    [`range_${name}_multirange`]: pair('range', 'multirange', test),
    [`multirange_${name}_multirange`]: pair('multirange', 'multirange', test),
  };
}

function elementCompare(types: readonly ValueType[], rules: TypeRules): Compare {
  const type = types.find(({ kind }) => kind === 'multirange');
  if (type?.kind !== 'multirange' || !isOrdered(type.element))
    return notReproduced('the order of this multirange');
  return comparator(type.element, rules);
}

const comparing = (types: readonly ValueType[], rules: TypeRules): Compare =>
  multirangeComparator(elementCompare(types, rules));

function containsElement(types: readonly ValueType[], rules: TypeRules) {
  const compare = elementCompare(types, rules);
  return (text: string, element: string): boolean =>
    parseMultirange(text).some((range) => {
      const low = range.lower === null ? -1 : compare(range.lower, element);
      const high = range.upper === null ? 1 : compare(range.upper, element);
      return (
        (low < 0 || (low === 0 && range.lowerInclusive)) && (high > 0 || (high === 0 && range.upperInclusive))
      );
    });
}

/** In order, joined where they touch. (multirangetypes.c, `multirange_canonicalize`) */
function united(ranges: readonly MaybeRange[], making: RangeMaking): MultirangeValue {
  const result: RangeValue[] = [];
  for (const range of inOrder(ranges, making)) {
    const last = result.at(-1);
    if (last === undefined || (!making.adjacent(last, range) && making.before(last, range))) {
      result.push(range);
      continue;
    }
    const joined = making.union(last, range, !making.adjacent(last, range));
    if (joined !== null) result[result.length - 1] = joined;
  }
  return result;
}

/** Postgres's sort leaves open which of two equal ranges is first. */
function inOrder(ranges: readonly MaybeRange[], { compare }: RangeMaking): readonly RangeValue[] {
  const compareTexts = rangeComparator(compare);
  return ranges
    .filter((range) => range !== null)
    .toSorted((a, b) => {
      const [left, right] = [printRange(a), printRange(b)];
      const order = compareTexts(left, right);
      if (order === 0 && left !== right)
        notReproduced('which of equal ranges that print differently is first');
      return order;
    });
}

/** What of `a` is in no range of `b`. (multirangetypes.c, `multirange_minus_internal`) */
function minus(a: MultirangeValue, b: MultirangeValue, making: RangeMaking): MultirangeValue {
  const result: MaybeRange[] = [];
  for (const range of a) {
    let rest: MaybeRange = range;
    for (const cut of b) {
      if (rest === null || !making.overlap(rest, cut)) continue;
      const inside: boolean =
        making.bounds(lowerOf(rest), lowerOf(cut)) < 0 && making.bounds(upperOf(rest), upperOf(cut)) > 0;
      if (inside) result.push(making.make(lowerOf(rest), turned(lowerOf(cut))));
      rest = inside ? making.make(turned(upperOf(cut)), upperOf(rest)) : making.minus(rest, cut);
    }
    result.push(rest);
  }
  return united(result, making);
}

function intersection(a: MultirangeValue, b: MultirangeValue, making: RangeMaking): MultirangeValue {
  const parts = a.flatMap((one) =>
    b
      .filter((other) => making.overlap(one, other))
      .map((other) => {
        const low = making.bounds(lowerOf(one), lowerOf(other)) >= 0 ? one : other;
        const high = making.bounds(upperOf(one), upperOf(other)) <= 0 ? one : other;
        return making.make(lowerOf(low), upperOf(high));
      }),
  );
  return united(parts, making);
}

type Operation = (a: MultirangeValue, b: MultirangeValue, making: RangeMaking) => MultirangeValue;

function made(operation: Operation): Bind<(a: string, b: string) => string> {
  return (types, rules) => {
    const making = RangeMaking.of(types, rules);
    return (a, b) => printMultirange(operation(parseMultirange(a), parseMultirange(b), making));
  };
}

const SEVERAL_DIMENSIONS = '21000';
const NULL_NOT_ALLOWED = '22004';

/** Of an array of ranges. */
function gathered(types: readonly ValueType[], rules: TypeRules) {
  const making = RangeMaking.of(types, rules);
  return (text: string): string => {
    const { lengths, elements } = parseArray(text);
    if (lengths.length > 1) raise(SEVERAL_DIMENSIONS);
    const ranges = elements.map((one) => parseRange(one ?? raise(NULL_NOT_ALLOWED)));
    return printMultirange(united(ranges, making));
  };
}

const first = (of: (range: RangeValue) => PgText) => (text: string) => {
  const [range] = parseMultirange(text);
  return range === undefined ? null : of(range);
};
const last = (of: (range: RangeValue) => PgText) => (text: string) => {
  const range = parseMultirange(text).at(-1);
  return range === undefined ? null : of(range);
};
const isFirst = (of: (range: RangeValue) => boolean) => (text: string) => {
  const [range] = parseMultirange(text);
  return range !== undefined && of(range);
};
const isLast = (of: (range: RangeValue) => boolean) => (text: string) => {
  const range = parseMultirange(text).at(-1);
  return range !== undefined && of(range);
};

export const MULTIRANGE: Family = {
  ...typedComparisons('multirange_', comparing),
  ...typedTests({
    ...relation('contains', contains),
    ...relation('contained_by', reversed(contains)),
    ...relation('overlaps', overlaps),
    ...relation('before', before),
    ...relation('after', reversed(before)),
    ...relation('overleft', overleft),
    ...relation('overright', overright),
    ...relation('adjacent', adjacent),
    multirange_contains_elem: containsElement,
    elem_contained_by_multirange: (...of) => {
      const holds = containsElement(...of);
      return (element, multirange) => holds(multirange, element);
    },
  }),
  ...typed('anymultirange', {
    multirange_union: made((a, b, making) =>
      a.length === 0 || b.length === 0 ? [...a, ...b] : united([...a, ...b], making),
    ),
    multirange_minus: made(minus),
    multirange_intersect: made(intersection),
    multirange_constructor1: () => (text) => printMultirange(READ.range(text)),
    multirange_constructor2: gathered,
  }),
  ...typed('anyrange', {
    range_merge_from_multirange: () => (text) => {
      const ranges = parseMultirange(text);
      return ranges.length === 0 ? 'empty' : printRange(hull(ranges));
    },
  }),
  ...strict('anyelement', {
    multirange_lower: first(({ lower }) => lower),
    multirange_upper: last(({ upper }) => upper),
  }),
  ...tests({
    multirange_empty: (text) => text === '{}',
    multirange_lower_inc: isFirst((range) => range.lowerInclusive),
    multirange_upper_inc: isLast((range) => range.upperInclusive),
    multirange_lower_inf: isFirst((range) => range.lower === null),
    multirange_upper_inf: isLast((range) => range.upper === null),
  }),
};
