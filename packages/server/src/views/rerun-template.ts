import type { KeyedRow } from '@sluice/core/engine/diff';
import type { Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { Epoch } from '@sluice/core/position';
import type { Row } from '@sluice/core/value';
import type { Planned } from '../planner/planned.js';
import type { Snapshot } from '../source/snapshot.js';
import type { Transaction } from '../source/transaction.js';
import { ConcernedViews, type Concerned } from './concerned-views.js';
import { Cost } from './cost.js';
import { answerError, viewsError } from './errors.js';
import type { Kept } from './held-budget.js';
import { bytesOfAnswer, KeptAnswer } from './kept-answer.js';
import { isTickOf } from './marks.js';
import { keyRows } from './keyed-rows.js';
import type { Principal } from './port.js';
import {
  RelevantLog,
  raiseBase,
  toldFrom,
  type Base,
  type Concerning,
  type Standing,
  type Standings,
} from './relevant-log.js';
import type { ChangesByTable } from './table-changes.js';
import type { Version } from './publications.js';
import type { View } from './view.js';

/** A view in the re-run gear. */
export interface RerunView extends Base {
  readonly view: View;
  readonly template: RerunTemplate;
  readonly binding: Binding;
  readonly answer: KeptAnswer;
  /** Requests for its rows that the next run answers. */
  readonly asked: number[];
  /** The planner's key columns, until two rows agree in them. */
  keyColumns: readonly number[] | null;
}

/** What a run gave: rows, or the error that Postgres raised. */
export type RunOutcome = { readonly rows: readonly Row[] } | { readonly error: unknown };

export interface RerunTemplateOptions {
  readonly rowsPerViewMax: number;
  /** How often time moves for its queries, ms; 0 when they do not read the clock. */
  readonly tickMs: number;
  /** Transactions kept while views are behind. */
  readonly relevantMax?: number;
  /** Whether an answer may be kept again of a view that had to let it go. */
  hasRoom(bytes: number): boolean;
}

/**
 * A template in the re-run gear, for one principal: its views run again when what they read changed, and what a
 * run gave is published where it *stands* (C6): see `RelevantLog`. Where it stands nowhere it is run again.
 */
export class RerunTemplate {
  readonly kind = 'rerun';
  readonly cost: Cost = new Cost();
  /** Names the template among its host's. */
  readonly key: string;
  readonly planned: Planned;
  readonly principal: Principal;
  readonly #options: RerunTemplateOptions;
  readonly #views = new Set<RerunView>();
  /** Views that hold: the ones to be told when something changes. */
  readonly #valid = new Set<RerunView>();
  readonly #dirty = new Set<RerunView>();
  readonly #log: RelevantLog<RerunView>;
  /** null: any change of what it reads may concern any of its views. */
  readonly #concerned: ConcernedViews<RerunView> | null;
  /** Milliseconds of one view's run, smoothed: slow templates do not hold up the others. */
  costMs = 0;
  /** While it rests after a slow run; see `RerunRounds`. */
  restsUntilMs = 0;
  /** Its last run was a slow one. */
  isSlowed = false;
  #heldBytes = 0;

  constructor(key: string, planned: Planned, principal: Principal, options: RerunTemplateOptions) {
    this.#log = new RelevantLog(options.relevantMax);
    this.key = key;
    this.planned = planned;
    this.principal = principal;
    this.#options = options;
    const { concern, reads } = planned;
    this.#concerned = concern === null ? null : new ConcernedViews(concern, reads);
  }

  get viewCount(): number {
    return this.#views.size;
  }

  get tickMs(): number {
    return this.#options.tickMs;
  }

  /** Of the answers that are kept. */
  get heldRowCount(): number {
    let count = 0;
    for (const { answer } of this.#views) count += answer.rows?.length ?? 0;
    return count;
  }

  /** Of the answers that are kept, by estimate. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  *kept(): Iterable<Kept> {
    for (const one of this.#views) {
      const { bytes } = one.answer;
      if (bytes > 0) yield { bytes, letGo: () => this.#letGo(one) };
    }
  }

  /** No view of it can say what its answer is now. */
  get isBehind(): boolean {
    return this.#dirty.size === this.#views.size;
  }

  get dirty(): ReadonlySet<RerunView> {
    return this.#dirty;
  }

  open(view: View, binding: Binding, now: Lsn): RerunView {
    const { keyColumns } = this.planned;
    const one: RerunView = {
      view,
      template: this,
      binding,
      answer: new KeptAnswer(this.planned.shape.ordered),
      asked: [],
      base: now,
      told: false,
      keyColumns,
    };
    this.#views.add(one);
    this.#dirty.add(one);
    view.cost = this.cost;
    this.#concerned?.add(one, binding);
    return one;
  }

  close(one: RerunView): void {
    if (this.#views.delete(one)) this.#heldBytes -= one.answer.bytes;
    this.#valid.delete(one);
    this.#dirty.delete(one);
    this.#concerned?.remove(one);
  }

  /** Keeps what clients hold of the view. */
  keep(one: RerunView, rows: readonly KeyedRow[]): void {
    const { bytes } = one.answer;
    one.answer.keep(rows);
    this.#heldBytes += one.answer.bytes - bytes;
  }

  /**
   * A request for the view's rows: answered at once, or, where they were let go, with what the next run gives. Nobody
   * else would ask for that run.
   * @returns whether there is something to run
   */
  ask(one: RerunView, ref: number, now: Lsn): boolean {
    const { rows } = one.answer;
    if (rows !== null && one.view.answer(ref, rows)) return false;
    one.asked.push(ref);
    // An error is the answer until something changes.
    if (one.view.isFailed || !this.#valid.delete(one)) return false;
    one.view.gap(now);
    one.base = now;
    one.told = false;
    this.#dirty.add(one);
    return true;
  }

  /**
   * The views whose answers changes of its tables may alter (C9). Where the answer is an error, the row that caused it
   * may be one that would not matter otherwise.
   */
  concernedBy(changes: ChangesByTable): Concerned<RerunView> {
    const found = this.#concerned?.of(changes) ?? 'all';
    if (found === 'all') return found;
    const failed = [...this.#valid].filter(({ view }) => view.isFailed);
    return failed.length === 0 ? found : new Set([...found, ...failed]);
  }

  /** A transaction touched what the template reads. @param of the views that it may concern */
  touched(transaction: Transaction, of: Concerned<RerunView> = 'all'): void {
    for (const one of of === 'all' ? [...this.#valid] : of) {
      if (!this.#valid.delete(one)) continue;
      one.view.gap(transaction.previous);
      this.#dirty.add(one);
    }
    if (this.#dirty.size === 0) return;
    const least = this.#log.add(transaction, of, isTickOf(transaction, this.tickMs));
    if (least !== null) for (const one of this.#dirty) raiseBase(one, least);
  }

  /** Nothing held is known to hold after `through`; `now` is where the stream begins anew. */
  missAll(through: Lsn, now: Lsn): void {
    for (const one of this.#views) {
      one.view.gap(through);
      this.#dirty.add(one);
    }
    this.#valid.clear();
    this.resume(now);
  }

  /** What happened up to `now` was not told to the views that are behind; every later snapshot sees it. */
  resume(now: Lsn): void {
    this.#log.clear();
    for (const one of this.#dirty) {
      one.base = now;
      one.told = false;
    }
  }

  /** Where runs at a snapshot stand: see `RelevantLog.standings`. */
  standings(
    snapshot: Snapshot,
    unseen: readonly Concerning<RerunView>[],
    began: Lsn,
    upper: Lsn,
  ): Standings<RerunView> {
    return this.#log.standings(snapshot, unseen, began, upper);
  }

  /**
   * Publishes what a run gave, all transactions that its snapshot saw having been told. An error stands where no
   * transaction at all of its tables makes a difference: what causes it may be a row that does not matter otherwise.
   * @returns whether the view holds up to the present; else it stays dirty and is to run again.
   */
  publish(one: RerunView, outcome: RunOutcome, standings: Standings<RerunView>, epoch: Epoch): boolean {
    if (!this.#views.has(one)) return true;
    const { seen, until, upper }: Standing = 'error' in outcome ? standings.whole : standings.of(one);
    const least = seen !== null && seen > one.base ? seen : one.base;
    if (until !== null && until.lsn <= least) return false;
    // Where a commit stays invisible for long, every run gives the answer from before it: it has been told.
    if (until !== null && least === one.base && one.told) return false;
    const from = toldFrom(least, until, upper);
    this.#tell(one, outcome, { epoch, lsn: from });
    one.base = from;
    one.told = true;
    if (until !== null) {
      one.view.gap(until.previous);
      return false;
    }
    this.#dirty.delete(one);
    this.#valid.add(one);
    return true;
  }

  /** The view could not be run at all: that is its answer, until something that it reads changes. */
  fail(one: RerunView, error: unknown, at: Version): void {
    if (!this.#views.has(one)) return;
    one.view.error(at, answerError(error).toWire());
    this.#dirty.delete(one);
    this.#valid.add(one);
  }

  /** Forgets the transactions that no view is behind of. */
  trim(): void {
    this.#log.trim(Array.from(this.#dirty, (one) => one.base));
  }

  #tell(one: RerunView, outcome: RunOutcome, to: Version): void {
    if ('error' in outcome) return one.view.error(to, answerError(outcome.error).toWire());
    if (outcome.rows.length > this.#options.rowsPerViewMax)
      return one.view.error(to, viewsError('result_too_large').toWire());
    const { rows, identified } = keyRows(outcome.rows, one.keyColumns);
    if (!identified) one.keyColumns = null;
    const ops = one.view.isBegun ? one.answer.difference(rows) : null;
    if (ops === null) one.view.rows(to, rows);
    else one.view.delta(to, ops);
    if (one.answer.rows === null && !this.#options.hasRoom(bytesOfAnswer(rows))) one.answer.letGo(rows);
    else this.keep(one, rows);
    for (const ref of one.asked.splice(0)) one.view.answer(ref, rows);
  }

  #letGo(one: RerunView): void {
    this.#heldBytes -= one.answer.bytes;
    one.answer.letGo();
  }
}
