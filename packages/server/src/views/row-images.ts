import type { PgText } from '@sluice/core/value';
import type { TableConcern } from '../planner/planned.js';
import type { Change, Relation, Tuple } from '../source/transaction.js';

/** A row before or after a change, in the columns asked for; `undefined` where the stream does not say. */
export type Image = readonly (PgText | undefined)[];

/**
 * What a change says of a row before and after it.
 *
 *   replica identity        old row of an update or delete
 *   full                    all of it
 *   a key                   the key; all else may have been anything (C9)
 *
 * A value out of line that did not change is not sent: it is the old one, if that was.
 * @returns null when any row may have come or gone: a truncate, or columns that are not those asked for
 */
export function rowImages(change: Change, columns: TableConcern['columns']): readonly Image[] | null {
  if (change.kind === 'truncate') return null;
  const { relation } = change;
  const places = placesOf(relation, columns);
  if (places === null) return null;
  const isKey = (place: number): boolean => relation.columns[place]?.identity === true;
  const all = (tuple: Tuple): Image => places.map((place) => tuple.text(place));
  const keyOf = (tuple: Tuple): Image =>
    places.map((place) => (isKey(place) ? tuple.text(place) : undefined));
  if (change.kind === 'insert') return [all(change.new)];
  if (change.kind === 'delete') return [change.identity === 'full' ? all(change.old) : keyOf(change.old)];
  const old =
    change.old === null
      ? keyOf(change.new)
      : change.identity === 'full'
        ? all(change.old)
        : keyOf(change.old);
  return [old, all(change.new).map((value, at) => (value === undefined ? old[at] : value))];
}

/** Where the columns stand in the relation's tuples; null when one is not there, or of another type. */
function placesOf(relation: Relation, columns: TableConcern['columns']): readonly number[] | null {
  const places: number[] = [];
  for (const { name, typeOid } of columns) {
    const place = relation.columns.findIndex((one) => one.name === name);
    if (relation.columns[place]?.typeOid !== typeOid) return null;
    places.push(place);
  }
  return places;
}
