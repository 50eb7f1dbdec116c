import { mapKey, type MapKey } from '../map-key.js';
import type { PgText } from '../value.js';

/** A value that is held, and compared with others of its column. */
export type Value = MapKey | null;

/** The values of some columns of a row: of one it is its value, of none null. */
export type Packed = Value | readonly Value[];

export function packed(columns: readonly number[], values: readonly PgText[]): Packed {
  const list = columns.map((column) => valueOf(values[column] ?? null));
  return list.length > 1 ? list : (list[0] ?? null);
}

/** The value of the column at an index. */
export function partOf(held: Packed, at: number): Value {
  return typeof held === 'object' && held !== null ? (held[at] ?? null) : held;
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

function valueOf(value: PgText): Value {
  return value === null ? null : mapKey(value);
}
