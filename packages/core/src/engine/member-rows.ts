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

  updated(_: HeldRow, before: string, now: Told): EncodedOp {
    return updateOp(before, now);
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
    this.#rows = rows;
    this.#complete = complete;
    this.#offset = offset;
    this.#end = offset + limit;
    this.#margin = margin;
  }

  get size(): number {
    return this.#rows.length;
  }

  get dry(): boolean {
    return !this.#complete && this.#rows.length < this.#end;
  }

  insert(row: HeldRow, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean {
    const at = this.#placeOf(row);
    if (!this.#complete && at === this.#rows.length) return false;
    this.#rows.splice(at, 0, row);
    this.#tellInserted(at, ops);
    if (this.#rows.length <= this.#end + 2 * this.#margin) return true;
    const last = this.#rows.pop();
    this.#complete = false;
    if (last === row) return false;
    if (last !== undefined) evict(last);
    return true;
  }

  remove(row: HeldRow, ops: EncodedOp[]): void {
    const at = this.#indexOf(row);
    this.#rows.splice(at, 1);
    this.#tellRemoved(row, at, ops);
  }

  replace({ old, next, now }: Replacement, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean {
    const at = this.#indexOf(old);
    const before = this.#rows[at - 1];
    const after = this.#rows[at + 1];
    const stays =
      (before === undefined || this.engine.order(before, next) < 0) &&
      (after === undefined
        ? this.#complete || this.engine.order(next, old) <= 0
        : this.engine.order(next, after) < 0);
    if (stays) {
      this.#rows[at] = next;
      if (old.json !== now.json && this.#isShown(at)) ops.push(this.#update(old, now, at));
      return true;
    }
    this.#rows.splice(at, 1);
    const to = this.#placeOf(next);
    if (this.#isShown(at) && this.#isShown(to) && (this.#complete || to < this.#rows.length)) {
      // Within what is shown it moves, and all others stay: clients keep of it what does not change.
      this.#rows.splice(to, 0, next);
      ops.push(this.#update(old, now, to));
      return true;
    }
    this.#tellRemoved(old, at, ops);
    return this.insert(next, ops, evict);
  }

  updated(row: HeldRow, before: string, now: Told): EncodedOp | null {
    // By reference: to compare rows is to look at all that lie between.
    const at = this.#rows.indexOf(row);
    return this.#isShown(at) ? updateOp(before, now, this.#previous(at)) : null;
  }

  clear(ops: EncodedOp[]): void {
    for (const row of this.shown()) ops.push(delOp(row));
    this.#rows.length = 0;
    this.#complete = true;
  }

  exchange(equal: (row: HeldRow) => HeldRow): void {
    this.#rows.forEach((row, index) => (this.#rows[index] = equal(row)));
  }

  held(): Iterable<HeldRow> {
    return this.#rows;
  }

  shown(): readonly Told[] {
    return this.#rows.slice(this.#offset, this.#end).map((row) => row.told());
  }

  #isShown(at: number): boolean {
    return at >= this.#offset && at < this.#end;
  }

  /** The row at an index as an operation. */
  #put(at: number): EncodedOp {
    return putOp(this.#at(at), this.#previous(at));
  }

  /** The row at an index, which was `old` and shown. */
  #update(old: HeldRow, now: Told, at: number): EncodedOp {
    return updateOp(old.json, now, this.#previous(at));
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
    const pushedOut = this.#rows[this.#end];
    if (pushedOut !== undefined) ops.push(delOp(pushedOut));
    const entering = Math.max(at, this.#offset);
    if (entering < this.#rows.length) ops.push(this.#put(entering));
  }

  /** The row that stood at `at` is gone; those behind it moved up by one. */
  #tellRemoved(row: HeldRow, at: number, ops: EncodedOp[]): void {
    if (at >= this.#end || this.#end === this.#offset) return;
    const leaving = at >= this.#offset ? row : this.#rows[this.#offset - 1];
    if (leaving !== undefined) ops.push(delOp(leaving));
    const entering = this.#end - 1;
    if (entering < this.#rows.length) ops.push(this.#put(entering));
  }

  /** Where the row belongs: behind all that sort before it. */
  #placeOf(row: HeldRow): number {
    let low = 0;
    let high = this.#rows.length;
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
