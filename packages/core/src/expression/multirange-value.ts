import type { Compare, KeyOf } from '../engine/compare.js';
import { parseRange, printRange, rangeComparator, rangeKey, type RangeValue } from './range-value.js';
import { notReproduced } from './errors.js';

/** Ranges in their order, none empty, none touching another: `{[1,3),[5,7)}`. */
export type MultirangeValue = readonly RangeValue[];

const PARTS = /[[(](?:"(?:[^"\\]|\\.|"")*"|[^",()[\]])*,(?:"(?:[^"\\]|\\.|"")*"|[^",()[\]])*[\])]/gs;

/** (Postgres manual, "Range Types: Input/Output") */
export function parseMultirange(text: string): MultirangeValue {
  return partsOf(text).map((part) => parseRange(part) ?? notReproduced('an empty range in a multirange'));
}

export function printMultirange(ranges: MultirangeValue): string {
  return `{${ranges.map(printRange).join(',')}}`;
}

/** Range by range; where one ends first it is the lesser. */
export function multirangeComparator(compare: Compare): Compare {
  const compareRanges = rangeComparator(compare);
  return (left, right) => {
    const [a, b] = [partsOf(left), partsOf(right)];
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      const order = compareRanges(a[at] ?? '', b[at] ?? '');
      if (order !== 0) return order;
    }
    return a.length - b.length;
  };
}

/** Text that is the same for equal multiranges. */
export function multirangeKey(key: KeyOf): KeyOf {
  const keyOfRange = rangeKey(key);
  return (text) => `{${partsOf(text).map(keyOfRange).join(',')}}`;
}

function partsOf(text: string): readonly string[] {
  return text === '{}' ? [] : (text.match(PARTS) ?? notReproduced('this form of a multirange'));
}
