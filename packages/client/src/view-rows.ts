import type { Value } from '@sluice/core/decode';
import { editRow } from '@sluice/core/edit';
import type { Position } from '@sluice/core/position';
import { rowDecoder, type ValueMode } from '@sluice/core/row-decoder';
import { share } from '@sluice/core/share';
import type { Shape } from '@sluice/core/shape';
import type { Row, RowKey } from '@sluice/core/value';
import type { Op } from '@sluice/core/wire';

/**
 * A decoded row: plain, with own properties only. Equal rows keep their identity from move to move, and in a changed row
 * every nested value that equals the old one.
 */
export type RowObject = Readonly<Record<string, Value>>;

interface Entry {
  readonly key: RowKey;
  text: Row;
  row: RowObject;
  before: Entry | null;
  after: Entry | null;
}

/**
 * The rows of one view: found by key, and in order through links, so that an operation costs the same in a view of
 * ten rows and of ten thousand. The array that the application sees is made when it is asked for, once per move.
 *
 *   #entries   key ─▶ entry          first ⇄ entry ⇄ entry ⇄ last
 *
 * Unordered views keep the order of arrival.
 */
export class ViewRows {
  readonly #shape: Shape;
  readonly #mode: ValueMode;
  readonly #decode: (row: Row) => RowObject;
  readonly #entries = new Map<RowKey, Entry>();
  readonly #keys = new WeakMap<object, RowKey>();
  #first: Entry | null = null;
  #last: Entry | null = null;
  #array: readonly RowObject[] | null = null;
  #changes = 0;
  /** The rows' position: the chain's last link (C13). Null before the first rows. */
  at: Position | null = null;

  constructor(shape: Shape, mode: ValueMode) {
    this.#shape = shape;
    this.#mode = mode;
    this.#decode = rowDecoder(shape, mode);
  }

  get shape(): Shape {
    return this.#shape;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Grows with every real change: whoever remembers it can tell whether there was one. */
  get changes(): number {
    return this.#changes;
  }

  /** The same array until a row changes. */
  get rows(): readonly RowObject[] {
    if (this.#array) return this.#array;
    const array: RowObject[] = [];
    for (let entry = this.#first; entry; entry = entry.after) array.push(entry.row);
    this.#array = array;
    return array;
  }

  keyOf(row: object): RowKey | undefined {
    return this.#keys.get(row);
  }

  /** Keys and texts, in order. */
  *texts(): IterableIterator<readonly [RowKey, Row]> {
    for (let entry = this.#first; entry; entry = entry.after) yield [entry.key, entry.text];
  }

  /** The whole contents, in order. @throws SyntaxError when a value is not of its type. */
  replace(rows: readonly (readonly [RowKey, Row])[], at: Position): void {
    const keep = new Set(rows.map(([key]) => key));
    for (const key of this.#entries.keys()) if (!keep.has(key)) this.#delete(key);
    let last: RowKey | null = null;
    for (const [key, text] of rows) {
      this.#put(key, text, last);
      last = key;
    }
    this.at = at;
  }

  /** @throws SyntaxError when a value is not of its type, or an edit of no row. */
  apply(ops: readonly Op[], to: Position): void {
    for (const op of ops) {
      const [kind, key] = op;
      if (kind === 'del') this.#delete(key);
      else this.#put(key, kind === 'put' ? op[2] : editRow(this.#entries.get(key)?.text ?? [], op[2]), op[3]);
    }
    this.at = to;
  }

  /**
   * Becomes what `base` was (these rows themselves, or those that a resume described), without the rows that `drop`
   * names, with these, in this order if one is given.
   */
  merge(
    base: ViewRows,
    drop: (key: RowKey) => boolean,
    rows: readonly (readonly [RowKey, Row])[],
    order: readonly RowKey[] | undefined,
    at: Position,
  ): void {
    const put = new Map(rows);
    if (base !== this) this.#become(base, drop, put);
    for (const key of this.#entries.keys()) if (!put.has(key) && drop(key)) this.#delete(key);
    for (const [key, text] of rows) this.#put(key, text, undefined);
    let last: RowKey | null = null;
    for (const key of order ?? []) {
      const entry = this.#entries.get(key);
      if (!entry) continue;
      this.#place(entry, last);
      last = key;
    }
    this.at = at;
  }

  /** These rows as they are now, to be kept while the view goes on, or read otherwise. @throws SyntaxError */
  copy(shape: Shape = this.#shape): ViewRows {
    const copy = new ViewRows(shape, this.#mode);
    copy.#become(this, () => false, new Map());
    copy.at = this.at;
    return copy;
  }

  /** A row that is put keeps its place. Equal rows of an equal shape are taken as they are, objects and all. */
  #become(base: ViewRows, drop: (key: RowKey) => boolean, put: ReadonlyMap<RowKey, Row>): void {
    const same = base.#mode === this.#mode && sameShape(base.#shape, this.#shape);
    for (const key of this.#entries.keys()) this.#delete(key);
    for (let entry = base.#first; entry; entry = entry.after) {
      const { key, row } = entry;
      const next = put.get(key);
      if (next === undefined && drop(key)) continue;
      const text = next ?? entry.text;
      const taken = same && sameTexts(text, entry.text);
      this.#add(key, text, taken ? row : share(row, this.#decode(text)), undefined);
    }
  }

  /** `after` undefined: where it stands, or last. */
  #put(key: RowKey, text: Row, after: RowKey | null | undefined): void {
    const held = this.#entries.get(key);
    if (!held) return this.#add(key, text, this.#decode(text), after);
    if (!sameTexts(held.text, text)) {
      const row = share(held.row, this.#decode(text));
      held.text = text;
      if (row !== held.row) {
        held.row = row;
        this.#keys.set(row, key);
        this.#changed();
      }
    }
    if (after !== undefined) this.#place(held, after);
  }

  #add(key: RowKey, text: Row, row: RowObject, after: RowKey | null | undefined): void {
    const entry = { key, text, row, before: null, after: null };
    this.#keys.set(row, key);
    this.#entries.set(key, entry);
    this.#link(entry, this.#standing(after));
    this.#changed();
  }

  #delete(key: RowKey): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#unlink(entry);
    this.#changed();
  }

  #place(entry: Entry, after: RowKey | null): void {
    const target = this.#standing(after);
    if (entry.before === target || entry === target) return;
    this.#unlink(entry);
    this.#link(entry, target);
    this.#changed();
  }

  /** The entry to stand after; null for the first place. A key that is not there means the last place. */
  #standing(after: RowKey | null | undefined): Entry | null {
    if (after === null) return null;
    return (after === undefined ? undefined : this.#entries.get(after)) ?? this.#last;
  }

  #link(entry: Entry, after: Entry | null): void {
    const next = after ? after.after : this.#first;
    entry.before = after;
    entry.after = next;
    if (after) after.after = entry;
    else this.#first = entry;
    if (next) next.before = entry;
    else this.#last = entry;
  }

  #unlink(entry: Entry): void {
    if (entry.before) entry.before.after = entry.after;
    else this.#first = entry.after;
    if (entry.after) entry.after.before = entry.before;
    else this.#last = entry.before;
  }

  #changed(): void {
    this.#array = null;
    this.#changes++;
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameTexts(a: Row, b: Row): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
