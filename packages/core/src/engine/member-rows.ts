import { assert } from '../assert.js';
import { each, fewOf, sizeOf, withOne, withOther, withoutOne, type Few } from '../few.js';
import { delOp, putOp, updateOp, type EncodedOp, type Told } from './held-row.js';
import { Member, type Engine, type HeldRow, type Replacement } from './member.js';
import type { PreparedBinding } from './predicate.js';

/** A result without order and limit. */
export class UnorderedRows extends Member {
  size: number;
  #rows: Few<HeldRow> | undefined;

  constructor(binding: PreparedBinding, engine: Engine, rows: readonly HeldRow[]) {
    super(binding, engine);
    this.#rows = fewOf(rows);
    this.size = rows.length;
  }

  get dry(): boolean {
    return false;
  }

  insert(row: HeldRow, ops: EncodedOp[]): boolean {
    this.#take(withOne(this.#rows, row));
    ops.push(putOp(row));
    return true;
  }

  remove(row: HeldRow, ops: EncodedOp[]): void {
    this.#take(withoutOne(this.#rows, row));
    ops.push(delOp(row));
  }

  replace({ old, next, now }: Replacement, ops: EncodedOp[]): boolean {
    if (this.#rows !== undefined) this.#rows = withOther(this.#rows, old, next);
    if (old.json !== now.json) ops.push(updateOp(old.json, now));
    return true;
  }

  shows(): boolean {
    return true;
  }

  clear(ops: EncodedOp[]): void {
    for (const row of each(this.#rows)) ops.push(delOp(row));
    this.#take(undefined);
  }

  exchange(equal: (row: HeldRow) => HeldRow): void {
    this.#rows = fewOf(Array.from(each(this.#rows), equal));
  }

  held(): Iterable<HeldRow> {
    return each(this.#rows);
  }

  shown(): readonly Told[] {
    return Array.from(each(this.#rows), (row) => row.told());
  }

  #take(rows: Few<HeldRow> | undefined): void {
    this.#rows = rows;
    this.size = sizeOf(rows);
  }
}

export interface WindowBounds {
  readonly offset: number;
  /** Infinity when the query has no limit. */
  readonly limit: number;
  /** Rows kept beyond `offset + limit`, so that a removal need not fetch. */
  readonly margin: number;
}

/**
 * An ordered result, or the stretch of one that OFFSET and LIMIT cut out, with a margin behind it:
 *
 *   held:   0 ········ offset ▓▓▓▓ shown ▓▓▓▓ offset+limit ···· margin ···· │ unknown, unless `complete`
 *
 * A row that sorts behind the last held one of an incomplete window is not held: others that are not known may
 * stand before it. When removals leave fewer than offset+limit rows the window is dry.
 */
export class WindowRows extends Member {
  size = 0;
  /** The first row behind what is shown, known without a look at the others. */
  behind: HeldRow | undefined;
  readonly #rows: HeldRow[];
  readonly #offset: number;
  /** Infinity when the query has no limit. */
  readonly #end: number;
  readonly #margin: number;
  #complete: boolean;

  /** @param rows in order; `complete` when the result has no others. */
  constructor(
    binding: PreparedBinding,
    engine: Engine,
    rows: HeldRow[],
    complete: boolean,
    { offset, limit, margin }: WindowBounds,
  ) {
    super(binding, engine);
    this.#complete = complete;
    this.#offset = offset;
    this.#end = offset + limit;
    this.#margin = margin;
    this.#rows = rows;
    this.#splice(0, 0);
  }

  get dry(): boolean {
    return !this.#complete && this.size < this.#end;
  }

  insert(row: HeldRow, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean {
    const at = this.#placeOf(row);
    if (!this.#complete && at === this.size) return false;
    this.#splice(at, 0, row);
    this.#tellInserted(at, ops);
    if (this.size <= this.#end + 2 * this.#margin) return true;
    const last = this.#at(this.size - 1);
    this.#splice(this.size - 1, 1);
    this.#complete = false;
    if (last === row) return false;
    evict(last);
    return true;
  }

  remove(row: HeldRow, ops: EncodedOp[]): void {
    const at = this.#indexOf(row);
    this.#splice(at, 1);
    this.#tellRemoved(row, at, ops);
  }

  replace({ old, next, now }: Replacement, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean {
    const at = this.#indexOf(old);
    this.#splice(at, 1);
    const to = this.#placeOf(next);
    // Where no row is known behind it there is none before the place where it was.
    const isKnown = this.#complete || to < this.size || this.engine.order(next, old) <= 0;
    const isShown = this.#isShown(at);
    if (isKnown && (at === to || (isShown && this.#isShown(to)))) {
      // It stays or moves within what is shown, and all others stay: clients keep of it what does not change.
      this.#splice(to, 0, next);
      const after = at === to ? undefined : this.#previous(to);
      if (isShown && (at !== to || old.json !== now.json)) ops.push(updateOp(old.json, now, after));
      return true;
    }
    this.#tellRemoved(old, at, ops);
    return this.insert(next, ops, evict);
  }

  shows(row: HeldRow): boolean {
    if (this.#offset > 0) return this.#isShown(this.#indexOf(row));
    return this.behind === undefined || this.engine.order(row, this.behind) < 0;
  }

  clear(ops: EncodedOp[]): void {
    for (const row of this.shown()) ops.push(delOp(row));
    this.#splice(0, this.size);
    this.#complete = true;
  }

  exchange(equal: (row: HeldRow) => HeldRow): void {
    this.#rows.forEach((row, index) => (this.#rows[index] = equal(row)));
    this.#splice(0, 0);
  }

  held(): Iterable<HeldRow> {
    return this.#rows;
  }

  shown(): readonly Told[] {
    return this.#rows.slice(this.#offset, this.#end).map((row) => row.told());
  }

  /** All that comes and goes does so here. */
  #splice(at: number, removed: number, ...added: HeldRow[]): void {
    this.#rows.splice(at, removed, ...added);
    this.size = this.#rows.length;
    this.behind = this.#rows[this.#end];
  }

  #isShown(at: number): boolean {
    return at >= this.#offset && at < this.#end;
  }

  /** The row that clients show before that at an index; undefined where they are not told. */
  #previous(at: number): HeldRow | null | undefined {
    if (this.engine.plan.order.length === 0) return undefined;
    return at === this.#offset ? null : this.#at(at - 1);
  }

  #at(index: number): HeldRow {
    const row = this.#rows[index];
    assert(row !== undefined, 'a row');
    return row;
  }

  /** A row now stands at `at`; those behind it moved back by one. */
  #tellInserted(at: number, ops: EncodedOp[]): void {
    if (at >= this.#end || this.#end === this.#offset) return;
    if (this.behind !== undefined) ops.push(delOp(this.behind));
    this.#tellEntered(Math.max(at, this.#offset), ops);
  }

  /** The row that stood at `at` is gone; those behind it moved up by one. */
  #tellRemoved(row: HeldRow, at: number, ops: EncodedOp[]): void {
    if (at >= this.#end || this.#end === this.#offset) return;
    const leaving = at >= this.#offset ? row : this.#rows[this.#offset - 1];
    if (leaving !== undefined) ops.push(delOp(leaving));
    this.#tellEntered(this.#end - 1, ops);
  }

  /** What is shown holds the row at that index now, if there is one. */
  #tellEntered(at: number, ops: EncodedOp[]): void {
    if (at < this.size) ops.push(putOp(this.#at(at), this.#previous(at)));
  }

  /** Where the row belongs: behind all that sort before it. */
  #placeOf(row: HeldRow): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.engine.order(this.#at(middle), row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #indexOf(row: HeldRow): number {
    const at = this.#placeOf(row);
    assert(this.#rows[at] === row, 'a held row');
    return at;
  }
}
