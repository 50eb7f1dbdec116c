import { must } from '@sluice/core/assert';
import { LSN_ZERO, type Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { BacklogStage } from './backlog.js';
import { sourceError } from './errors.js';
import { HeldBack, type Told } from './held-back.js';
import { Limiter } from '../limiter.js';
import { Passing } from './passing.js';
import { Pause } from './pause.js';
import { RetainedTransactions } from './retained-transactions.js';
import type { Snapshot } from './snapshot.js';
import { SnapshotReader } from './snapshot-reader.js';
import type { ResolvedOptions } from './source-options.js';
import type { SourceStatus } from './source-status.js';
import type { Fetch, FetchOptions, Run, SourceListener } from './source.js';
import { StartGate } from './start-gate.js';
import type { Transaction } from './transaction.js';

/** So many transactions are retained that a snapshot is worth its price: what is kept for long the collector copies. */
const RETAINED_MANY = 1_000;

export interface SourceChainOptions extends ResolvedOptions {
  /** Commits something small that will come through the stream. */
  readonly mark: () => Promise<void>;
  /** Asks the stream for a keepalive. */
  readonly ask: () => void;
  /** Asks for a snapshot soon. */
  readonly hurry: () => void;
  /** No more can be retained: the chain must end. */
  readonly overflow: () => void;
}

/**
 * What was told to the listener, and how snapshots fit into it: the rules C2 to C7 and C18, without a connection.
 *
 *   decoded ──(C18: held back until visible)──▶ told ──▶ retained (C7) ──▶ forgotten
 *                                                │
 *                                             position, `passed`, `unseen`, `seen` speak of what was told
 */
export class SourceChain {
  readonly #options: SourceChainOptions;
  readonly #reader: SnapshotReader;
  readonly #limiter: Limiter;
  readonly #retained: RetainedTransactions;
  readonly #held = new HeldBack();
  readonly #gate = new StartGate();
  readonly #passing: Passing;
  /** C19: no fetch begins. */
  readonly #pause = new Pause();
  /** Counts how often the open fetches were given up. */
  #givenUp = 0;
  #listener: SourceListener | null = null;
  #epoch: Epoch = '';
  #position: Lsn = LSN_ZERO;
  #decoded: Lsn = LSN_ZERO;
  #number = 0;
  #unbroken = false;
  #stopped: Error | null = null;
  readonly #counts = { transactions: 0, changes: 0, bytes: 0, fetches: 0 };

  constructor(options: SourceChainOptions) {
    this.#options = options;
    this.#reader = new SnapshotReader(options);
    this.#limiter = new Limiter(options.fetchConcurrency, options.fetchQueueMax, () =>
      sourceError('fetch_queue_full'),
    );
    this.#retained = new RetainedTransactions(options.retainedBytesMax);
    this.#passing = new Passing(options);
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  /** How far the listener was told. */
  get position(): Lsn {
    return this.#position;
  }

  /** How far the stream was decoded: ahead of the position while transactions are held back. */
  get decoded(): Lsn {
    return this.#decoded;
  }

  get number(): number {
    return this.#number;
  }

  /** Nothing can have been missed since the last restart. */
  get unbroken(): boolean {
    return this.#unbroken;
  }

  /** Snapshots are exact (C7, the start rule). */
  get settled(): boolean {
    return this.#gate.isOpen;
  }

  get generation(): number {
    return this.#gate.generation;
  }

  /** A probe should bring a transaction id of its own. */
  get wantsXid(): boolean {
    return this.#gate.wantsXid;
  }

  get waitsForSnapshot(): boolean {
    return this.#unbroken && (!this.#gate.isOpen || this.#held.count > 0);
  }

  /** What Postgres may forget: nothing that is retained or held back, for it may be invisible yet (C7). */
  get confirmable(): Lsn {
    const held = this.#held.confirmable;
    return this.#retained.confirmable ?? held ?? this.#decoded;
  }

  listen(listener: SourceListener): void {
    this.#listener = listener;
  }

  /** The slot begins after `lsn`; nothing before it will be told. */
  restart(epoch: Epoch, lsn: Lsn): void {
    this.break();
    this.#epoch = epoch;
    this.#position = lsn;
    this.#decoded = lsn;
    this.#unbroken = true;
    this.#gate.arm();
    must(this.#listener, 'a listener').restart(epoch, lsn);
  }

  /** Transactions may be missed from here on: what is being fetched is void at once. */
  break(): void {
    if (!this.#unbroken && this.#number > 0) return;
    this.#unbroken = false;
    this.#number++;
    this.#retained.clear();
    this.#held.clear();
    this.#gate.shut();
    this.#passing.reject(sourceError('chain_broken'));
  }

  stop(error: Error): void {
    this.#stopped = error;
    this.#limiter.refuseAll(error);
    this.#gate.reject(error);
    this.#pause.reject(error);
    this.#passing.reject(error);
  }

  /** C19: how much may be asked of the stream while it catches up. The listener is told before reads begin again. */
  backlog(stage: BacklogStage): void {
    if (stage === 'shed') this.#giveUpFetches();
    must(this.#listener, 'a listener').backlog(stage);
    this.#pause.set(stage !== 'none');
  }

  /** They keep what is read retained, and so keep Postgres from removing WAL. */
  #giveUpFetches(): void {
    this.#givenUp++;
    this.#retained.endAll();
    this.#passing.reject(sourceError('read_given_up'));
  }

  /** What the stream brings next. */
  coming(transactions: readonly Transaction[]): void {
    if (!this.#options.visible) must(this.#listener, 'a listener').coming(transactions);
  }

  /** The next thing that the stream brought. */
  told(told: Told): void {
    this.#decoded = told.kind === 'transaction' ? told.transaction.lsn : told.lsn;
    if (!this.#options.visible) return this.#tell(told);
    if (told.kind === 'progress' && this.#held.count === 0) return this.#tell(told);
    this.#held.push(told);
    this.#options.hurry();
  }

  /** A transaction id that was handed out after `generation` was noted. */
  xidTaken(xid: bigint, generation: number): void {
    this.#gate.offerXid(xid, generation);
  }

  /** @returns whether snapshots have just become exact. */
  snapshotTaken(snapshot: Snapshot, generation: number): boolean {
    if (generation !== this.#gate.generation) return false;
    const opened = this.#gate.offer(snapshot, generation);
    for (const told of this.#held.release(snapshot)) this.#tell(told);
    this.#retained.snapshotTaken(snapshot);
    return opened;
  }

  fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped);
    return this.#limiter.run(async () => {
      while (!this.#gate.isOpen || this.#pause.isSet) {
        await this.#gate.wait();
        await this.#pause.wait();
      }
      return this.#fetch(options, read);
    });
  }

  passed(lsn: Lsn): Promise<void> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped);
    if (!this.#unbroken) return Promise.reject(sourceError('chain_broken'));
    return lsn <= this.#position ? Promise.resolve() : this.#passing.wait(lsn);
  }

  status(): Pick<SourceStatus, 'epoch' | 'position' | 'chain' | 'retainedTransactions' | 'retainedBytes'> &
    Pick<SourceStatus, 'heldBack' | 'openFetches' | 'runningFetches' | 'queuedFetches'> &
    Pick<SourceStatus, 'transactions' | 'changes' | 'bytes' | 'fetches'> {
    return {
      epoch: this.#epoch,
      position: this.#position,
      chain: this.#number,
      retainedTransactions: this.#retained.count,
      retainedBytes: this.#retained.bytes,
      heldBack: this.#held.count,
      openFetches: this.#retained.openFetches,
      runningFetches: this.#limiter.running,
      queuedFetches: this.#limiter.waiting,
      ...this.#counts,
    };
  }

  async #fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>> {
    const chain = this.#number;
    const generation = this.#gate.generation;
    const open = this.#retained.begin();
    const givenUp = this.#givenUp;
    const check = (): void => {
      if (chain !== this.#number) throw sourceError('chain_broken');
      if (givenUp !== this.#givenUp) throw sourceError('read_given_up');
    };
    try {
      const { result, snapshot, upper } = await this.#reader.read(options, read);
      check();
      this.snapshotTaken(snapshot, generation);
      this.#counts.fetches++;
      const select = (choose: () => Transaction[]): Transaction[] => {
        check();
        return choose();
      };
      return {
        result,
        snapshot,
        upper,
        chain,
        unseen: () => select(() => this.#retained.unseen(snapshot)),
        seen: () => select(() => this.#retained.seen(snapshot)),
        end: () => this.#retained.end(open),
      };
    } catch (error) {
      this.#retained.end(open);
      throw error;
    }
  }

  #tell(told: Told): void {
    const listener = must(this.#listener, 'a listener');
    if (told.kind === 'transaction') {
      const { transaction } = told;
      this.#counts.transactions++;
      this.#counts.changes += transaction.changes.length;
      this.#counts.bytes += transaction.bytes;
      this.#retained.add(transaction);
      if (this.#retained.count % RETAINED_MANY === 0) this.#options.hurry();
      this.#position = transaction.lsn;
      listener.transaction(transaction);
      if (this.#retained.full) this.#options.overflow();
    } else {
      this.#position = told.lsn;
      listener.progress(told.lsn);
    }
    this.#passing.passed(this.#position);
  }
}
