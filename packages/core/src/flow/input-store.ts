import { must } from '../assert.js';
import type { PgText, RowKey } from '../value.js';
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
  readonly #demand = new Map<string, Demanded>();
  readonly #covered = new Map<string, Map<RowKey, Row>>();
  readonly #byKey = new Map<RowKey, string>();
  readonly #indexes: readonly ChildIndex[];
  #idle: string[] = [];

  /** @param indexes one for each input that hangs below this one */
  constructor(indexes: readonly ChildIndex[]) {
    this.#indexes = indexes;
  }

  get rowCount(): number {
    return this.#byKey.size;
  }

  /** Rows of a key; undefined when they are not known. */
  rows(key: string): ReadonlyMap<RowKey, Row> | undefined {
    return this.#covered.get(key);
  }

  /** The row of that identity, if it is held. */
  find(rowKey: RowKey): Row | undefined {
    const key = this.#byKey.get(rowKey);
    return key === undefined ? undefined : this.#covered.get(key)?.get(rowKey);
  }

  /** Lets a key go that is not counted. */
  drop(key: string): void {
    this.#demand.delete(key);
    this.uncover(key);
  }

  isDemanded(key: string): boolean {
    return this.#demand.has(key);
  }

  covered(): Iterable<string> {
    return this.#covered.keys();
  }

  isCovered(key: string): boolean {
    return this.#covered.has(key);
  }

  /** @param given what the key is made of @returns whether it is the first to demand it */
  demand(key: string, given: () => readonly PgText[]): boolean {
    const demanded = this.#demand.get(key);
    if (demanded !== undefined) {
      demanded.count++;
      return false;
    }
    this.#demand.set(key, { count: 1, given: given() });
    return true;
  }

  /** What a demanded key is made of. */
  givenOf(key: string): readonly PgText[] | undefined {
    return this.#demand.get(key)?.given;
  }

  release(key: string): void {
    const demanded = must(this.#demand.get(key), 'what is released was demanded');
    if (--demanded.count === 0) this.#idle.push(key);
  }

  /** All rows of a key, from now on followed. */
  cover(key: string, rows: Iterable<Row>): void {
    const covered = new Map<RowKey, Row>();
    this.#covered.set(key, covered);
    for (const row of rows) this.#put(key, covered, row);
  }

  put(key: string, row: Row): void {
    this.#put(key, must(this.#covered.get(key), 'rows come to covered keys'), row);
  }

  remove(row: Row): void {
    const key = must(this.#byKey.get(row.key), 'a row that goes is held');
    this.#byKey.delete(row.key);
    this.#covered.get(key)?.delete(row.key);
    for (const index of this.#indexes) index.remove(row);
  }

  /** The key is to be fetched anew: its rows are not known any more. */
  uncover(key: string): void {
    for (const row of this.#covered.get(key)?.values() ?? []) this.remove(row);
    this.#covered.delete(key);
  }

  /** Lets go what nobody demands. @returns the keys */
  sweep(): string[] {
    const gone: string[] = [];
    for (let key = this.#idle.pop(); key !== undefined; key = this.#idle.pop()) {
      if (this.#demand.get(key)?.count !== 0) continue;
      this.#demand.delete(key);
      this.uncover(key);
      gone.push(key);
    }
    return gone;
  }

  #put(key: string, covered: Map<RowKey, Row>, row: Row): void {
    covered.set(row.key, row);
    this.#byKey.set(row.key, key);
    for (const index of this.#indexes) index.add(row);
  }
}

interface Demanded {
  count: number;
  readonly given: readonly PgText[];
}

/** Rows of a parent by what an input below demands of them; tells that input what is demanded. */
export class ChildIndex {
  readonly #keyOf: (row: Row) => string | null;
  readonly #demand: (key: string, row: Row) => void;
  readonly #release: (key: string) => void;
  readonly #rows = new Map<string, Set<Row>>();

  constructor(
    keyOf: (row: Row) => string | null,
    demand: (key: string, row: Row) => void,
    release: (key: string) => void,
  ) {
    this.#keyOf = keyOf;
    this.#demand = demand;
    this.#release = release;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** Rows of the parent that demand the key. */
  rows(key: string): Iterable<Row> {
    return this.#rows.get(key) ?? [];
  }

  add(row: Row): void {
    const key = this.#keyOf(row);
    if (key === null) return;
    const rows = this.#rows.get(key);
    if (rows) rows.add(row);
    else this.#rows.set(key, new Set([row]));
    this.#demand(key, row);
  }

  remove(row: Row): void {
    const key = this.#keyOf(row);
    if (key === null) return;
    const rows = must(this.#rows.get(key), 'a row that goes is indexed');
    rows.delete(row);
    if (rows.size === 0) this.#rows.delete(key);
    this.#release(key);
  }
}
