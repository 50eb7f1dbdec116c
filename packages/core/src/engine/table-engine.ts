import { assert, must } from '../assert.js';
import type { Binding, TablePlan } from '../plan.js';
import type { PgText, RowKey } from '../value.js';
import { comparator, type TypeRules } from './compare.js';
import { bytesOfValues, ENTRY_BYTES, HeldBytes } from './held-bytes.js';
import { each, withOne, withoutOne, type Few } from '../few.js';
import type { EncodedOp, HeldRow } from './held-row.js';
import { UnorderedRows, WindowRows, type MemberRows, type WindowBounds } from './member-rows.js';
import {
  compilePredicate,
  indexPath,
  predicateColumns,
  prepareBinding,
  type Condition,
  type IndexPath,
  type PreparedBinding,
} from './predicate.js';

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
  readonly #rules: TypeRules;
  readonly #condition: Condition;
  readonly #path: IndexPath | null;
  readonly #order: (left: HeldRow, right: HeldRow) => number;
  readonly #predicateColumns: readonly number[];
  /** Columns that say who holds a row, and where it stands. */
  readonly #placing: readonly number[];
  readonly #indexed = new Map<string, Few<Member>>();
  readonly #scanned = new Set<Member>();
  readonly #held = new Map<RowKey, Holding>();
  readonly #bytes = new HeldBytes();
  readonly #members = new Set<Member>();

  /** @param rules those of the chunks that the plan names */
  constructor(plan: TablePlan, rules: TypeRules) {
    this.plan = plan;
    this.#rules = rules;
    this.#condition = compilePredicate(plan.where, rules);
    this.#path = indexPath(plan.where, rules);
    this.#order = rowOrder(plan, rules);
    this.#predicateColumns = [...predicateColumns(plan.where)];
    const ordering = plan.order.map(({ column }) => column);
    this.#placing = [...new Set([...this.#predicateColumns, ...ordering, ...plan.key])];
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get heldRowCount(): number {
    return this.#held.size;
  }

  /** By estimate. */
  get heldBytes(): number {
    return this.#bytes.total;
  }

  members(): Iterable<Member> {
    return this.#members;
  }

  holds(key: RowKey): boolean {
    return this.#held.has(key);
  }

  /** Takes a binding in with its rows: in the plan's order, cut off by `fetchCount` unless `complete`. */
  add(binding: Binding, rows: readonly (readonly PgText[])[], complete: boolean): Member {
    const prepared = prepareBinding(this.plan.where, binding, this.#rules);
    const bounds = windowBounds(this.plan, binding);
    const held = rows.map((values) => this.#hold(rowKey(this.plan, values), values));
    const member = new Member(prepared, this.#memberRows([...held], complete, bounds));
    for (const row of held) row.members = withOne(row.members, member);
    this.#register(member);
    return member;
  }

  /** Takes over all members of another engine of the same plan, both being at the same position. */
  absorb(other: TableEngine): void {
    for (const member of other.#members) {
      member.rows.exchange((row) => {
        const holding = this.#holding(row);
        assert(sameValues(holding.values, row.values), 'engines at one position hold the same row');
        holding.members = withOne(holding.members, member);
        return holding;
      });
      this.#register(member);
    }
  }

  remove(member: Member): void {
    for (const row of member.rows.held()) this.#release(row, member);
    this.#members.delete(member);
    this.#scanned.delete(member);
    for (const key of this.#path?.keysOf(member.binding) ?? []) {
      const left = withoutOne(this.#indexed.get(key), member);
      if (left === undefined) this.#indexed.delete(key);
      else this.#indexed.set(key, left);
    }
  }

  /** Applies one transaction's changes of the table. */
  apply(events: readonly RowEvent[]): Effects {
    const effects: Effects = { ops: new Map(), missed: new Set() };
    const net = this.#consolidate(events);
    if (net.truncated) this.#truncate(effects);
    for (const [key, values] of net.rows) this.#change(key, values, effects);
    for (const member of effects.ops.keys()) if (member.rows.dry) effects.missed.add(member);
    return effects;
  }

  /** C10: what one transaction does to each row, whatever it did in between. */
  #consolidate(events: readonly RowEvent[]): Net {
    const net: Net = { truncated: false, rows: new Map() };
    for (const event of events) {
      if (event === 'truncate') {
        net.truncated = true;
        net.rows.clear();
        continue;
      }
      const old = event.oldKey === null ? undefined : this.#valuesIn(net, event.oldKey);
      if (event.oldKey !== null && event.oldKey !== event.newKey) net.rows.set(event.oldKey, null);
      if (event.newKey !== null) net.rows.set(event.newKey, fill(event.values, old ?? event.oldValues));
    }
    return net;
  }

  #valuesIn(net: Net, key: RowKey): PartialRow | undefined {
    const changed = net.rows.get(key);
    if (changed !== undefined) return changed ?? undefined;
    return net.truncated ? undefined : this.#held.get(key)?.values;
  }

  #truncate(effects: Effects): void {
    for (const member of this.#members) {
      const ops = opsOf(effects, member);
      member.rows.clear(ops);
    }
    this.#held.clear();
    this.#bytes.change(-this.#bytes.total);
  }

  #change(key: RowKey, values: PartialRow | null, effects: Effects): void {
    const holding = this.#held.get(key);
    if (values === null) {
      if (holding) this.#drop(holding, effects);
      return;
    }
    if (holding && this.#isPlacedAs(holding, values)) return this.#update(holding, values, effects);
    const matches = this.#matching(values, effects);
    if (!isWhole(values)) {
      for (const member of matches) effects.missed.add(member);
      if (holding) this.#drop(holding, effects);
      return;
    }
    this.#take(holding, this.#image(key, values, holding), matches, effects);
  }

  #take(holding: Holding | undefined, next: Holding, matches: Set<Member>, effects: Effects): void {
    let keeps: Few<Member> | undefined;
    const evict = (member: Member) => (row: HeldRow) => this.#release(row, member);
    if (holding !== undefined) {
      for (const member of each(holding.members)) {
        const ops = opsOf(effects, member);
        if (!matches.delete(member)) member.rows.remove(holding, ops);
        else if (member.rows.replace(holding, next, ops, evict(member))) keeps = withOne(keeps, member);
      }
    }
    for (const member of matches) {
      if (member.rows.insert(next, opsOf(effects, member), evict(member))) keeps = withOne(keeps, member);
    }
    next.members = keeps;
    if (keeps === undefined) this.#letGo(next.key);
    else this.#keep(next);
  }

  /** Nobody else holds the row than before, and it stands where it stood. */
  #isPlacedAs(holding: Holding, values: PartialRow): values is readonly PgText[] {
    for (const column of this.#placing) if (values[column] !== holding.values[column]) return false;
    return isWhole(values);
  }

  /** The common case. What holds the row goes on holding it: no more memory is touched than has to be. */
  #update(holding: Holding, values: readonly PgText[], effects: Effects): void {
    const before = holding.json;
    const held = holding.values;
    this.#bytes.change(-bytesOfHeld(holding));
    // Of what is held as it comes nothing is taken into memory again.
    holding.values = values.map((value, at) => (value === held[at] ? (held[at] ?? null) : value));
    holding.json = this.#json(values);
    this.#bytes.change(bytesOfHeld(holding));
    if (holding.json === before) return;
    const now = { json: holding.json, keyJson: holding.keyJson };
    for (const member of each(holding.members))
      member.rows.updated(holding, before, now, opsOf(effects, member));
  }

  #drop(holding: Holding, effects: Effects): void {
    for (const member of each(holding.members)) member.rows.remove(holding, opsOf(effects, member));
    this.#letGo(holding.key);
  }

  /** Members whose condition the row meets. One that cannot be decided, for want of a value, is reported missed. */
  #matching(values: PartialRow, effects: Effects): Set<Member> {
    const matches = new Set<Member>();
    const decidable = this.#predicateColumns.every((column) => values[column] !== undefined);
    for (const candidates of this.#candidates(values)) {
      for (const member of candidates) {
        if (!decidable) effects.missed.add(member);
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

  #memberRows(held: HeldRow[], complete: boolean, bounds: WindowBounds | null): MemberRows {
    if (bounds !== null)
      return new WindowRows(held, complete, bounds, this.#order, this.plan.order.length > 0);
    const rows = new UnorderedRows();
    for (const row of held) rows.insert(row, []);
    return rows;
  }

  #register(member: Member): void {
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
  #hold(key: RowKey, values: readonly PgText[]): Holding {
    const before = this.#held.get(key);
    if (before && sameValues(before.values, values)) return before;
    const held = this.#image(key, values, before);
    this.#keep(held);
    return held;
  }

  #image(key: RowKey, values: readonly PgText[], before: HeldRow | undefined): Holding {
    const keyJson = before?.keyJson ?? JSON.stringify(key);
    return { key, values, json: this.#json(values), keyJson, members: undefined };
  }

  #json(values: readonly PgText[]): string {
    return JSON.stringify(this.plan.project.map((column) => values[column] ?? null));
  }

  #keep(holding: Holding): void {
    this.#letGo(holding.key);
    this.#held.set(holding.key, holding);
    this.#bytes.change(bytesOfHeld(holding));
  }

  #letGo(key: RowKey): void {
    const holding = this.#held.get(key);
    if (holding === undefined) return;
    this.#held.delete(key);
    this.#bytes.change(-bytesOfHeld(holding));
  }

  #holding(row: HeldRow): Holding {
    let holding = this.#held.get(row.key);
    if (holding === undefined) {
      holding = { ...row, members: undefined };
      this.#keep(holding);
    }
    return holding;
  }

  #release(row: HeldRow, member: Member): void {
    const holding = this.#held.get(row.key);
    if (!holding) return;
    holding.members = withoutOne(holding.members, member);
    if (holding.members === undefined) this.#letGo(row.key);
  }
}

/** One binding in an engine. */
export class Member {
  readonly binding: PreparedBinding;
  readonly rows: MemberRows;
  /** Who took it in: found without looking it up. */
  owner: object | null = null;

  constructor(binding: PreparedBinding, rows: MemberRows) {
    this.binding = binding;
    this.rows = rows;
  }
}

/** A row's values in the plan's columns; `undefined` where a TOAST value was not sent. */
export type PartialRow = readonly (PgText | undefined)[];

/** What happened to one row, or that all are gone. */
export type RowEvent =
  | 'truncate'
  | {
      /** The identity before; null for an insert. */
      readonly oldKey: RowKey | null;
      /** The identity after; null for a delete. */
      readonly newKey: RowKey | null;
      /** After; empty for a delete. */
      readonly values: PartialRow;
      /** The whole row before, where the replica identity sends it. */
      readonly oldValues?: PartialRow;
    };

export interface Effects {
  /** What each touched member's clients are to do. */
  readonly ops: Map<Member, EncodedOp[]>;
  /** Members whose answer can no longer be told from what is held; their `ops` lead to what they still hold. */
  readonly missed: Set<Member>;
}

/** A row with whoever holds it. It is another one when it stands elsewhere; else it changes where it is. */
interface Holding extends HeldRow {
  values: readonly PgText[];
  json: string;
  members: Few<Member> | undefined;
}

interface Net {
  truncated: boolean;
  readonly rows: Map<RowKey, PartialRow | null>;
}

function opsOf(effects: Effects, member: Member): EncodedOp[] {
  let ops = effects.ops.get(member);
  if (ops === undefined) effects.ops.set(member, (ops = []));
  return ops;
}

function fill(values: PartialRow, old: PartialRow | undefined): PartialRow {
  if (old === undefined || !values.includes(undefined)) return values;
  return values.map((value, column) => (value === undefined ? old[column] : value));
}

function isWhole(values: PartialRow): values is readonly PgText[] {
  return !values.includes(undefined);
}

function sameValues(left: readonly PgText[], right: readonly PgText[]): boolean {
  return left.every((value, index) => value === right[index]);
}

/** Of the members that hold it as well: most rows have one. */
function bytesOfHeld({ values, json, keyJson }: HeldRow): number {
  return bytesOfValues(values) + json.length + keyJson.length + 4 * ENTRY_BYTES;
}

/** The identity of a row, from its values in the plan's columns. */
export function rowKey(plan: Pick<TablePlan, 'key'>, values: PartialRow): RowKey {
  const parts = plan.key.map((column) => values[column] ?? null);
  return parts.length === 1 ? must(parts[0], 'a key is not null') : JSON.stringify(parts);
}

/** The plan's order, then its key: total. */
function rowOrder(plan: TablePlan, rules: TypeRules): (left: HeldRow, right: HeldRow) => number {
  const terms = [
    ...plan.order,
    ...plan.key.map((column) => ({ column, descending: false, nullsFirst: false })),
  ].map((term) => ({ ...term, compare: comparator(must(plan.columns[term.column], 'column').type, rules) }));
  return (left, right) => {
    for (const term of terms) {
      const a = left.values[term.column] ?? null;
      const b = right.values[term.column] ?? null;
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === term.nullsFirst ? -1 : 1;
      const order = term.compare(a, b);
      if (order !== 0) return term.descending ? -order : order;
    }
    return 0;
  };
}

/** Rows beyond the limit that are fetched with it: as many again, but some. */
const MARGIN_MIN = 10;
const MARGIN_MAX = 200;

/** Where the window lies; null for a result without order and limit. (NULL as LIMIT means none, as OFFSET zero.) */
export function windowBounds(plan: TablePlan, binding: Binding): WindowBounds | null {
  if (plan.order.length === 0 && plan.limit === null && plan.offset === null) return null;
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
