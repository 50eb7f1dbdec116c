import { must } from '@sluice/core/assert';
import { ALL_PIECES } from '@sluice/core/chunks/all';
import { parseArrayElements } from '@sluice/core/engine/array-text';
import { equalityKey } from '@sluice/core/engine/compare';
import { compileCondition, compileExpression, type Condition } from '@sluice/core/expression/compile';
import { columnsOf } from '@sluice/core/flow/compile';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { Concern, KeyConcern, PlaceConcern, TableConcern } from '../planner/planned.js';
import { rowImages, type Image } from './row-images.js';
import type { ChangesByTable } from './table-changes.js';

/** What may be altered by a transaction: any view of a template, or these. */
export type Concerned<V> = 'all' | ReadonlySet<V>;

/** Conditions evaluated for one transaction before any view is taken for concerned: the stream waits meanwhile. */
const EVALUATIONS_MAX = 20_000;

/**
 * Which views of a template a change may concern (C9), by predicates lifted from its query. Equalities with parameters
 * are an index from values to views; other conditions are evaluated for the views that are left. Whatever is not known
 * for certain — an old row that is not sent, a value out of line, an error — makes a view concerned.
 */
export class ConcernedViews<V extends object> {
  readonly #concern: Concern;
  readonly #reads: ReadonlySet<number>;
  readonly #tables: ReadonlyMap<number, TableIndex<V>>;
  readonly #views = new Set<V>();
  readonly #evaluationsMax: number;

  /** @param reads all tables that the query reads */
  constructor(concern: Concern, reads: readonly number[], evaluationsMax: number = EVALUATIONS_MAX) {
    this.#concern = concern;
    this.#reads = new Set(reads);
    this.#tables = new Map(concern.tables.map((table) => [table.table, new TableIndex<V>(table)]));
    this.#evaluationsMax = evaluationsMax;
  }

  add(view: V, binding: Binding): void {
    const values = this.#concern.params.map((param) =>
      param.kind === 'param' ? (binding[param.index] ?? null) : param.value,
    );
    this.#views.add(view);
    for (const table of this.#tables.values()) table.add(view, values);
  }

  remove(view: V): void {
    if (!this.#views.delete(view)) return;
    for (const table of this.#tables.values()) table.remove(view);
  }

  of(changes: ChangesByTable): Concerned<V> {
    const found = new Set<V>();
    const left = { evaluations: this.#evaluationsMax };
    for (const [table, { changes: list, unknown }] of changes) {
      if (!this.#reads.has(table)) continue;
      const index = this.#tables.get(table);
      if (index === undefined || unknown || list.length === 0) return 'all';
      for (const change of list) {
        const images = rowImages(change, index.columns);
        if (images === null) return 'all';
        for (const image of images) index.find(image, found, left);
        if (left.evaluations <= 0 || found.size === this.#views.size) return 'all';
      }
    }
    return found;
  }
}

/** A table's places, and what each view asks for in them. */
class TableIndex<V extends object> {
  readonly columns: TableConcern['columns'];
  readonly #places: readonly PlaceIndex<V>[];

  constructor(table: TableConcern) {
    this.columns = table.columns;
    this.#places = table.places.map((place) => new PlaceIndex<V>(place));
  }

  add(view: V, values: Binding): void {
    for (const place of this.#places) place.add(view, values);
  }

  remove(view: V): void {
    for (const place of this.#places) place.remove(view);
  }

  find(image: Image, found: Set<V>, left: { evaluations: number }): void {
    for (const place of this.#places) place.find(image, found, left);
  }
}

interface Asked {
  readonly values: Binding;
  /** By key of the place: the values that it may have; null when they are not known. */
  readonly keys: readonly (ReadonlySet<string> | null)[];
}

class PlaceIndex<V extends object> {
  readonly #keys: readonly KeyIndex<V>[];
  readonly #conditions: readonly { readonly columns: ReadonlySet<number>; readonly holds: Condition }[];
  readonly #views = new Map<V, Asked>();

  constructor({ keys, conditions }: PlaceConcern) {
    this.#keys = keys.map((key) => new KeyIndex<V>(key));
    this.#conditions = conditions.map((one) => ({
      columns: columnsOf(one),
      holds: compileCondition(one, ALL_PIECES),
    }));
  }

  add(view: V, values: Binding): void {
    const keys = this.#keys.map((key) => key.add(view, values));
    this.#views.set(view, { values, keys });
  }

  remove(view: V): void {
    const asked = this.#views.get(view);
    this.#views.delete(view);
    for (const [at, key] of this.#keys.entries()) key.remove(view, asked?.keys[at] ?? null);
  }

  find(image: Image, found: Set<V>, left: { evaluations: number }): void {
    const known = this.#keys.find(({ column }) => image[column] !== undefined);
    const candidates = known === undefined ? [this.#views.keys()] : known.find(image);
    for (const views of candidates) {
      for (const view of views) {
        if (left.evaluations <= 0) return;
        left.evaluations--;
        if (!found.has(view) && this.#mayMatter(image, must(this.#views.get(view), 'a view')))
          found.add(view);
      }
    }
  }

  #mayMatter(image: Image, { values, keys }: Asked): boolean {
    const differs = this.#keys.some((key, at) => key.differs(image, keys[at] ?? null));
    if (differs) return false;
    const row = image.map((value) => value ?? null);
    try {
      return this.#conditions.every(({ columns, holds }) => {
        const isKnown = [...columns].every((column) => image[column] !== undefined);
        return !isKnown || holds(row, values) === true;
      });
    } catch {
      return true; // what Postgres makes of it is for Postgres to say
    }
  }
}

/** Views by the values that a column must have for them. */
class KeyIndex<V extends object> {
  readonly column: number;
  readonly #any: boolean;
  readonly #keyOf: (value: string) => string;
  readonly #value: (row: readonly PgText[], values: Binding) => PgText;
  readonly #views = new Map<string, Set<V>>();
  /** Whose values could not be computed. */
  readonly #unknown = new Set<V>();

  constructor({ column, type, value, any }: KeyConcern) {
    this.column = column;
    this.#any = any;
    this.#keyOf = equalityKey(type, ALL_PIECES.types);
    this.#value = compileExpression(value, ALL_PIECES);
  }

  add(view: V, values: Binding): ReadonlySet<string> | null {
    const keys = this.#keysOf(values);
    if (keys === null) this.#unknown.add(view);
    for (const key of keys ?? []) {
      const views = this.#views.get(key);
      if (views) views.add(view);
      else this.#views.set(key, new Set([view]));
    }
    return keys;
  }

  remove(view: V, keys: ReadonlySet<string> | null): void {
    this.#unknown.delete(view);
    for (const key of keys ?? []) {
      const views = this.#views.get(key);
      views?.delete(view);
      if (views?.size === 0) this.#views.delete(key);
    }
  }

  find(image: Image): Iterable<V>[] {
    const value = image[this.column] ?? null;
    return value === null ? [] : [this.#views.get(this.#keyOf(value)) ?? [], this.#unknown];
  }

  /** For certain. NULL equals nothing. */
  differs(image: Image, keys: ReadonlySet<string> | null): boolean {
    const value = image[this.column];
    if (value === undefined || keys === null) return value === null;
    return value === null || !keys.has(this.#keyOf(value));
  }

  #keysOf(values: Binding): ReadonlySet<string> | null {
    try {
      const value = this.#value([], values);
      if (value === null) return new Set();
      const elements = this.#any ? parseArrayElements(value) : [value];
      return new Set(elements.flatMap((one) => (one === null ? [] : [this.#keyOf(one)])));
    } catch {
      return null;
    }
  }
}
