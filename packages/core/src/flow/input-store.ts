import { must } from '../assert.js';
import { bytesBetween, bytesOfValues, ENTRY_BYTES, type HeldBytes } from '../engine/held-bytes.js';
import { each, withOne, withOther, withoutOne, type Few } from '../few.js';
import type { PgText, RowKey } from '../value.js';
import type { FlowMember } from './member.js';
import type { Row } from './row.js';

/**
 * The rows of one input that something demands: all rows of each key that is *covered*, and no others. Who demands a
 * key is counted; a key that nobody demands any more is let go when `sweep` is called, so that what goes and comes
 * back within one transaction is not fetched again.
 *
 *   demanded, covered        rows are known, changes are followed
 *   demanded, not covered    to be fetched; who looks meanwhile misses
 */
export class InputStore {
  readonly #keys = new Map<string, Key>();
  readonly #byKey = new Map<RowKey, Row>();
  readonly #ownKey: (row: Row) => string | null;
  readonly #indexes: readonly ChildIndex[];
  readonly #bytes: HeldBytes;
  readonly #isShared: boolean;
  #idle: string[] = [];

  /**
   * @param ownKey the key that a row agrees with
   * @param indexes one for each input that hangs below this one
   * @param isShared the rows are held elsewhere as well, and counted there
   */
  constructor(
    ownKey: (row: Row) => string | null,
    indexes: readonly ChildIndex[],
    bytes: HeldBytes,
    isShared: boolean,
  ) {
    this.#ownKey = ownKey;
    this.#indexes = indexes;
    this.#bytes = bytes;
    this.#isShared = isShared;
  }

  get rowCount(): number {
    return this.#byKey.size;
  }

  /** Rows of a key; undefined when they are not known. */
  rows(key: string): Iterable<Row> | undefined {
    const found = this.#keys.get(key);
    return found?.isCovered === true ? each(found.rows) : undefined;
  }

  /** The row of that identity, if it is held. */
  find(rowKey: RowKey): Row | undefined {
    return this.#byKey.get(rowKey);
  }

  /** Lets a key go that is not counted. */
  drop(key: string): void {
    this.uncover(key);
    this.#keys.delete(key);
  }

  isDemanded(key: string): boolean {
    return this.#keys.has(key);
  }

  *covered(): Generator<string> {
    for (const [key, { isCovered }] of this.#keys) if (isCovered) yield key;
  }

  isCovered(key: string): boolean {
    return this.#keys.get(key)?.isCovered === true;
  }

  /** @param given what the key is made of @returns whether it is the first to demand it */
  demand(key: string, given: () => readonly PgText[]): boolean {
    const known = this.#keys.get(key);
    if (known !== undefined) {
      known.count++;
      return false;
    }
    this.#keys.set(key, {
      count: 1,
      given: given(),
      isCovered: false,
      rows: undefined,
      above: undefined,
      members: undefined,
    });
    return true;
  }

  /** Rows of the parent that demand the key. */
  aboveOf(key: string): Few<Row> | undefined {
    return this.#keys.get(key)?.above;
  }

  setAbove(key: string, rows: Few<Row> | undefined): void {
    this.#demanded(key).above = rows;
  }

  /** Members that demand the key. */
  membersOf(key: string): Few<FlowMember> | undefined {
    return this.#keys.get(key)?.members;
  }

  enter(key: string, member: FlowMember): void {
    const known = this.#demanded(key);
    known.members = withOne(known.members, member);
  }

  leave(key: string, member: FlowMember): void {
    const known = this.#demanded(key);
    known.members = withoutOne(known.members, member);
  }

  /** What a demanded key is made of. */
  givenOf(key: string): readonly PgText[] | undefined {
    return this.#keys.get(key)?.given;
  }

  release(key: string): void {
    const known = this.#demanded(key);
    if (--known.count === 0) this.#idle.push(key);
  }

  /** All rows of a key that is demanded, from now on followed. */
  cover(key: string, rows: Iterable<Row>): void {
    const known = this.#demanded(key);
    known.isCovered = true;
    for (const row of rows) this.#put(known, row);
  }

  put(key: string, row: Row): void {
    this.#put(this.#demanded(key), row);
  }

  remove(row: Row): void {
    const known = must(this.#keyOf(row), 'a held row');
    known.rows = withoutOne(known.rows, row);
    this.#gone(row);
  }

  /** Another image of a row that is held, under the same key: it takes its place. */
  replace(old: Row, next: Row): void {
    const known = must(this.#keyOf(old), 'a held row');
    known.rows = withOther(must(known.rows, 'a held row'), old, next);
    this.#byKey.set(next.key, next);
    if (!this.#isShared) this.#bytes.change(bytesBetween(old.values, next.values));
    for (const index of this.#indexes) index.replace(old, next);
  }

  /** The key is to be fetched anew: its rows are not known any more. */
  uncover(key: string): void {
    const known = this.#keys.get(key);
    if (known === undefined) return;
    const rows = each(known.rows);
    known.rows = undefined;
    known.isCovered = false;
    for (const row of rows) this.#gone(row);
  }

  /** Lets go what nobody demands. @returns the keys */
  sweep(): string[] {
    if (this.#idle.length === 0) return NONE;
    const gone: string[] = [];
    for (let key = this.#idle.pop(); key !== undefined; key = this.#idle.pop()) {
      if (this.#keys.get(key)?.count !== 0) continue;
      this.drop(key);
      gone.push(key);
    }
    return gone;
  }

  #demanded(key: string): Key {
    return must(this.#keys.get(key), 'a demanded key');
  }

  #keyOf(row: Row): Key | undefined {
    const key = this.#ownKey(row);
    return key === null ? undefined : this.#keys.get(key);
  }

  #bytesOf(row: Row): number {
    const own = this.#isShared ? 0 : bytesOfValues(row.values);
    return own + (2 + this.#indexes.length) * ENTRY_BYTES;
  }

  #gone(row: Row): void {
    this.#byKey.delete(row.key);
    this.#bytes.change(-this.#bytesOf(row));
    for (const index of this.#indexes) index.remove(row);
  }

  #put(known: Key, row: Row): void {
    known.rows = withOne(known.rows, row);
    this.#byKey.set(row.key, row);
    this.#bytes.change(this.#bytesOf(row));
    for (const index of this.#indexes) index.add(row);
  }
}

const NONE: string[] = [];

interface Key {
  /** How many demand it. */
  count: number;
  readonly given: readonly PgText[];
  isCovered: boolean;
  rows: Few<Row> | undefined;
  /** Who demands it: rows of the parent, or members. One look finds all that there is to a key. */
  above: Few<Row> | undefined;
  members: Few<FlowMember> | undefined;
}

export interface RowsByKey {
  get(key: string): Few<Row> | undefined;
  set(key: string, rows: Few<Row> | undefined): void;
}

/** Where what is demanded is not yet a key of the input below. */
export class OwnRows implements RowsByKey {
  readonly #rows = new Map<string, Few<Row>>();

  get(key: string): Few<Row> | undefined {
    return this.#rows.get(key);
  }

  set(key: string, rows: Few<Row> | undefined): void {
    if (rows === undefined) this.#rows.delete(key);
    else this.#rows.set(key, rows);
  }
}

/** Rows of a parent by what an input below demands of them; tells that input what is demanded. */
export class ChildIndex {
  readonly #keyOf: (row: Row) => string | null;
  readonly #demand: (key: string, row: Row) => void;
  readonly #release: (key: string) => void;
  readonly #rows: RowsByKey;

  constructor(
    rows: RowsByKey,
    keyOf: (row: Row) => string | null,
    demand: (key: string, row: Row) => void,
    release: (key: string) => void,
  ) {
    this.#rows = rows;
    this.#keyOf = keyOf;
    this.#demand = demand;
    this.#release = release;
  }

  has(key: string): boolean {
    return this.#rows.get(key) !== undefined;
  }

  /** Rows of the parent that demand the key. */
  rows(key: string): Iterable<Row> {
    return each(this.#rows.get(key));
  }

  add(row: Row): void {
    const key = this.#keyOf(row);
    if (key === null) return;
    this.#demand(key, row);
    this.#rows.set(key, withOne(this.#rows.get(key), row));
  }

  remove(row: Row): void {
    const key = this.#keyOf(row);
    if (key === null) return;
    const left = withoutOne(must(this.#rows.get(key), 'a held row'), row);
    this.#rows.set(key, left);
    this.#release(key);
  }

  /** What demands the same as before goes on demanding it. */
  replace(old: Row, next: Row): void {
    const key = this.#keyOf(old);
    if (key === null || key !== this.#keyOf(next)) {
      this.remove(old);
      this.add(next);
      return;
    }
    const rows = must(this.#rows.get(key), 'a held row');
    const changed = withOther(rows, old, next);
    if (changed !== rows) this.#rows.set(key, changed);
  }
}
