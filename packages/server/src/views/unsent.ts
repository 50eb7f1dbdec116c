import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { RowKey } from '@sluice/core/value';
import type { Change } from '../source/transaction.js';

const NONE: ReadonlySet<number> = new Set();

/**
 * The relations of a transaction whose rows are not known for want of values: a long one that did not change is not sent
 * (C8), unless the replica identity is FULL, and what is held does not have it either. A member that misses at such a
 * transaction misses because of that.
 * @param events of the changes, one each @param isHeld before the transaction
 */
export function unsentIn(
  changes: readonly Change[],
  events: readonly RowEvent[],
  isHeld: (key: RowKey) => boolean,
): ReadonlySet<number> {
  if (!events.some(lacks)) return NONE;
  const relations = new Set<number>();
  const known = new Set<RowKey>();
  for (const [at, event] of events.entries()) {
    if (event === 'truncate' || event.newKey === null) continue;
    const { oldKey, newKey } = event;
    const relation = changes[at]?.relation.oid;
    if (!lacks(event) || (oldKey !== null && (known.has(oldKey) || isHeld(oldKey)))) known.add(newKey);
    else if (relation !== undefined) relations.add(relation);
  }
  return relations;
}

function lacks(event: RowEvent): boolean {
  return event !== 'truncate' && event.oldValues === undefined && event.values.includes(undefined);
}
