import type { Few } from '../few.js';
import type { InputRow, Key } from './input-row.js';
import type { FlowMember } from './member.js';

/*
 * What transactions that are told together will come by, read before any of them is applied.
 *
 * A read of memory that lies in no cache waits for it. Reads that do not depend on one another wait together; a row, then
 * its key, then its member are three waits, one after the other. So all changes take the first step side by side, then all
 * of them the next (group prefetching: Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through
 * Prefetching", ICDE 2004). Nothing is changed by it and nothing depends on it.
 */

/** How many of the rows of a key are read: who has more takes its time anyway. */
const OF_KEY_MAX = 8;
/** Rows of an input that are read at most. */
const ROWS_MAX = 1_000;

/** How rows of an input are reached from those of another. */
export interface Hanging {
  readonly parent: number | null;
  /** Where a row of the parent has its key; null where it has none by itself. */
  readonly place: number | null;
}

export class LookAhead {
  readonly #inputs: readonly Hanging[];
  readonly #rows: readonly InputRow[][];
  readonly #keys: readonly Key[][];
  /** So that what is read is read for something. */
  read = 0;

  /** @param inputs each behind its parent */
  constructor(inputs: readonly Hanging[]) {
    this.#inputs = inputs;
    this.#rows = inputs.map(() => []);
    this.#keys = inputs.map(() => []);
  }

  row(input: number, row: InputRow): void {
    this.#rows[input]?.push(row);
  }

  key(input: number, key: Key): void {
    this.#keys[input]?.push(key);
  }

  /** From the rows and keys that were named up to members, and down again. @returns the members */
  follow(): FlowMember[] {
    const members: FlowMember[] = [];
    for (let at = this.#inputs.length - 1; at >= 0; at--) this.#up(at, members);
    for (let at = 0; at < this.#inputs.length; at++) this.#down(at);
    let read = 0;
    for (let at = 0; at < members.length; at++) read += (members[at] as FlowMember).size;
    this.read += read;
    for (const rows of this.#rows) rows.length = 0;
    for (const keys of this.#keys) keys.length = 0;
    return members;
  }

  #up(at: number, members: FlowMember[]): void {
    const [rows, keys, input] = [this.#rows[at], this.#keys[at], this.#inputs[at]];
    if (rows === undefined || keys === undefined || input === undefined) return;
    this.#readRows(rows, 0);
    for (let n = 0; n < rows.length; n++) {
      const { own } = rows[n] as InputRow;
      if (own !== null) keys.push(own);
    }
    this.#readKeys(keys, 0);
    const above = input.parent === null ? undefined : this.#rows[input.parent];
    if (input.parent === null)
      for (let n = 0; n < keys.length; n++) pushSome(members, (keys[n] as Key).members);
    else if (input.place !== null && above !== undefined)
      for (let n = 0; n < keys.length; n++) pushSome(above, (keys[n] as Key).above);
  }

  #down(at: number): void {
    const [rows, keys, input] = [this.#rows[at], this.#keys[at], this.#inputs[at]];
    if (rows === undefined || keys === undefined || input === undefined) return;
    const { parent, place } = input;
    if (parent === null || place === null) return;
    const above = this.#rows[parent] ?? [];
    const [firstKey, firstRow] = [keys.length, rows.length];
    for (let n = 0; n < above.length; n++) {
      const key = (above[n] as InputRow).below[place];
      if (key) keys.push(key);
    }
    this.#readKeys(keys, firstKey);
    for (let n = 0; n < keys.length; n++) pushSome(rows, (keys[n] as Key).rows);
    this.#readRows(rows, firstRow);
  }

  // Each loop takes one step for all, and does nothing else: so many reads are under way as the processor can bear.

  #readKeys(keys: readonly Key[], from: number): void {
    let read = 0;
    for (let n = from; n < keys.length; n++) read += (keys[n] as Key).count;
    this.read += read;
  }

  #readRows(rows: readonly InputRow[], from: number): void {
    let read = 0;
    for (let n = from; n < rows.length; n++) if ((rows[n] as InputRow).own !== null) read++;
    for (let n = from; n < rows.length; n++) read += (rows[n] as InputRow).values.length;
    for (let n = from; n < rows.length; n++) if ((rows[n] as InputRow).values[0] !== null) read++;
    for (let n = from; n < rows.length; n++) {
      const { values } = rows[n] as InputRow;
      for (let column = 0; column < values.length; column++) read += values[column]?.length ?? 0;
    }
    this.read += read;
  }
}

function pushSome<T extends object>(list: T[], few: Few<T> | undefined): void {
  if (few === undefined || list.length >= ROWS_MAX) return;
  if (Array.isArray(few)) for (let at = 0; at < few.length && at < OF_KEY_MAX; at++) list.push(few[at] as T);
  else if (!(few instanceof Set)) list.push(few);
}
