import { diffRows, type KeyedRow } from '@sluice/core/engine/diff';
import type { EncodedOp } from '@sluice/core/engine/held-row';
import {
  TableEngine,
  fetchCount,
  windowBounds,
  type Member,
  type RowEvent,
} from '@sluice/core/engine/table-engine';
import type { SluiceError } from '@sluice/core/errors';
import type { Lsn } from '@sluice/core/lsn';
import type { Binding, TablePlan } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { WireError } from '@sluice/core/wire';
import type { Fetch } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { catchUp, type Fetched, type Step } from './catch-up.js';
import { answerError, isTransient, viewsError } from './errors.js';
import { restMs } from './pace.js';
import { RelevantLog, raiseBase, toldFrom, type Base, type Relevant } from './relevant-log.js';
import { Restlessness } from './restlessness.js';
import { RowEvents, changesByTable, type Ancestors, type TableChanges } from './table-changes.js';
import type { Version, View } from './view.js';

/** How many bindings one hydration statement serves. */
const HYDRATION_BATCH = 1000;

/** A view in the incremental gear. */
export interface TableView extends Base {
  readonly view: View;
  readonly binding: Binding;
  /** In the engine; null while a fetch is on its way. */
  member: Member | null;
  /** What clients hold, while there is no member: `carry` leads from the last version to `shown`. */
  shown: readonly KeyedRow[];
  carry: readonly EncodedOp[];
  /** Rows to fetch beyond the window on top of its margin: grows while windows run dry. */
  extra: number;
  readonly restlessness: Restlessness;
}

export interface IncrementalOptions {
  readonly plan: TablePlan;
  readonly rowsPerViewMax: number;
  /** Transactions kept while views are behind. */
  readonly relevantMax?: number;
  /** Reads the rows of many bindings in one statement: `[ordinal, …plan columns]`; at most `counts` rows each. */
  fetch(bindings: readonly Binding[], counts: readonly number[]): Promise<Fetch<Hydration>>;
  passed(lsn: Lsn): Promise<void>;
  /** The chain of the source, and how far it has been told. */
  chain(): number;
  now(): Version;
  readonly ancestors: Ancestors;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  /** The least time between the starts of two reads of restless views, ms. */
  readonly intervalMs: number;
  /** Counts for the metrics. */
  onHydration(bindings: number): void;
  onMiss(): void;
  onRestless(): void;
  /** A fetch failed for want of a connection; resolves when it is worth trying again. */
  recovered(error: unknown): Promise<void>;
}

/** Rows by binding, in the plan's order, in the plan's columns; an error where Postgres raised one. */
export type Hydration = readonly ((readonly PgText[])[] | { readonly error: unknown })[];

/** Views that are fetched as soon as they miss, and restless ones. */
const LANES = ['quick', 'restless'] as const;
type Lane = (typeof LANES)[number];

/**
 * A template in the incremental gear: one engine for all of its bindings, and the fetches that fill it.
 *
 *   open ─▶ pending ─▶ fetch at a snapshot ─▶ stream passes U ─▶ unseen transactions on top (C5, C8) ─▶ in the engine
 *            ▲  ▲                                                     │                                  │
 *            │  └── overtaken: told as far as it stands (C6, C12) ◀───┘                                  │
 *            └───────────────────────── missed: window dry, value not sent, bulk ◀───────────────────────┘
 *
 * Catching up happens in an engine of the batch's own, and is then absorbed. A binding that misses again on the way
 * has an answer up to there: that is told, with a gap behind it, so that it moves on at each round however fast it
 * misses. Restless bindings are read at the pace of re-runs, in a lane of their own.
 */
export class IncrementalTemplate {
  readonly kind = 'incremental';
  readonly #options: IncrementalOptions;
  readonly #views = new Set<TableView>();
  readonly #byMember = new Map<Member, TableView>();
  readonly #pending = new Set<TableView>();
  /** Views whose answer is an error: tried anew when the table changes. */
  readonly #failed = new Set<TableView>();
  /** What pending views are behind of. */
  readonly #log: RelevantLog;
  readonly #engine: TableEngine;
  readonly #events: RowEvents;
  readonly #busy: Record<Lane, boolean> = { quick: false, restless: false };

  constructor(options: IncrementalOptions) {
    this.#options = options;
    this.#log = new RelevantLog(options.relevantMax);
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

  /** No view of it can say what its answer is now. */
  get isBehind(): boolean {
    return this.#pending.size === this.#views.size;
  }

  /** Views that miss faster than they can be read. */
  get restlessCount(): number {
    const nowMs = this.#options.clock.now();
    return [...this.#views].filter((one) => one.restlessness.isRestlessAt(nowMs)).length;
  }

  open(view: View, binding: Binding): TableView {
    const base = this.#options.now().lsn;
    const one: TableView = {
      view,
      binding,
      member: null,
      shown: [],
      carry: [],
      base,
      told: false,
      extra: 0,
      restlessness: new Restlessness(this.#options.clock.now()),
    };
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
    if (this.#byMember.size > 0) this.#applyToMembers(transaction, changes, at);
    if (this.#pending.size === 0) return;
    const least = this.#log.add(transaction);
    if (least !== null) for (const one of this.#pending) raiseBase(one, least);
  }

  #applyToMembers(transaction: Transaction, changes: TableChanges, at: Version): void {
    const events = this.#eventsOf(changes);
    if (events === null) return this.#missAll(transaction.previous);
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

  /** Everything held is void after `through`, and the stream begins anew at `now`: clients get the difference. */
  restart(through: Lsn, now: Lsn): void {
    this.#missAll(through);
    this.resume(now);
  }

  /** What happened up to `now` was not told to the views that are behind; every later snapshot sees it. */
  resume(now: Lsn): void {
    this.#log.clear();
    for (const one of this.#pending) {
      one.base = now;
      one.told = false;
    }
  }

  #missAll(through: Lsn): void {
    for (const one of this.#failed) this.#retry(one, through);
    for (const one of this.#views) if (one.member) this.#miss(one, through, []);
  }

  #retry(one: TableView, through: Lsn): void {
    this.#failed.delete(one);
    one.base = through;
    one.told = true;
    one.view.gap(through);
    this.#hydrate(one);
  }

  #checkSize(one: TableView, at: Version): void {
    if (!one.member || one.member.rows.size <= this.#options.rowsPerViewMax) return;
    one.shown = one.member.rows.shown();
    this.#leave(one);
    this.#fail(one, at, viewsError('result_too_large').toWire());
  }

  #miss(one: TableView, through: Lsn, carry: readonly EncodedOp[]): void {
    this.#options.onMiss();
    one.restlessness.missed(this.#options.clock.now());
    if (one.member?.rows.dry === true) fetchFurther(one);
    one.base = through;
    one.told = true;
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
    this.#wake();
  }

  #wake(): void {
    for (const lane of LANES) {
      if (this.#busy[lane]) continue;
      this.#busy[lane] = true;
      // After the current turn, so that what is opened together is fetched together.
      setImmediate(() => void this.#drain(lane));
    }
  }

  async #drain(lane: Lane): Promise<void> {
    const { clock, intervalMs } = this.#options;
    for (;;) {
      const batch = this.#batch(lane);
      if (batch.length === 0) break;
      const start = clock.now();
      try {
        await this.#hydrateBatch(batch);
      } catch (error) {
        if (isTransient(error)) await this.#options.recovered(error);
        else for (const one of batch) this.#fail(one, this.#options.now(), answerError(error).toWire());
      }
      if (lane === 'restless') await clock.sleep(restMs(clock.now() - start, intervalMs));
    }
    this.#busy[lane] = false;
  }

  #batch(lane: Lane): TableView[] {
    const batch: TableView[] = [];
    for (const one of this.#pending) {
      if (batch.length === HYDRATION_BATCH) break;
      if (one.restlessness.isRestless === (lane === 'restless')) batch.push(one);
    }
    return batch;
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
      this.#options.onHydration(batch.length);
      this.#take(batch, fetch, counts);
      this.#log.trim(Array.from(this.#pending, (one) => one.base));
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

  /** Everything that the snapshot saw has been told: what was fetched is brought to the present, or as far as it goes. */
  #take(batch: readonly TableView[], fetch: Fetch<Hydration>, counts: readonly number[]): void {
    const steps = this.#stepsOf(fetch.unseen());
    const seen = this.#log.lastSeen(fetch.snapshot);
    const fetched = new Map<TableView, Fetched>();
    batch.forEach((one, index) => {
      if (!this.#views.has(one)) return;
      const rows = fetch.result[index] ?? [];
      const error = 'error' in rows ? answerError(rows.error) : tooLarge(rows, this.#options.rowsPerViewMax);
      if (error !== null)
        this.#takeError(one, error, { last: seen, until: steps[0]?.transaction, upper: fetch.upper });
      else if (!('error' in rows))
        fetched.set(one, { binding: one.binding, rows, complete: rows.length < (counts[index] ?? 0) });
    });
    const { engine, members, overtaken } = catchUp(this.#options.plan, fetched, steps);
    this.#absorb(engine, members);
    for (const [one, { step, rows, dry }] of overtaken) {
      if (dry) fetchFurther(one);
      const last = steps[step - 1]?.transaction.lsn ?? null;
      const span = { last: latest(seen, last), until: steps[step]?.transaction, upper: fetch.upper };
      this.#stand(one, span, (at) => this.#tell(one, at, rows));
    }
    for (const one of fetched.keys()) this.#noteRound(one, members.has(one));
  }

  #stepsOf(unseen: readonly Transaction[]): Step[] {
    const steps: Step[] = [];
    for (const transaction of unseen) {
      const changes = changesByTable(
        transaction,
        this.#options.ancestors,
        (table) => table === this.table,
      ).get(this.table);
      if (changes !== undefined) steps.push({ transaction, events: this.#eventsOf(changes) });
    }
    return steps;
  }

  #eventsOf(changes: TableChanges): RowEvent[] | null {
    return changes.unknown ? null : this.#events.read(changes.changes);
  }

  #absorb(engine: TableEngine, members: ReadonlyMap<TableView, Member>): void {
    this.#engine.absorb(engine);
    for (const [one, member] of members) {
      this.#pending.delete(one);
      one.member = member;
      this.#byMember.set(member, one);
      this.#tell(one, this.#options.now(), member.rows.shown());
      one.shown = [];
    }
  }

  /** An error is an answer at the snapshot (C17); what the snapshot did not see may have mended it: look again. */
  #takeError(one: TableView, error: SluiceError, span: Span): void {
    if (span.until === undefined) this.#fail(one, this.#options.now(), error.toWire());
    else this.#stand(one, span, (at) => one.view.error(at, error.toWire()));
  }

  /**
   * Tells an answer that holds through just before `until`, if it stands anywhere (C6): all that it has in it is at or
   * before `from`, and nothing of it is told already.
   */
  #stand(one: TableView, { last, until, upper }: Span, tell: (at: Version) => void): void {
    const least = latest(last, one.base) ?? one.base;
    if (until === undefined || until.lsn <= least) return;
    if (least === one.base && one.told) return;
    const from = toldFrom(least, until, upper);
    tell({ epoch: this.#options.now().epoch, lsn: from });
    one.view.gap(until.previous);
    one.base = from;
    one.told = true;
  }

  #tell(one: TableView, at: Version, rows: readonly KeyedRow[]): void {
    if (one.view.version === null) one.view.rows(at, rows);
    else
      one.view.delta(at, [...one.carry, ...diffRows(one.shown, rows, this.#options.plan.order.length > 0)]);
    one.shown = rows;
    one.carry = [];
  }

  #noteRound(one: TableView, caughtUp: boolean): void {
    if (!one.restlessness.round(this.#options.clock.now(), caughtUp)) return;
    this.#options.onRestless();
    this.#wake();
  }

  #fail(one: TableView, at: Version, error: WireError): void {
    this.#pending.delete(one);
    this.#failed.add(one);
    one.view.error(at, error);
  }
}

/** What is known of where an answer stands. */
interface Span {
  /** The last relevant transaction that is in it. */
  readonly last: Lsn | null;
  /** The first that is not. */
  readonly until: Relevant | undefined;
  /** Its snapshot saw nothing that commits after this. */
  readonly upper: Lsn;
}

function tooLarge(rows: readonly unknown[], rowsMax: number): SluiceError | null {
  return rows.length > rowsMax ? viewsError('result_too_large') : null;
}

function latest(one: Lsn | null, other: Lsn | null): Lsn | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}

function fetchFurther(one: TableView): void {
  one.extra = Math.min(2 * one.extra + 10, 10_000);
}
