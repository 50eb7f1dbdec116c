import { must } from '../assert.js';
import { each, withOne, withoutOne, type Few } from '../few.js';
import { mapKey } from '../map-key.js';
import type { RowMap } from '../number-map.js';
import type { Binding, TablePlan } from '../plan.js';
import type { PgText, RowKey } from '../value.js';
import type { TypeRules } from './compare.js';
import { bytesOfValues, ENTRY_BYTES, HeldBytes } from './held-bytes.js';
import { updateOp, type EncodedOp } from './held-row.js';
import type { HeldRow, Member } from './member.js';
import { UnorderedRows, WindowRows, type WindowBounds } from './member-rows.js';
import {
  compilePredicate,
  indexPath,
  predicateColumns,
  prepareBinding,
  type Condition,
  type IndexPath,
  type PreparedBinding,
} from './predicate.js';
import { isOrdered, isWhole, RowLayout } from './row-layout.js';

/**
 * One template over one table, maintained for any number of bindings.
 *
 *   row event ─▶ consolidated by row ─▶ old members (who hold it)      ─▶ operations per member
 *                                    └▶ new members (index, predicate) ─▶
 *
 * Contract. The caller feeds every change of the table, in WAL order, one transaction at a time, and adds only
 * members whose rows are the table's at that same point. Then after each `apply` a member's rows are its query's
 * answer, unless it is reported `missed`: then the caller removes it and fetches it anew. The cost of a change
 * is that of the members it touches, found by index; members without an equality are each asked.
 */
export class TableEngine {
  readonly plan: TablePlan;
  /** Of its rows. */
  readonly order: (left: HeldRow, right: HeldRow) => number;
  readonly #rules: TypeRules;
  readonly #condition: Condition;
  readonly #path: IndexPath | null;
  readonly #predicateColumns: readonly number[];
  readonly #layout: RowLayout;
  readonly #indexed = new Map<string, Few<Member>>();
  readonly #scanned = new Set<Member>();
  protected readonly held: RowMap<HeldRow>;
  readonly #bytes = new HeldBytes();
  readonly #members = new Set<Member>();

  /** @param rules those of the chunks that the plan names @param held what is to hold the rows */
  constructor(plan: TablePlan, rules: TypeRules, held: RowMap<HeldRow> = new Map()) {
    this.plan = plan;
    this.held = held;
    this.#rules = rules;
    this.#condition = compilePredicate(plan.where, rules);
    this.#path = indexPath(plan.where, rules);
    this.#predicateColumns = [...predicateColumns(plan.where)];
    this.#layout = new RowLayout(plan, this.#predicateColumns);
    this.order = this.#layout.order(rules);
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get heldRowCount(): number {
    return this.held.size;
  }

  /** By estimate. */
  get heldBytes(): number {
    return this.#bytes.total + 2 * ENTRY_BYTES * this.held.size;
  }

  members(): Iterable<Member> {
    return this.#members;
  }

  /** The row of that identity, if it is held. */
  find(key: RowKey): HeldRow | undefined {
    return this.held.get(mapKey(key));
  }

  /** Takes a binding in with its rows: in the plan's order, cut off by `fetchCount` unless `complete`. */
  add(binding: Binding, rows: readonly (readonly PgText[])[], complete: boolean): Member {
    const prepared = prepareBinding(this.plan.where, binding, this.#rules);
    const held = rows.map((values) => this.#hold(rowKey(this.plan, values), values));
    const member = this.#member(prepared, held, complete);
    for (const row of held) row.members = withOne(row.members, member);
    this.register(member);
    return member;
  }

  /** It may be none any more. */
  remove(member: Member): void {
    if (!this.#members.delete(member)) return;
    for (const row of member.held()) this.#release(row, member);
    this.#scanned.delete(member);
    for (const key of this.#path?.keysOf(member.binding) ?? []) {
      const left = withoutOne(this.#indexed.get(key), member);
      if (left === undefined) this.#indexed.delete(key);
      else this.#indexed.set(key, left);
    }
  }

  /** Applies one transaction's changes of the table. */
  apply(events: readonly RowEvent[]): Effects {
    const effects = new Effects();
    const [one] = events;
    // The common case: no more is made on the way than has to be.
    if (events.length === 1 && one !== undefined && one !== 'truncate' && one.newKey === one.oldKey)
      this.#change(one.newKey, this.#filled(one), effects);
    else for (const [key, values] of this.#net(events, effects)) this.#change(key, values, effects);
    for (const { held } of effects.told) if (held.dry) effects.miss(held);
    return effects;
  }

  /** C10: what one transaction does to each row, whatever it did in between. Rows that it truncates are gone at once. */
  #net(events: readonly RowEvent[], effects: Effects): ReadonlyMap<RowKey, PartialRow | null> {
    const rows = new Map<RowKey, PartialRow | null>();
    for (const event of events) {
      if (event === 'truncate') {
        rows.clear();
        this.#truncate(effects);
        continue;
      }
      const { oldKey, newKey } = event;
      const values = this.#filled(event, rows);
      if (oldKey !== null && oldKey !== newKey) rows.set(oldKey, null);
      if (newKey !== null) rows.set(newKey, values);
    }
    return rows;
  }

  /** C8: what was not sent is what it was. @param rows what the transaction did before */
  #filled(
    { oldKey, values, oldValues }: RowChange,
    rows?: ReadonlyMap<RowKey, PartialRow | null>,
  ): PartialRow {
    if (oldKey === null || isWhole(values)) return values;
    const held = this.held.get(mapKey(oldKey));
    const changed = rows?.get(oldKey);
    const old = (changed === undefined && held ? this.#layout.valuesOf(held) : changed) ?? oldValues;
    return old === undefined
      ? values
      : values.map((value, column) => (value === undefined ? old[column] : value));
  }

  #truncate(effects: Effects): void {
    for (const member of this.#members) member.clear(effects.opsOf(member));
    this.held.clear();
    this.#bytes.change(-this.#bytes.total);
  }

  #change(key: RowKey | null, values: PartialRow | null, effects: Effects): void {
    if (key === null) return;
    const row = this.held.get(mapKey(key));
    if (values === null) {
      if (row) this.#drop(row, effects);
      return;
    }
    if (row && this.#layout.isPlacedAs(row, values)) return this.#update(row, key, values, effects);
    const matches = this.#matching(values, effects);
    if (!isWhole(values)) {
      for (const member of matches) effects.miss(member);
      if (row) this.#drop(row, effects);
      return;
    }
    this.#take(row, this.#layout.row(key, values), matches, effects);
  }

  #take(old: HeldRow | undefined, next: HeldRow, matches: Set<Member>, effects: Effects): void {
    let keeps: Few<Member> | undefined;
    const evict = (member: Member) => (row: HeldRow) => this.#release(row, member);
    if (old !== undefined) {
      const change = { old, next, now: next.told() };
      for (const member of each(old.members)) {
        const ops = effects.opsOf(member);
        if (!matches.delete(member)) member.remove(old, ops);
        else if (member.replace(change, ops, evict(member))) keeps = withOne(keeps, member);
      }
    }
    for (const member of matches) {
      if (member.insert(next, effects.opsOf(member), evict(member))) keeps = withOne(keeps, member);
    }
    next.members = keeps;
    if (keeps !== undefined) this.keep(next);
    else if (old !== undefined) this.#letGo(old);
  }

  /** The common case. Who holds the row goes on holding it: no more memory is touched than has to be. */
  #update(row: HeldRow, key: RowKey, values: readonly PgText[], effects: Effects): void {
    const json = this.#layout.json(values);
    const before = row.json;
    if (!this.write(row, json)) return;
    // It stays where clients show it: all are told the same.
    const bytes = bytesOfValues(values);
    this.#bytes.change(bytes - row.bytes);
    row.bytes = bytes;
    // The key as it came: making its text of a number anew takes memory.
    const op = updateOp(before, { json, keyJson: JSON.stringify(key) });
    for (const member of each(row.members)) if (member.shows(row)) effects.tell(member, op);
  }

  /** @returns false where the row has that text */
  protected write(row: HeldRow, json: string): boolean {
    if (json === row.json) return false;
    row.json = json;
    return true;
  }

  #drop(row: HeldRow, effects: Effects): void {
    for (const member of each(row.members)) member.remove(row, effects.opsOf(member));
    this.#letGo(row);
  }

  /** Members whose condition the row meets. One that cannot be decided, for want of a value, is reported missed. */
  #matching(values: PartialRow, effects: Effects): Set<Member> {
    const matches = new Set<Member>();
    const decidable = this.#predicateColumns.every((column) => values[column] !== undefined);
    for (const candidates of this.#candidates(values)) {
      for (const member of candidates) {
        if (!decidable) effects.miss(member);
        else if (this.#condition(values as readonly PgText[], member.binding) === true) matches.add(member);
      }
    }
    return matches;
  }

  /** Members that the row may concern: those of its index key, and those that no index finds. */
  #candidates(values: PartialRow): readonly Iterable<Member>[] {
    if (this.#path === null) return [this.#scanned];
    for (const { column } of this.#path.columns) if (values[column] === undefined) return [this.#members];
    const key = this.#path.keyOf(values as readonly PgText[]);
    const found = key === null ? undefined : this.#indexed.get(key);
    return found === undefined ? [] : [each(found)];
  }

  #member(binding: PreparedBinding, rows: HeldRow[], complete: boolean): Member {
    const bounds = windowBounds(this.plan, binding.values);
    if (bounds === null) return new UnorderedRows(binding, this, rows);
    return new WindowRows(binding, this, rows, complete, bounds);
  }

  protected register(member: Member): void {
    this.#members.add(member);
    if (this.#path === null) {
      this.#scanned.add(member);
      return;
    }
    for (const key of this.#path.keysOf(member.binding)) {
      this.#indexed.set(key, withOne(this.#indexed.get(key), member));
    }
  }

  /** The row as it is held, shared with the members that hold the same image already. */
  #hold(key: RowKey, values: readonly PgText[]): HeldRow {
    const held = this.held.get(mapKey(key));
    const row = this.#layout.row(key, values);
    if (held?.json === row.json && this.#layout.isPlacedAs(held, values)) return held;
    return this.keep(row);
  }

  protected keep(row: HeldRow): HeldRow {
    this.#letGo(row);
    this.held.set(row.key, row);
    this.#bytes.change(row.bytes);
    return row;
  }

  /** Whatever is held under its key. */
  #letGo({ key }: HeldRow): void {
    const held = this.held.get(key);
    if (held === undefined) return;
    this.held.delete(key);
    this.#bytes.change(-held.bytes);
  }

  #release(row: HeldRow, member: Member): void {
    const held = this.held.get(row.key);
    if (held === undefined) return;
    held.members = withoutOne(held.members, member);
    if (held.members === undefined) this.#letGo(held);
  }
}

/** A row's values in the plan's columns; `undefined` where a TOAST value was not sent. */
export type PartialRow = readonly (PgText | undefined)[];

/** What happened to one row, or that all are gone. */
export type RowEvent = 'truncate' | RowChange;

export interface RowChange {
  /** The identity before; null for an insert. */
  readonly oldKey: RowKey | null;
  /** The identity after; null for a delete. */
  readonly newKey: RowKey | null;
  /** After; empty for a delete. */
  readonly values: PartialRow;
  /** The whole row before, where the replica identity sends it. */
  readonly oldValues?: PartialRow;
}

/** Mostly one operation of one member: no more is made for it than that. */
export class Effects {
  /** What each touched member's clients are to do; each member once. */
  told: { readonly held: Member; readonly ops: EncodedOp[] }[] = [];
  /** Members whose answer can no longer be told from what is held; their `ops` lead to what they still hold. */
  missed: Few<Member> | undefined;
  /** Of those told but the first. */
  #others: Map<Member, EncodedOp[]> | undefined;

  miss(member: Member): void {
    this.missed = withOne(this.missed, member);
  }

  tell(member: Member, op: EncodedOp): void {
    if (this.told.length === 0) this.told = [{ held: member, ops: [op] }];
    else this.opsOf(member).push(op);
  }

  opsOf(member: Member): EncodedOp[] {
    const [first] = this.told;
    if (first?.held === member) return first.ops;
    let ops = this.#others?.get(member);
    if (ops === undefined) {
      this.told.push({ held: member, ops: (ops = []) });
      if (first) (this.#others ??= new Map()).set(member, ops);
    }
    return ops;
  }
}

/** The identity of a row, from its values in the plan's columns. */
export function rowKey(plan: Pick<TablePlan, 'key'>, values: PartialRow): RowKey {
  const parts = plan.key.map((column) => values[column] ?? null);
  return parts.length === 1 ? must(parts[0], 'a key is not null') : JSON.stringify(parts);
}

/** Rows beyond the limit that are fetched with it: as many again, but some. */
const MARGIN_MIN = 10;
const MARGIN_MAX = 200;

/** Where the window lies; null for a result without order and limit. (NULL as LIMIT means none, as OFFSET zero.) */
export function windowBounds(plan: TablePlan, binding: Binding): WindowBounds | null {
  if (!isOrdered(plan)) return null;
  const limit = boundOf(plan.limit, binding, Infinity);
  const margin = limit === Infinity ? 0 : Math.min(MARGIN_MAX, Math.max(MARGIN_MIN, limit));
  return { offset: boundOf(plan.offset, binding, 0), limit, margin };
}

function boundOf(operand: TablePlan['limit'], binding: Binding, absent: number): number {
  if (operand === null || !('param' in operand)) return absent;
  const text = binding[operand.param] ?? null;
  return text === null ? absent : Number(text);
}

/** How many rows to fetch for a window; null for all. A fetch that returns fewer is complete. */
export function fetchCount(bounds: WindowBounds | null): number | null {
  if (bounds === null || bounds.limit === Infinity) return null;
  return bounds.offset + bounds.limit + bounds.margin;
}
