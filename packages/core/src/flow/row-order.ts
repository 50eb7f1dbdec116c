import { comparator, type TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';

export interface OrderKey {
  readonly type: ValueType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** How ORDER BY compares the values of its keys, side by side; 0 for peers. */
export function rowOrder(
  keys: readonly OrderKey[],
  rules: TypeRules,
): (left: readonly PgText[], right: readonly PgText[]) => number {
  const terms = keys.map((key) => ({ ...key, compare: comparator(key.type, rules) }));
  return (left, right) => {
    for (const [at, { compare, descending, nullsFirst }] of terms.entries()) {
      const a = left[at] ?? null;
      const b = right[at] ?? null;
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const order = compare(a, b);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

/** The first place of a sorted list at which `isBefore` does not hold any more. */
export function placeOf<T>(
  list: readonly T[],
  isBefore: (item: T) => boolean,
  from: number = 0,
  to: number = list.length,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
