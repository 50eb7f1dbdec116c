import { diffRows, type KeyedRow } from '@sluice/core/engine/diff';
import type { EncodedOp } from '@sluice/core/engine/held-row';
import { SluiceError } from '@sluice/core/errors';
import type { Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { WireError } from '@sluice/core/wire';
import type { Planned } from '../planner/planned.js';
import type { Fetch } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { Cost } from './cost.js';
import { answerError, isTransient, viewsError } from './errors.js';
import { TooMuch, type CaughtUp, type Held, type Inability, type Reading, type Step } from './gear.js';
import type { IncrementalOptions } from './incremental-options.js';
import { IncrementalView } from './incremental-view.js';
import { restMs } from './pace.js';
import { RelevantLog, raiseBase, toldFrom, type Relevant } from './relevant-log.js';
import { Restlessness, type Round } from './restlessness.js';
import { changesByTable, type ChangesByTable } from './table-changes.js';
import { NOWHERE, type Version } from './publications.js';
import type { View } from './view.js';

/** How many bindings one hydration statement serves. */
const HYDRATION_BATCH = 1000;

const NONE: ReadonlySet<number> = new Set();

interface Miss {
  readonly carry?: readonly EncodedOp[];
  /** The engine goes on following what it demands. */
  readonly waits?: boolean;
  /** Relations of which values were not sent, if it missed for want of a value. */
  readonly unsent?: ReadonlySet<number>;
}

/** Views that are fetched as soon as they miss, and restless ones. */
const LANES = ['quick', 'restless'] as const;
type Lane = (typeof LANES)[number];

/**
 * A template in the incremental gear: one engine for all of its bindings, and the fetches that fill it.
 *
 *   open ─▶ pending ─▶ fetch at a snapshot ─▶ stream passes U ─▶ unseen transactions on top (C5, C8) ─▶ in the engine
 *            ▲  ▲                                                     │                                  │
 *            │  └── overtaken: told as far as it stands (C6, C12) ◀───┘                                  │
 *            └──────────────── missed: keys not known, window dry, value not sent, bulk ◀────────────────┘
 *
 * A view that missed waits in the engine where it can: the fetch then reads what the engine lacks, and not the view.
 *
 * Catching up happens in an engine of the batch's own, and is then absorbed. A binding that misses again on the way
 * has an answer up to there: that is told, with a gap behind it, so that it moves on at each round however fast it
 * misses. Restless bindings are read at the pace of re-runs, in a lane of their own.
 */
export class IncrementalTemplate {
  readonly kind = 'incremental';
  readonly cost: Cost = new Cost();
  readonly tables: readonly number[];
  readonly #options: IncrementalOptions;
  readonly #views = new Set<IncrementalView>();
  /** Views in the engine. */
  #heldCount = 0;
  /** Pending views that are in the engine nevertheless. */
  #waitingCount = 0;
  readonly #pending = new Set<IncrementalView>();
  /** Views whose answer is an error: tried anew when the table changes. */
  readonly #failed = new Set<IncrementalView>();
  /** What pending views are behind of. */
  readonly #log: RelevantLog;
  /** How many bindings one fetch serves: fewer while they hold too much together. */
  #batchMax = HYDRATION_BATCH;
  readonly #busy: Record<Lane, boolean> = { quick: false, restless: false };

  constructor(options: IncrementalOptions) {
    this.#options = options;
    this.tables = [...options.gear.tables];
    this.#log = new RelevantLog(options.relevantMax);
  }

  get planned(): Planned {
    return this.#options.planned;
  }

  get viewCount(): number {
    return this.#views.size;
  }

  get heldRowCount(): number {
    return this.#options.gear.heldRowCount;
  }

  get heldBytes(): number {
    return this.#options.gear.heldBytes;
  }

  get heldTextCount(): number {
    return this.#options.gear.heldTextCount;
  }

  /** Views in the engine. */
  get followedCount(): number {
    return this.#heldCount;
  }

  /** Lets the view with the largest answer go: it is run again from now on, or over. @returns whether there was one */
  giveUp(): boolean {
    let largest: IncrementalView | null = null;
    for (const one of this.#views)
      if (one.held !== null && one.held.size > (largest?.held?.size ?? -1)) largest = one;
    if (largest === null) return false;
    const { lsn } = this.#options.now();
    largest.base = lsn;
    largest.told = true;
    largest.shown = largest.held?.shown() ?? [];
    this.#leave(largest);
    largest.view.gap(lsn);
    if (this.#options.handOver === undefined) this.#options.onGivenUp(largest.view);
    else this.#handOver(largest, 'memory');
    return true;
  }

  /** Lets go of what no view needs any more. */
  trim(): void {
    this.#trim(true);
  }

  #trim(any: boolean): void {
    for (const held of this.#options.gear.trim(any)) {
      this.#missHeld(held, this.#options.now().lsn);
    }
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

  open(view: View, binding: Binding): IncrementalView {
    const base = this.#options.now().lsn;
    const restlessness = new Restlessness(this.#options.clock.now());
    const one = new IncrementalView(view, binding, base, restlessness);
    this.#views.add(one);
    view.cost = this.cost;
    const refusal = this.#options.gear.refusal(binding);
    // Postgres says so whatever the rows: its answer at every position.
    if (refusal !== null) view.error(this.#options.now(), refusal.toWire());
    else this.#hydrate(one);
    return one;
  }

  close(one: IncrementalView): void {
    this.#views.delete(one);
    this.#pending.delete(one);
    this.#failed.delete(one);
    this.#leave(one);
  }

  /** What clients hold as of the view's version; null when only the next version can tell. */
  rowsOf(one: IncrementalView): readonly KeyedRow[] | null {
    if (one.held) return one.held.shown();
    return one.carry.length === 0 ? one.shown : null;
  }

  /** These are applied next. */
  ahead(transactions: readonly ChangesByTable[]): void {
    this.#options.publications.ahead(this.#options.gear.ahead(transactions));
  }

  /** The transaction that makes the position `at` changed its tables. */
  apply(transaction: Transaction, changes: ChangesByTable, at: Version): void {
    for (const one of this.#failed) this.#retry(one, transaction.previous);
    const count = this.#heldCount + this.#waitingCount;
    if (count > 0) this.#applyToHeld(transaction, changes, at);
    if (this.heldRowCount > this.#options.rowsHeldPerViewMax * count) this.#missAll(transaction.lsn);
    if (this.#pending.size === 0) return;
    const least = this.#log.add(transaction);
    if (least !== null) for (const one of this.#pending) raiseBase(one, least);
  }

  #applyToHeld(transaction: Transaction, changes: ChangesByTable, at: Version): void {
    const { told, missed, unsent } = this.#options.gear.apply(changes);
    for (const { held, ops } of told) {
      if (missed.has(held)) {
        this.#missHeld(held, transaction.previous, { carry: ops, unsent });
        continue;
      }
      if (ops.length > 0 && held.place !== NOWHERE)
        this.#options.publications.delta(held.place, at, ops, this.cost);
      if (held.size > this.#options.rowsPerViewMax) this.#tooLarge(held, at);
    }
    for (const held of missed) this.#missHeld(held, transaction.previous, { waits: held.isFollowed, unsent });
  }

  /** Unless nobody is told of it any more. */
  #missHeld({ owner }: Held, through: Lsn, how: Miss = {}): void {
    if (owner instanceof IncrementalView) this.#miss(owner, through, how);
  }

  /** Definitions that it reads through may mean something else from here on; a table alone says so by its rows. */
  altered(transaction: Transaction): void {
    if (this.planned.views.length > 0) this.#missAll(transaction.previous);
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
    for (const one of this.#views) {
      this.#readWhole(one);
      if (one.held) this.#miss(one, through);
    }
  }

  #retry(one: IncrementalView, through: Lsn): void {
    this.#failed.delete(one);
    one.base = through;
    one.told = true;
    one.view.gap(through);
    this.#hydrate(one);
  }

  #tooLarge(held: Held, at: Version): void {
    const one = held.owner;
    if (!(one instanceof IncrementalView)) return;
    // What clients hold stays what it was: an error is told in its place.
    if (one.view.isValid) one.shown = held.shown();
    this.#leave(one);
    this.#fail(one, at, viewsError('result_too_large').toWire());
  }

  #miss(one: IncrementalView, through: Lsn, { carry = [], waits = false, unsent = NONE }: Miss = {}): void {
    // A window that runs dry wants rows.
    const wanted = one.held?.dry === true ? NONE : unsent;
    this.#options.onMiss(wanted);
    this.cost.missed(wanted);
    one.restlessness.missed(this.#options.clock.now());
    if (one.held?.dry === true) one.fetchFurther();
    one.base = through;
    one.told = true;
    one.shown = one.held ? one.held.shown() : one.shown;
    one.carry = carry;
    if (waits && !one.restlessness.isRestless) this.#wait(one);
    else this.#leave(one);
    one.view.gap(through);
    this.#hydrate(one);
  }

  #wait(one: IncrementalView): void {
    one.waiting = one.held;
    if (one.held !== null) one.held.place = NOWHERE;
    this.#waitingCount++;
    this.#heldCount--;
    one.held = null;
  }

  /** It waits no more. */
  #readWhole(one: IncrementalView): void {
    if (!one.waiting) return;
    one.waiting.leave();
    one.waiting = null;
    this.#waitingCount--;
  }

  #leave(one: IncrementalView): void {
    this.#readWhole(one);
    if (!one.held) return;
    one.held.leave();
    one.held.owner = null;
    one.held.place = NOWHERE;
    this.#heldCount--;
    one.held = null;
  }

  #hydrate(one: IncrementalView): void {
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
        else this.#notRead(batch, error);
      }
      const tookMs = clock.now() - start;
      this.cost.hydrations.note(tookMs);
      if (lane === 'restless') await clock.sleep(restMs(tookMs, intervalMs));
    }
    this.#busy[lane] = false;
  }

  #batch(lane: Lane): IncrementalView[] {
    const batch: IncrementalView[] = [];
    let left = this.#batchMax;
    for (const one of this.#pending) {
      if (one.restlessness.isRestless !== (lane === 'restless')) continue;
      if (one.waiting?.isFollowed === false) this.#readWhole(one);
      // What the engine lacks is read for all that wait.
      if (one.waiting !== null || left-- > 0) batch.push(one);
    }
    return batch;
  }

  async #hydrateBatch(batch: readonly IncrementalView[]): Promise<void> {
    const fetch = await this.#options.fetch((run) => this.#options.gear.fetch(run, batch));
    try {
      await this.#options.passed(fetch.upper);
      if (fetch.chain !== this.#options.chain()) return;
      this.#options.onHydration(batch.length);
      try {
        this.#take(batch, fetch);
      } catch (error) {
        return this.#options.onFault(error);
      }
      this.#log.trim(Array.from(this.#pending, (one) => one.base));
      this.#batchMax = Math.min(HYDRATION_BATCH, this.#batchMax * 2);
    } finally {
      fetch.end();
    }
  }

  /** Of several that cannot be read together nobody knows which it is. */
  #notRead(batch: readonly IncrementalView[], error: unknown): void {
    const { handOver } = this.#options;
    const waiting = batch.filter((one) => one.waiting !== null);
    // It may be what another one lacks.
    if (waiting.length > 0) return waiting.forEach((one) => this.#readWhole(one));
    const isOurs = !(error instanceof SluiceError || error instanceof TooMuch);
    if (handOver === undefined || isOurs) {
      for (const one of batch) this.#fail(one, this.#options.now(), answerError(error).toWire());
    } else if (batch.length > 1) {
      this.#batchMax = batch.length >> 1;
    } else {
      for (const one of batch) this.#handOver(one, error instanceof TooMuch ? 'too_much' : 'not_read');
    }
  }

  /** From here on it is not fetched any more; the template's owner closes it. */
  #handOver(one: IncrementalView, why: Inability): void {
    this.#pending.delete(one);
    this.#readWhole(one);
    if (this.#views.has(one)) this.#options.handOver?.(one, why);
  }

  /** Everything that the snapshot saw has been told: what was fetched is brought to the present, or as far as it goes. */
  #take(batch: readonly IncrementalView[], fetch: Fetch<Reading<IncrementalView>>): void {
    const steps = this.#stepsOf(fetch.unseen());
    const seen = this.#log.lastSeen(fetch.snapshot);
    const wanted = batch.filter((one) => this.#views.has(one));
    const caughtUp = fetch.result.catchUp(wanted, steps);
    const waited = new Set(wanted.filter((one) => one.waiting !== null));
    for (const [one, error] of caughtUp.errors)
      this.#takeError(one, error, { last: seen, until: steps[0]?.transaction, upper: fetch.upper });
    this.#adopt(caughtUp);
    this.#trim(false);
    this.#options.onTaken();
    for (const [one, { step, rows, dry }] of caughtUp.overtaken) {
      if (dry) one.fetchFurther();
      const last = steps[step - 1]?.transaction.lsn ?? null;
      const span = { last: latest(seen, last), until: steps[step]?.transaction, upper: fetch.upper };
      this.#stand(one, span, (at) => this.#tell(one, at, rows));
    }
    for (const one of new Set([...caughtUp.members.keys(), ...caughtUp.overtaken.keys(), ...waited]))
      this.#noteRound(one, { caughtUp: caughtUp.members.has(one), whole: !waited.has(one) });
    for (const one of wanted) if (caughtUp.unable.has(one)) this.#handOver(one, 'not_reproduced');
  }

  #stepsOf(unseen: readonly Transaction[]): Step[] {
    const { ancestors, gear } = this.#options;
    return unseen.flatMap((transaction) => {
      const changes = changesByTable(transaction, ancestors, (table) => gear.tables.has(table));
      return changes.size === 0 ? [] : [{ transaction, changes }];
    });
  }

  #adopt({ members }: CaughtUp<IncrementalView>): void {
    for (const [one, held] of members) {
      this.#pending.delete(one);
      if (one.waiting !== null) this.#waitingCount--;
      one.waiting = null;
      one.held = held;
      held.owner = one;
      held.place = one.view.place;
      this.#heldCount++;
      if (held.size > this.#options.rowsPerViewMax) {
        this.#tooLarge(held, this.#options.now());
        continue;
      }
      this.#tell(one, this.#options.now(), held.shown());
      one.shown = [];
    }
  }

  /** An error is an answer at the snapshot (C17); what the snapshot did not see may have mended it: look again. */
  #takeError(one: IncrementalView, error: SluiceError, span: Span): void {
    if (span.until === undefined) this.#fail(one, this.#options.now(), error.toWire());
    else this.#stand(one, span, (at) => one.view.error(at, error.toWire()));
  }

  /**
   * Tells an answer that holds through just before `until`, if it stands anywhere (C6): all that it has in it is at or
   * before `from`, and nothing of it is told already.
   */
  #stand(one: IncrementalView, { last, until, upper }: Span, tell: (at: Version) => void): void {
    const least = latest(last, one.base) ?? one.base;
    if (until === undefined || until.lsn <= least) return;
    if (least === one.base && one.told) return;
    const from = toldFrom(least, until, upper);
    tell({ epoch: this.#options.now().epoch, lsn: from });
    one.view.gap(until.previous);
    one.base = from;
    one.told = true;
  }

  #tell(one: IncrementalView, at: Version, rows: readonly KeyedRow[]): void {
    if (!one.view.isBegun) one.view.rows(at, rows);
    else
      one.view.delta(at, [...one.carry, ...diffRows(one.shown, rows, this.#options.planned.shape.ordered)]);
    one.shown = rows;
    one.carry = [];
  }

  #noteRound(one: IncrementalView, round: Round): void {
    if (!one.restlessness.round(this.#options.clock.now(), round)) return;
    this.#readWhole(one);
    this.#options.onRestless();
    this.#wake();
  }

  #fail(one: IncrementalView, at: Version, error: WireError): void {
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

function latest(one: Lsn | null, other: Lsn | null): Lsn | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}
