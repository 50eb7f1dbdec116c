import { isWhole } from '../engine/row-layout.js';
import type { Few } from '../few.js';
import type { Events } from './images.js';
import type { InputRow, Key } from './input-row.js';
import type { Held } from './joining.js';
import type { Maintained } from './maintained.js';
import type { FlowMember } from './member.js';

/*
 * What transactions that are told together will come by, read before any of them is applied.
 *
 * A read of memory that lies in no cache waits for it. Reads that do not depend on one another wait together; a row, then
 * its key, then its member are three waits, one after the other. So all changes take the first step side by side, then all
 * of them the next (group prefetching: Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through
 * Prefetching", ICDE 2004). Nothing is changed by it and nothing depends on it.
 */

/** What was read, so that it is read for something. */
let read = 0;

/** Transactions that have more changes are not looked ahead at. */
export const CHANGES_MAX = 100;

/** How many of the rows of a key are read: who has more takes its time anyway. */
const OF_KEY_MAX = 8;
/** Rows of an input that are read at most. */
const ROWS_MAX = 1_000;

/** @returns members that the transactions touch, as far as that is seen from what is held */
export function lookAhead(
  { held, children }: Maintained,
  transactions: readonly Events[],
): readonly FlowMember[] {
  if (held === null) return [];
  const look = new LookAhead(held);
  for (const [at, { input, ownKey }] of held.block.inputs.entries()) {
    const { of } = input;
    const child = children[at] ?? null;
    const store = held.stores[at];
    if (child !== null) for (const { key } of lookAhead(child, transactions)) look.key(at, store?.key(key));
    if (of.kind !== 'table') continue;
    for (const events of transactions) {
      for (const event of events.get(of.table) ?? []) {
        if (event === 'truncate') continue;
        const row = store?.find(event.oldKey ?? event.newKey ?? '');
        if (row !== undefined) look.row(at, row);
        else if (isWhole(event.values)) look.key(at, store?.key(ownKey.of(event.values) ?? ''));
      }
    }
  }
  return look.follow();
}

class LookAhead {
  readonly #held: Held;
  readonly #rows: readonly InputRow[][];
  readonly #keys: readonly Key[][];

  constructor(held: Held) {
    this.#held = held;
    this.#rows = held.places.map(() => []);
    this.#keys = held.places.map(() => []);
  }

  row(input: number, row: InputRow): void {
    this.#rows[input]?.push(row);
  }

  key(input: number, key: Key | undefined): void {
    if (key !== undefined) this.#keys[input]?.push(key);
  }

  /** From the rows and keys that were named up to members, and down again. @returns the members */
  follow(): FlowMember[] {
    const members: FlowMember[] = [];
    for (let at = this.#rows.length - 1; at >= 0; at--) this.#up(at, members);
    for (let at = 0; at < this.#rows.length; at++) this.#down(at);
    for (let at = 0; at < members.length; at++) read ^= (members[at] as FlowMember).size;
    return members;
  }

  #up(at: number, members: FlowMember[]): void {
    const [rows, keys] = [this.#rows[at] ?? [], this.#keys[at] ?? []];
    this.#readRows(rows, 0);
    for (let n = 0; n < rows.length; n++) {
      const { own } = rows[n] as InputRow;
      if (own !== null) keys.push(own);
    }
    this.#readKeys(keys, 0);
    const parent = this.#parentOf(at);
    if (parent === null) for (let n = 0; n < keys.length; n++) pushSome(members, (keys[n] as Key).members);
    else if (this.#isLinked(at))
      for (let n = 0; n < keys.length; n++) pushSome(this.#rows[parent] ?? [], (keys[n] as Key).above);
  }

  #down(at: number): void {
    const [parent, place] = [this.#parentOf(at), this.#held.places[at] ?? 0];
    if (parent === null || !this.#isLinked(at)) return;
    const [rows, keys, above] = [this.#rows[at] ?? [], this.#keys[at] ?? [], this.#rows[parent] ?? []];
    const [firstKey, firstRow] = [keys.length, rows.length];
    for (let n = 0; n < above.length; n++) {
      const key = (above[n] as InputRow).below[place];
      if (key) keys.push(key);
    }
    this.#readKeys(keys, firstKey);
    for (let n = 0; n < keys.length; n++) pushSome(rows, (keys[n] as Key).rows);
    this.#readRows(rows, firstRow);
  }

  #parentOf(at: number): number | null {
    return this.#held.block.inputs[at]?.input.demand.parent ?? null;
  }

  /** A row of the parent names a key of the input. */
  #isLinked(at: number): boolean {
    return (this.#held.mixed[at] ?? null) === null;
  }

  // Each loop takes one step for all, and does nothing else: so many reads are under way as the processor can bear.

  #readKeys(keys: readonly Key[], from: number): void {
    for (let n = from; n < keys.length; n++) read ^= (keys[n] as Key).count;
  }

  #readRows(rows: readonly InputRow[], from: number): void {
    for (let n = from; n < rows.length; n++) if ((rows[n] as InputRow).own !== null) read ^= 1;
    for (let n = from; n < rows.length; n++) read ^= (rows[n] as InputRow).values.length;
    for (let n = from; n < rows.length; n++) if ((rows[n] as InputRow).values[0] !== null) read ^= 1;
    for (let n = from; n < rows.length; n++) {
      const { values } = rows[n] as InputRow;
      for (let column = 0; column < values.length; column++) read ^= values[column]?.length ?? 0;
    }
  }
}

function pushSome<T extends object>(list: T[], few: Few<T> | undefined): void {
  if (few === undefined || list.length >= ROWS_MAX) return;
  if (Array.isArray(few)) for (let at = 0; at < few.length && at < OF_KEY_MAX; at++) list.push(few[at] as T);
  else if (!(few instanceof Set)) list.push(few);
}
