import type { HeldRow, Member } from './member.js';
import { WindowRows } from './member-rows.js';
import { UNPRINTED } from './print.js';
import type { RowEvent, TableEngine } from './table-engine.js';

/** What was read, so that it is read for something. */
let read = 0;

/**
 * What transactions that are applied next will come by is read side by side, as in `flow/look-ahead.ts`.
 * @returns members that they touch, as far as that is seen from the rows that are held
 */
export function lookAhead(
  engine: TableEngine,
  transactions: readonly (readonly RowEvent[])[],
): readonly Member[] {
  const rows: HeldRow[] = [];
  for (const events of transactions)
    for (const event of events) {
      const row = event === 'truncate' ? undefined : engine.find(event.oldKey ?? event.newKey ?? '');
      if (row !== undefined) rows.push(row);
    }
  // Each loop takes one step for all.
  for (let n = 0; n < rows.length; n++) read ^= (rows[n] as HeldRow).bytes;
  for (let n = 0; n < rows.length; n++) {
    const { print, json } = rows[n] as HeldRow;
    if (print === UNPRINTED) read ^= json.length;
  }
  for (let n = 0; n < rows.length; n++) {
    const { standing } = rows[n] as HeldRow;
    if (typeof standing === 'object' && standing !== null) read ^= standing.length;
  }
  const members: Member[] = [];
  for (let n = 0; n < rows.length; n++) {
    const { members: few } = rows[n] as HeldRow;
    if (Array.isArray(few) || few instanceof Set) members.push(...few);
    else if (few !== undefined) members.push(few);
  }
  for (let n = 0; n < members.length; n++) read ^= (members[n] as Member).place;
  // What says whether a row is shown.
  for (let n = 0; n < members.length; n++) {
    const member = members[n];
    if (member instanceof WindowRows) read ^= member.behind?.bytes ?? 0;
  }
  return members;
}
