import { must } from '../assert.js';
import { bytesBetween, bytesOfValues, ENTRY_BYTES, type HeldBytes } from '../engine/held-bytes.js';
import { each, withOne, withoutOne } from '../few.js';
import { mapKey } from '../map-key.js';
import type { MakeRowMap, RowMap } from '../number-map.js';
import type { PgText, RowKey } from '../value.js';
import type { KeyMaker } from './compiled-block.js';
import { InputRow, type Key } from './input-row.js';
import type { FlowMember } from './member.js';
import type { Row } from './row.js';

export interface StoreOptions {
  /** The key that a row agrees with. */
  readonly ownKey: KeyMaker;
  /** One for each input that hangs below this one. */
  readonly below: readonly Below[];
  readonly bytes: HeldBytes;
  /** What holds rows and keys; a `Map` unless given. */
  readonly newMap: MakeRowMap | undefined;
  /** The rows are held elsewhere as well, and counted there. */
  readonly isShared: boolean;
  /** Told of a key that nobody has demanded before. */
  readonly onDemanded: (key: Key) => void;
}

/**
 * The rows of one input that something demands: all rows of each key that is *covered*, and no others. Who demands a
 * key is counted; a key that nobody demands any more is let go when `sweep` is called, so that what goes and comes
 * back within one transaction is not fetched again.
 *
 *   demanded, covered        rows are known, changes are followed
 *   demanded, not covered    to be fetched; who looks meanwhile misses
 *
 * Rows know their key and the keys that they demand below, keys know their rows and who demands them: a change looks its
 * row up, and nothing else.
 */
export class InputStore {
  readonly #keys: RowMap<Key>;
  readonly #byKey: RowMap<InputRow>;
  readonly #of: StoreOptions;
  #idle: Key[] = [];

  constructor(options: StoreOptions) {
    this.#of = options;
    const { newMap = () => new Map() } = options;
    this.#keys = newMap();
    this.#byKey = newMap();
  }

  get rowCount(): number {
    return this.#byKey.size;
  }

  /** A key that is demanded. */
  key(text: string): Key | undefined {
    return this.#keys.get(mapKey(text));
  }

  /** Rows of a key; undefined when they are not known. */
  rows(text: string): Iterable<Row> | undefined {
    const found = this.#keys.get(mapKey(text));
    return found?.isCovered === true ? each(found.rows) : undefined;
  }

  /** The row of that identity, if it is held. */
  find(rowKey: RowKey): InputRow | undefined {
    return this.#byKey.get(mapKey(rowKey));
  }

  /** An image of a row that is not held, or not as it is here; null when its key is not covered. @param held as it is held */
  image({ key, values }: Row, held: InputRow | null): InputRow | null {
    const { ownKey } = this.#of;
    const own = held !== null && ownKey.isSame(held.values, values) ? held.own : this.#keyOf(values);
    return own?.isCovered === true ? new InputRow(key, values, own) : null;
  }

  /** Lets a key go that is not counted. */
  drop(text: string): void {
    this.uncover(text);
    this.#keys.delete(mapKey(text));
  }

  *covered(): Generator<string> {
    for (const { text, isCovered } of this.#keys.values()) if (isCovered) yield text;
  }

  isCovered(text: string): boolean {
    return this.#keys.get(mapKey(text))?.isCovered === true;
  }

  /** @param given what the key is made of */
  demand(text: string, given: () => readonly PgText[]): Key {
    const known = this.#keys.get(mapKey(text));
    if (known !== undefined) {
      known.count++;
      return known;
    }
    const key: Key = {
      text,
      count: 1,
      given: given(),
      isCovered: false,
      rows: undefined,
      above: undefined,
      members: undefined,
    };
    this.#keys.set(mapKey(text), key);
    this.#of.onDemanded(key);
    return key;
  }

  enter(text: string, member: FlowMember): void {
    const known = this.#demanded(text);
    known.members = withOne(known.members, member);
  }

  leave(text: string, member: FlowMember): void {
    const known = this.#demanded(text);
    known.members = withoutOne(known.members, member);
    this.release(known);
  }

  release(key: Key): void {
    if (--key.count === 0) this.#idle.push(key);
  }

  /** All rows of a key that is demanded, from now on followed. */
  cover(text: string, rows: Iterable<Row>): void {
    const own = this.#demanded(text);
    own.isCovered = true;
    for (const { key, values } of rows) this.put(new InputRow(key, values, own), own);
  }

  /** Takes the row in. @param own its key, which is covered */
  put(row: InputRow, own: Key): void {
    row.own = own;
    own.rows = withOne(own.rows, row);
    this.#byKey.set(mapKey(row.key), row);
    this.#of.bytes.change(this.#bytesOf(row));
    if (this.#of.below.length > 0) row.below = this.#of.below.map((below) => below.add(row));
  }

  remove(row: InputRow): void {
    const own = must(row.own, 'a held row');
    own.rows = withoutOne(own.rows, row);
    this.#gone(row);
  }

  /** A row that is held, and keeps its key, exchanges its values with an image: who holds it goes on holding it. */
  exchange(row: InputRow, { values }: InputRow): void {
    const { isShared, bytes, below } = this.#of;
    if (!isShared) bytes.change(bytesBetween(row.values, values));
    for (let at = 0; at < below.length; at++) below[at]?.change(row, at, values);
    for (let at = 0; at < values.length; at++) {
      const value = values[at] as PgText;
      values[at] = row.values[at] as PgText;
      if (value !== values[at]) row.values[at] = value;
    }
  }

  /** The key is to be fetched anew: its rows are not known any more. */
  uncover(text: string): void {
    const known = this.#keys.get(mapKey(text));
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
      if (key.count !== 0 || this.#keys.get(mapKey(key.text)) !== key) continue;
      this.drop(key.text);
      gone.push(key.text);
    }
    return gone;
  }

  #demanded(text: string): Key {
    return must(this.#keys.get(mapKey(text)), 'a demanded key');
  }

  #keyOf(values: readonly PgText[]): Key | null {
    const text = this.#of.ownKey.of(values);
    return text === null ? null : (this.#keys.get(mapKey(text)) ?? null);
  }

  #bytesOf(row: Row): number {
    const own = this.#of.isShared ? 0 : bytesOfValues(row.values);
    return own + (2 + this.#of.below.length) * ENTRY_BYTES;
  }

  #gone(row: InputRow): void {
    this.#byKey.delete(mapKey(row.key));
    this.#of.bytes.change(-this.#bytesOf(row));
    for (const [at, below] of this.#of.below.entries()) below.remove(row, row.below[at]);
  }
}

const NONE: string[] = [];

/** What rows demand of an input below theirs. */
export interface Below {
  /** @returns the key that the row demands; null: none; undefined: what it demands is no key by itself */
  add(row: InputRow): Key | null | undefined;
  remove(row: InputRow, key: Key | null | undefined): void;
  /** The row is about to have other values. @param at where its keys below have this one's */
  change(row: InputRow, at: number, values: readonly PgText[]): void;
}

/** What is demanded is a key of the input below. */
export class BelowKeys implements Below {
  readonly #keyOf: KeyMaker;
  readonly #store: () => InputStore;
  readonly #given: (values: readonly PgText[]) => readonly PgText[];

  /** @param given what the key is made of */
  constructor(
    keyOf: KeyMaker,
    store: () => InputStore,
    given: (values: readonly PgText[]) => readonly PgText[],
  ) {
    this.#keyOf = keyOf;
    this.#store = store;
    this.#given = given;
  }

  add(row: InputRow): Key | null {
    return this.#demand(row, row.values);
  }

  remove(row: InputRow, key: Key | null | undefined): void {
    if (!key) return;
    key.above = withoutOne(key.above, row);
    this.#store().release(key);
  }

  change(row: InputRow, at: number, values: readonly PgText[]): void {
    if (this.#keyOf.isSame(row.values, values)) return;
    // What it demands as before is not let go in between.
    const before = row.below[at];
    row.below[at] = this.#demand(row, values);
    if (before && before === row.below[at]) this.#store().release(before);
    else this.remove(row, before);
  }

  #demand(row: InputRow, values: readonly PgText[]): Key | null {
    const text = this.#keyOf.of(values);
    if (text === null) return null;
    const key = this.#store().demand(text, () => this.#given(values));
    key.above = withOne(key.above, row);
    return key;
  }
}
