/**
 * A set of objects that has one or a few members most of the time. One stands for itself, a few are a list: of a hundred
 * thousand such sets none has a table of its own, and to look at one touches as little memory as can be. Many are a Set.
 */
export type Few<T extends object> = T | T[] | Set<T>;

/** Beyond so many a list is slower than a Set. */
const LIST_MAX = 32;

/** The set of several, no two the same; a list of them is as long as it has to be. */
export function fewOf<T extends object>(some: readonly T[]): Few<T> | undefined {
  if (some.length > LIST_MAX) return new Set(some);
  return some.length > 1 ? some.slice() : some[0];
}

/** The set with one more; `few` is not to be used any more. */
export function withOne<T extends object>(few: Few<T> | undefined, one: T): Few<T> {
  if (few === undefined) return one;
  if (few instanceof Set) return few.add(one);
  if (!Array.isArray(few)) return few === one ? few : [few, one];
  if (few.includes(one)) return few;
  if (few.length === LIST_MAX) return new Set(few).add(one);
  few.push(one);
  return few;
}

/** The set with one less, undefined when none is left; `few` is not to be used any more. */
export function withoutOne<T extends object>(few: Few<T> | undefined, one: T): Few<T> | undefined {
  if (few === undefined || few === one) return undefined;
  if (few instanceof Set) {
    few.delete(one);
    return few.size === 0 ? undefined : few;
  }
  if (!Array.isArray(few)) return few;
  const at = few.indexOf(one);
  if (at >= 0) few.splice(at, 1);
  return few.length === 0 ? undefined : few;
}

/** The set with another in the place of one that it has; `few` is not to be used any more. */
export function withOther<T extends object>(few: Few<T>, one: T, other: T): Few<T> {
  if (few === one) return other;
  if (few instanceof Set) {
    few.delete(one);
    return few.add(other);
  }
  if (!Array.isArray(few)) return few;
  const at = few.indexOf(one);
  if (at >= 0) few[at] = other;
  return few;
}

export function hasOne<T extends object>(few: Few<T> | undefined, one: T): boolean {
  if (few === undefined) return false;
  if (few instanceof Set) return few.has(one);
  return Array.isArray(few) ? few.includes(one) : few === one;
}

export function sizeOf(few: Few<object> | undefined): number {
  if (few === undefined) return 0;
  if (few instanceof Set) return few.size;
  return Array.isArray(few) ? few.length : 1;
}

/** The members, in the order in which they came. */
export function each<T extends object>(few: Few<T> | undefined): Iterable<T> {
  if (few === undefined) return [];
  return few instanceof Set || Array.isArray(few) ? few : [few];
}

/** Things by their keys, of which there is mostly one: that one has no table. */
export class FewByKey<K, V extends object> {
  #key: K | undefined;
  #only: V | undefined;
  #all: Map<K, V> | undefined;

  get(key: K): V | undefined {
    return this.#all ? this.#all.get(key) : key === this.#key ? this.#only : undefined;
  }

  set(key: K, one: V): void {
    if (this.#only && key !== this.#key) this.#all ??= new Map([[this.#key as K, this.#only]]);
    this.#all?.set(key, one);
    this.#key = key;
    this.#only = one;
  }

  values(): readonly V[] {
    return this.#all ? [...this.#all.values()] : this.#only ? [this.#only] : [];
  }
}

/**
 * The list with one more; `list` is not to be used any more. A list that begins by a push has room for seventeen: most of
 * those that a change makes have one.
 */
export function appended<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}
