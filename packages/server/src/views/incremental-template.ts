import { diffRows, type KeyedRow } from '@sluice/core/engine/diff';
import { TableEngine, fetchCount, windowBounds, type Member } from '@sluice/core/engine/table-engine';
import type { SluiceError } from '@sluice/core/errors';
import type { Lsn } from '@sluice/core/lsn';
import type { Binding, TablePlan } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { WireError } from '@sluice/core/wire';
import type { Fetch } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { answerError, isTransient, viewsError } from './errors.js';
import { RowEvents, changesByTable, type Ancestors, type TableChanges } from './table-changes.js';
import type { Version, View } from './view.js';

/** How many bindings one hydration statement serves. */
const HYDRATION_BATCH = 1000;

/** How often an error that may be mended already is looked at again before it is told; it is looked at again then, too. */
const OVERTAKEN_MAX = 5;

/** A view in the incremental gear. */
export interface TableView {
  readonly view: View;
  readonly binding: Binding;
  /** In the engine; null while a fetch is on its way. */
  member: Member | null;
  /** What clients hold, while there is no member: `carry` leads from the last version to `shown`. */
  shown: readonly KeyedRow[];
  carry: readonly string[];
  /** How often an error was read that a change told meanwhile may have mended. */
  overtaken: number;
  /** Rows to fetch beyond the window on top of its margin: grows while windows run dry. */
  extra: number;
}

export interface IncrementalOptions {
  readonly plan: TablePlan;
  readonly rowsPerViewMax: number;
  /** Reads the rows of many bindings in one statement: `[ordinal, …plan columns]`; at most `counts` rows each. */
  fetch(bindings: readonly Binding[], counts: readonly number[]): Promise<Fetch<Hydration>>;
  passed(lsn: Lsn): Promise<void>;
  /** The chain of the source, and how far it has been told. */
  chain(): number;
  now(): Version;
  readonly ancestors: Ancestors;
  /** Counts for the metrics. */
  onHydration(bindings: number): void;
  onMiss(): void;
  /** A fetch failed for want of a connection; resolves when it is worth trying again. */
  recovered(error: unknown): Promise<void>;
}

/** Rows by binding, in the plan's order, in the plan's columns; an error where Postgres raised one. */
export type Hydration = readonly ((readonly PgText[])[] | { readonly error: unknown })[];

/**
 * A template in the incremental gear: one engine for all of its bindings, and the fetches that fill it.
 *
 *   open ─▶ pending ─▶ fetch at a snapshot ─▶ stream passes U ─▶ unseen transactions on top (C5, C8) ─▶ in the engine
 *              ▲                                                                                      │
 *              └──────────────────────── missed: window dry, value not sent, bulk ◀───────────────────┘
 *
 * Catching up happens in an engine of the batch's own, by the same code that follows the stream, and is then
 * absorbed: whatever a fetched row went through since its snapshot is what the engine makes of it.
 */
export class IncrementalTemplate {
  readonly #options: IncrementalOptions;
  readonly #views = new Set<TableView>();
  readonly #byMember = new Map<Member, TableView>();
  readonly #pending = new Set<TableView>();
  /** Views whose answer is an error: tried anew when the table changes. */
  readonly #failed = new Set<TableView>();
  readonly #engine: TableEngine;
  readonly #events: RowEvents;
  #fetching = false;

  constructor(options: IncrementalOptions) {
    this.#options = options;
    this.#engine = new TableEngine(options.plan);
    this.#events = new RowEvents(options.plan);
  }

  get table(): number {
    return this.#options.plan.table;
  }

  get viewCount(): number {
    return this.#views.size;
  }

  get heldRowCount(): number {
    return this.#engine.heldRowCount;
  }

  open(view: View, binding: Binding): TableView {
    const one: TableView = { view, binding, member: null, shown: [], carry: [], overtaken: 0, extra: 0 };
    this.#views.add(one);
    const bounds = windowBounds(this.#options.plan, binding);
    if (bounds !== null && (bounds.limit < 0 || bounds.offset < 0)) {
      // Postgres says so whatever the rows: its answer at every position.
      view.error(this.#options.now(), viewsError('limit_negative').toWire());
    } else {
      this.#hydrate(one);
    }
    return one;
  }

  close(one: TableView): void {
    this.#views.delete(one);
    this.#pending.delete(one);
    this.#failed.delete(one);
    this.#leave(one);
  }

  /** What clients hold as of the view's version; null when only the next version can tell. */
  rowsOf(one: TableView): readonly KeyedRow[] | null {
    if (one.member) return one.member.rows.shown();
    return one.carry.length === 0 ? one.shown : null;
  }

  /** The transaction that makes the position `at` changed the table. */
  apply(transaction: Transaction, changes: TableChanges, at: Version): void {
    for (const one of this.#failed) this.#retry(one, transaction.previous);
    const events = changes.unknown ? null : this.#events.read(changes.changes);
    if (events === null) return this.missAll(transaction.previous);
    const effects = this.#engine.apply(events);
    for (const [member, ops] of effects.ops) {
      const one = this.#byMember.get(member);
      if (!one) continue;
      if (effects.missed.has(member)) this.#miss(one, transaction.previous, ops);
      else if (ops.length > 0) one.view.delta(at, ops);
      this.#checkSize(one, at);
    }
    for (const member of effects.missed) {
      const one = this.#byMember.get(member);
      if (one) this.#miss(one, transaction.previous, []);
    }
  }

  /** Everything held is void after `through`: hydrate anew, clients get the difference. */
  missAll(through: Lsn): void {
    for (const one of this.#failed) this.#retry(one, through);
    for (const one of this.#views) if (one.member) this.#miss(one, through, []);
  }

  #retry(one: TableView, through: Lsn): void {
    this.#failed.delete(one);
    one.view.gap(through);
    this.#hydrate(one);
  }

  #checkSize(one: TableView, at: Version): void {
    if (!one.member || one.member.rows.size <= this.#options.rowsPerViewMax) return;
    one.shown = one.member.rows.shown();
    this.#leave(one);
    this.#fail(one, at, viewsError('result_too_large').toWire());
  }

  #miss(one: TableView, through: Lsn, carry: readonly string[]): void {
    this.#options.onMiss();
    if (one.member?.rows.dry === true) one.extra = Math.min(2 * one.extra + 10, 10_000);
    one.shown = one.member ? one.member.rows.shown() : one.shown;
    one.carry = carry;
    this.#leave(one);
    one.view.gap(through);
    this.#hydrate(one);
  }

  #leave(one: TableView): void {
    if (!one.member) return;
    this.#engine.remove(one.member);
    this.#byMember.delete(one.member);
    one.member = null;
  }

  #hydrate(one: TableView): void {
    this.#pending.add(one);
    if (this.#fetching) return;
    this.#fetching = true;
    // After the current turn, so that what is opened together is fetched together.
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, HYDRATION_BATCH);
      try {
        await this.#hydrateBatch(batch);
      } catch (error) {
        if (isTransient(error)) await this.#options.recovered(error);
        else for (const one of batch) this.#fail(one, this.#options.now(), answerError(error).toWire());
      }
    }
    this.#fetching = false;
  }

  async #hydrateBatch(batch: readonly TableView[]): Promise<void> {
    const counts = batch.map((one) => this.#count(one));
    const fetch = await this.#options.fetch(
      batch.map((one) => one.binding),
      counts,
    );
    try {
      await this.#options.passed(fetch.upper);
      if (fetch.chain !== this.#options.chain()) return;
      const engine = new TableEngine(this.#options.plan);
      const members = this.#fill(engine, batch, fetch, counts);
      const missed = this.#catchUp(engine, fetch);
      if (missed === null) return;
      this.#take(engine, members, missed);
    } finally {
      fetch.end();
    }
  }

  /** How many rows to fetch: when as many come, there may be more. */
  #count(one: TableView): number {
    const most = this.#options.rowsPerViewMax + 1;
    const count = fetchCount(windowBounds(this.#options.plan, one.binding));
    return count === null ? most : Math.min(most, count + one.extra);
  }

  #fill(
    engine: TableEngine,
    batch: readonly TableView[],
    fetch: Fetch<Hydration>,
    counts: readonly number[],
  ): Map<TableView, Member> {
    const members = new Map<TableView, Member>();
    this.#options.onHydration(batch.length);
    const overtaken = fetch.unseen().some((transaction) => this.#changesOf(transaction) !== undefined);
    batch.forEach((one, index) => {
      if (!this.#views.has(one)) return;
      const rows = fetch.result[index] ?? [];
      const error = 'error' in rows ? answerError(rows.error) : tooLarge(rows, this.#options.rowsPerViewMax);
      if (error !== null) {
        // An error is an answer at the snapshot (C17); what the snapshot did not see may have mended it: look again.
        if (!overtaken) this.#fail(one, this.#options.now(), error.toWire());
        else if (++one.overtaken > OVERTAKEN_MAX) one.view.error(this.#options.now(), error.toWire());
      } else if (!('error' in rows)) {
        members.set(one, engine.add(one.binding, rows, rows.length < (counts[index] ?? 0)));
      }
    });
    return members;
  }

  #fail(one: TableView, at: Version, error: WireError): void {
    one.overtaken = 0;
    this.#pending.delete(one);
    this.#failed.add(one);
    one.view.error(at, error);
  }

  /** Applies what the snapshot did not see. @returns the members that missed, or null when the fetch is void. */
  #catchUp(engine: TableEngine, fetch: Fetch<unknown>): Set<Member> | null {
    const missed = new Set<Member>();
    for (const transaction of fetch.unseen()) {
      const changes = this.#changesOf(transaction);
      if (changes === undefined) continue;
      const events = changes.unknown ? null : this.#events.read(changes.changes);
      if (events === null) return null;
      for (const member of engine.apply(events).missed) missed.add(member);
    }
    for (const member of engine.members()) if (member.rows.dry) missed.add(member);
    return missed;
  }

  #changesOf(transaction: Transaction): TableChanges | undefined {
    return changesByTable(transaction, this.#options.ancestors, (table) => table === this.table).get(
      this.table,
    );
  }

  #take(engine: TableEngine, members: ReadonlyMap<TableView, Member>, missed: ReadonlySet<Member>): void {
    for (const [one, member] of members) {
      if (!missed.has(member)) continue;
      engine.remove(member);
      if (member.rows.dry) one.extra = Math.min(2 * one.extra + 10, 10_000);
    }
    this.#engine.absorb(engine);
    const at = this.#options.now();
    for (const [one, member] of members) {
      if (missed.has(member)) continue;
      this.#pending.delete(one);
      one.member = member;
      this.#byMember.set(member, one);
      const rows = member.rows.shown();
      if (one.view.version === null) one.view.rows(at, rows);
      else
        one.view.delta(at, [...one.carry, ...diffRows(one.shown, rows, this.#options.plan.order.length > 0)]);
      one.shown = [];
      one.carry = [];
    }
  }
}

function tooLarge(rows: readonly unknown[], rowsMax: number): SluiceError | null {
  return rows.length > rowsMax ? viewsError('result_too_large') : null;
}
