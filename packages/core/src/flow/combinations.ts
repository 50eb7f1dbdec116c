import { must } from '../assert.js';
import { each, withOne, withoutOne, type Few } from '../few.js';
import type { PgText } from '../value.js';
import type { KeyMaker } from './compiled-block.js';
import type { InputRow } from './input-row.js';
import type { Below } from './input-store.js';
import type { FlowMember } from './member.js';

interface Halves {
  readonly row: string;
  readonly params: string;
}

/**
 * The keys of a subquery that is correlated with a row of its parent *and* with the block's own parameters: each of them
 * has a half. Which rows and members meet is found when they are joined: a key is asked for then, and lives while there
 * is a row of the parent with its one half, and a member with its other.
 */
export class Combinations implements Below {
  readonly #keyOf: KeyMaker;
  readonly #rows = new Map<string, Few<InputRow>>();
  readonly #halves = new Map<string, Halves>();
  readonly #byRow = new Map<string, Set<string>>();
  readonly #members = new Map<string, Set<FlowMember>>();
  readonly #released = new Set<string>();
  #left = false;

  /** @param keyOf the half that a row of the parent has */
  constructor(keyOf: KeyMaker) {
    this.#keyOf = keyOf;
  }

  enter(member: FlowMember, half: string): void {
    const members = this.#members.get(half);
    if (members) members.add(member);
    else this.#members.set(half, new Set([member]));
  }

  leave(member: FlowMember, half: string): void {
    const members = this.#members.get(half);
    members?.delete(member);
    if (members?.size !== 0) return;
    this.#members.delete(half);
    this.#left = true;
  }

  /** What it demands is no key by itself. */
  add(row: InputRow): undefined {
    this.#add(row, row.values);
  }

  remove(row: InputRow): void {
    const half = this.#keyOf.of(row.values);
    if (half === null) return;
    const left = withoutOne(must(this.#rows.get(half), 'a held row'), row);
    if (left === undefined) this.#rows.delete(half);
    else this.#rows.set(half, left);
    this.#released.add(half);
  }

  change(row: InputRow, _: number, values: readonly PgText[]): void {
    if (this.#keyOf.isSame(row.values, values)) return;
    this.remove(row);
    this.#add(row, values);
  }

  combine(key: string, halves: Halves): void {
    this.#halves.set(key, halves);
    const keys = this.#byRow.get(halves.row);
    if (keys) keys.add(key);
    else this.#byRow.set(halves.row, new Set([key]));
  }

  /** Rows of the parent that have their half of the key. */
  rowsOf(key: string): Iterable<InputRow> {
    return each(this.#rows.get(this.#halves.get(key)?.row ?? ''));
  }

  membersOf(key: string): ReadonlySet<FlowMember> {
    const halves = this.#halves.get(key);
    return (halves && this.#members.get(halves.params)) ?? NOBODY;
  }

  /** @returns keys that are gone */
  sweep(): readonly string[] {
    const looked = this.#left ? [...this.#byRow.keys()] : [...this.#released];
    this.#released.clear();
    this.#left = false;
    const gone: string[] = [];
    for (const half of looked) {
      const isThere = this.#rows.has(half);
      for (const key of this.#byRow.get(half) ?? [])
        if (!isThere || this.membersOf(key).size === 0) gone.push(key);
    }
    for (const key of gone) this.#forget(key);
    return gone;
  }

  #add(row: InputRow, values: readonly PgText[]): void {
    const half = this.#keyOf.of(values);
    if (half !== null) this.#rows.set(half, withOne(this.#rows.get(half), row));
  }

  #forget(key: string): void {
    const row = this.#halves.get(key)?.row;
    this.#halves.delete(key);
    if (row === undefined) return;
    const keys = this.#byRow.get(row);
    keys?.delete(key);
    if (keys?.size === 0) this.#byRow.delete(row);
  }
}

const NOBODY: ReadonlySet<FlowMember> = new Set();
