import { mapKey, textOf, type MapKey } from '../map-key.js';
import type { PgText } from '../value.js';

/** A value that is held, and compared with others of its column. */
export type Value = MapKey | null;

/** The values of some columns of a row: of one it is its value, of none null. */
export type Packed = Value | readonly Value[];

export function packed(columns: readonly number[], values: readonly PgText[]): Packed {
  const [first] = columns;
  if (first === undefined) return null;
  if (columns.length === 1) return valueOf(values[first] ?? null);
  return columns.map((column) => valueOf(values[column] ?? null));
}

export function unpacked(columns: readonly number[], held: Packed): readonly PgText[] {
  return columns.map((_, at) => {
    const value = partOf(held, at);
    return value === null ? null : textOf(value);
  });
}

/** The value of the column at an index. */
export function partOf(held: Packed, at: number): Value {
  return isList(held) ? (held[at] ?? null) : held;
}

/** Whether the columns have these values; one that is not known is another. */
export function isPacked(
  columns: readonly number[],
  held: Packed,
  values: readonly (PgText | undefined)[],
): boolean {
  for (let at = 0; at < columns.length; at++) {
    const value = values[columns[at] ?? 0];
    if (value === undefined || valueOf(value) !== partOf(held, at)) return false;
  }
  return true;
}

export function samePacked(one: Packed, other: Packed): boolean {
  if (!isList(one) || !isList(other)) return one === other;
  return one.every((value, at) => value === other[at]);
}

/** Characters of texts that are held for it. */
export function lengthOf(held: Packed): number {
  if (isList(held)) return held.reduce<number>((sum, value) => sum + lengthOf(value), 0);
  return typeof held === 'string' ? held.length : 0;
}

function valueOf(value: PgText): Value {
  return value === null ? null : mapKey(value);
}

function isList(held: Packed): held is readonly Value[] {
  return typeof held === 'object' && held !== null;
}
