import type { RowEvent } from '@sluice/core/engine/table-engine';
import { rowKey } from '@sluice/core/engine/table-engine';
import type { ImageChange } from '@sluice/core/flow/images';
import type { TablePlan } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import { appended } from '@sluice/core/few';
import { regrantedBy, rewrittenBy } from './marks.js';
import type { Change, Relation, Transaction, Tuple } from '../source/transaction.js';

/** What one transaction did to one table; a partitioned table has the changes of all its leaves (C20). */
export interface TableChanges {
  readonly changes: readonly Change[];
  /** So much changed that it is not known what, or rows went that cannot be named: hydrate anew. */
  readonly unknown: boolean;
}

/** The tables that a relation's rows belong to: itself, and the partitioned tables above it. */
export type Ancestors = (relation: number) => readonly number[];

/** What one transaction did, by table. */
export interface ChangesByTable extends Iterable<readonly [number, TableChanges]> {
  readonly size: number;
  get(table: number): TableChanges | undefined;
  keys(): Iterable<number>;
}

const NO_TABLES: ChangesByTable = new Map();

/** The common case. Every change comes by here: a Map would be most of what it leaves behind. */
export class OneTable implements ChangesByTable, TableChanges {
  readonly table: number;
  readonly changes: readonly Change[];

  constructor(table: number, changes: readonly Change[]) {
    this.table = table;
    this.changes = changes;
  }

  get unknown(): boolean {
    return false;
  }

  get size(): number {
    return 1;
  }

  get(table: number): TableChanges | undefined {
    return table === this.table ? this : undefined;
  }

  keys(): Iterable<number> {
    return [this.table];
  }

  [Symbol.iterator](): Iterator<readonly [number, TableChanges]> {
    return ([[this.table, this]] as const)[Symbol.iterator]();
  }
}

/** Sorts a transaction's changes by table, for the tables that somebody reads. */
export function changesByTable(
  transaction: Transaction,
  ancestors: Ancestors,
  isRead: (table: number) => boolean,
): ChangesByTable {
  const { changes, bulk, messages } = transaction;
  const relation = changes[0]?.relation.oid;
  if (relation !== undefined && changes.length + bulk.size + messages.length === 1) {
    if (ancestors(relation).length === 1)
      return isRead(relation) ? new OneTable(relation, changes) : NO_TABLES;
  }
  const byTable = new Map<number, { changes: Change[]; unknown: boolean }>();
  const of = (table: number): { changes: Change[]; unknown: boolean } => {
    let entry = byTable.get(table);
    if (entry === undefined) byTable.set(table, (entry = { changes: [], unknown: false }));
    return entry;
  };
  for (const relation of [...bulk.keys(), ...rewrittenBy(transaction)]) {
    for (const table of ancestors(relation)) if (isRead(table)) of(table).unknown = true;
  }
  // No row is another: what is held stays, and what could not be read, or was read by Postgres, is looked at again.
  for (const relation of regrantedBy(transaction)) {
    for (const table of ancestors(relation)) if (isRead(table)) of(table);
  }
  for (const change of changes) {
    for (const table of ancestors(change.relation.oid)) {
      if (!isRead(table)) continue;
      // A leaf that is emptied takes with it rows of the root that cannot be told from the others.
      if (change.kind === 'truncate' && table !== change.relation.oid) of(table).unknown = true;
      else of(table).changes.push(change);
    }
  }
  return byTable;
}

/** What a plan reads of a table. */
export type ReadColumns = Pick<TablePlan, 'columns' | 'key'>;

/** Reads a table's changes as a plan sees them. */
export class RowEvents {
  readonly #plan: ReadColumns;
  readonly #places: Places;
  /** The column of a key of one. */
  readonly #key: number | null;

  constructor(plan: ReadColumns) {
    this.#plan = plan;
    this.#key = plan.key.length === 1 ? (plan.key[0] ?? null) : null;
    this.#places = new Places(plan.columns);
  }

  /** @returns null when the changes cannot be read: a column that the plan reads is not in the stream. */
  read(changes: readonly Change[]): RowEvent[] | null {
    let events: RowEvent[] = [];
    for (const change of changes) {
      const event = this.#event(change);
      if (event === null) return null;
      events = appended(events, event);
    }
    return events;
  }

  #event(change: Change): RowEvent | null {
    if (change.kind === 'truncate') return 'truncate';
    const places = this.#places.of(change.relation);
    if (places === 'missing') return null;
    if (change.kind === 'insert') {
      const values = valuesOf(change.new, places);
      return { oldKey: null, newKey: this.#keyOf(values), values };
    }
    if (change.kind === 'delete')
      return { oldKey: this.#keyOf(valuesOf(change.old, places)), newKey: null, values: [] };
    const sent = valuesOf(change.new, places);
    if (change.old === null) {
      const key = this.#keyOf(sent);
      return { oldKey: key, newKey: key, values: sent };
    }
    const old = valuesOf(change.old, places);
    // A key so long that it is stored out of line is sent with the old key only.
    const values = sent.map((value, column) =>
      value === undefined && this.#plan.key.includes(column) ? old[column] : value,
    );
    const event = { oldKey: this.#keyOf(old), newKey: this.#keyOf(values), values };
    return change.identity === 'full' ? { ...event, oldValues: old } : event;
  }

  #keyOf(values: readonly (PgText | undefined)[]): string {
    return (this.#key === null ? null : values[this.#key]) ?? rowKey(this.#plan, values);
  }
}

/** Reads a table's changes as whole images of rows, before and after. */
export class ImageChanges {
  readonly #places: Places;

  constructor(columns: ReadColumns['columns']) {
    this.#places = new Places(columns);
  }

  /** @returns null where an image is not whole, or rows went without any. */
  read(changes: readonly Change[]): ImageChange[] | null {
    const images: ImageChange[] = [];
    for (const change of changes) {
      const image = this.#image(change);
      if (image === null) return null;
      images.push(image);
    }
    return images;
  }

  #image(change: Change): ImageChange | null {
    const places = this.#places.of(change.relation);
    if (change.kind === 'truncate' || places === 'missing') return null;
    if (change.kind !== 'insert' && (change.identity !== 'full' || change.old === null)) return null;
    const old = change.kind === 'insert' ? null : wholeOf(change.old, places, null);
    const next = change.kind === 'delete' ? null : wholeOf(change.new, places, old);
    const isWhole =
      (change.kind === 'insert') === (old === null) && (change.kind === 'delete') === (next === null);
    return isWhole ? { old, next } : null;
  }
}

/** By relation as the stream described it: where each of a plan's columns stands in its tuples. */
class Places {
  readonly #columns: ReadColumns['columns'];
  readonly #known = new WeakMap<Relation, readonly number[] | 'missing'>();

  constructor(columns: ReadColumns['columns']) {
    this.#columns = columns;
  }

  of(relation: Relation): readonly number[] | 'missing' {
    let places = this.#known.get(relation);
    if (places === undefined) {
      const found = this.#columns.map((column) =>
        relation.columns.findIndex((one) => one.name === column.name),
      );
      places = found.includes(-1) ? 'missing' : found;
      this.#known.set(relation, places);
    }
    return places;
  }
}

/** What was not sent did not change. @returns null where a value is not known */
function wholeOf(
  tuple: Tuple | null,
  places: readonly number[],
  old: readonly PgText[] | null,
): readonly PgText[] | null {
  if (tuple === null) return null;
  const values: PgText[] = [];
  for (const [column, place] of places.entries()) {
    const sent = tuple.text(place);
    const known = sent === undefined ? old?.[column] : sent;
    if (known === undefined) return null;
    values.push(known);
  }
  return values;
}

function valuesOf(tuple: Tuple, places: readonly number[]): (PgText | undefined)[] {
  return places.map(textOf, tuple);
}

/** No function is made for each row. */
function textOf(this: Tuple, place: number): PgText | undefined {
  return this.text(place);
}
