import { formatLsn, type Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { BacklogStage } from '../source/backlog.js';
import { Database } from '../source/database.js';
import { PostgresSource } from '../source/postgres-source.js';
import type { PostgresSourceOptions } from '../source/source-options.js';
import type { SourceEvent } from '../source/source-status.js';
import type { SourceListener } from '../source/source.js';
import type { Change, Transaction, Tuple } from '../source/transaction.js';
import { within } from './deadline.js';
import type { TestDatabase } from './postgres.js';

/** A listener that keeps everything it was told, and lets a test wait until something is there. */
export class RecordingListener implements SourceListener {
  readonly transactions: Transaction[] = [];
  readonly restarts: { readonly epoch: Epoch; readonly lsn: Lsn; readonly after: number }[] = [];
  /** Positions in the order in which they were told, by whatever. */
  readonly positions: Lsn[] = [];
  readonly backlogs: BacklogStage[] = [];
  /** What broke the listener's contract. */
  readonly violations: string[] = [];
  #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  transaction(transaction: Transaction): void {
    const last = this.positions.at(-1);
    if (last === undefined) this.violations.push('a transaction before the first restart');
    if (last !== undefined && transaction.lsn <= last) {
      this.violations.push(`${formatLsn(transaction.lsn)} after ${formatLsn(last)}`);
    }
    this.transactions.push(transaction);
    this.#at(transaction.lsn);
  }

  progress(lsn: Lsn): void {
    const last = this.positions.at(-1);
    if (last !== undefined && lsn < last) this.violations.push(`${formatLsn(lsn)} after ${formatLsn(last)}`);
    this.#at(lsn);
  }

  restart(epoch: Epoch, lsn: Lsn): void {
    const before = this.restarts.at(-1);
    const last = this.positions.at(-1);
    if (before?.epoch === epoch && last !== undefined && lsn < last) {
      this.violations.push(`restart at ${formatLsn(lsn)} after ${formatLsn(last)} in one epoch`);
    }
    this.restarts.push({ epoch, lsn, after: this.transactions.length });
    this.#at(lsn);
  }

  /**
   * Those that changed something. The others only hold messages, as the marks do that are made for who waits when the
   * WAL is not passed at once (C2): whether there are any, and where, is a matter of how busy the machine is.
   */
  get commits(): readonly Transaction[] {
    return this.transactions.filter(({ changes, bulk }) => changes.length + bulk.size > 0);
  }

  coming(): void {
    // What it touches is not read ahead.
  }

  backlog(stage: BacklogStage): void {
    this.backlogs.push(stage);
  }

  /** Resolves when the predicate holds; looked at after everything that is told. A failed assertion when it never does. */
  until(done: () => boolean, limitMs?: number): Promise<void> {
    if (done()) return Promise.resolve();
    const holds = new Promise<void>((resolve) => this.#waiting.push({ done, resolve }));
    return within(`${String(done)}, told ${this.transactions.length} transactions so far`, holds, limitMs);
  }

  #at(lsn: Lsn): void {
    this.positions.push(lsn);
    this.#waiting = this.#waiting.filter((waiter) => {
      if (!waiter.done()) return true;
      waiter.resolve();
      return false;
    });
  }
}

export interface TestSource {
  readonly source: PostgresSource;
  readonly listener: RecordingListener;
  readonly database: Database;
  readonly events: SourceEvent[];
  stop(): Promise<void>;
}

/** A started source on a test database, as the service role. */
export async function startTestSource(
  database: Pick<TestDatabase, 'url'>,
  options: Partial<PostgresSourceOptions> = {},
): Promise<TestSource> {
  const made = makeTestSource(database, options);
  await made.source.start(made.listener);
  return made;
}

export function makeTestSource(
  database: Pick<TestDatabase, 'url'>,
  options: Partial<PostgresSourceOptions> = {},
): TestSource {
  const pool = options.database ?? new Database({ connection: database.url });
  const listener = new RecordingListener();
  const events: SourceEvent[] = [];
  const source = new PostgresSource({
    replication: database.url,
    probeMs: 100,
    onEvent: (event) => events.push(event),
    ...options,
    database: pool,
  });
  const stop = async (): Promise<void> => {
    await source.stop();
    await pool.end();
  };
  return { source, listener, database: pool, events, stop };
}

/** A tuple as a plain list: text, null, or `undefined` for an unchanged TOAST value. */
export function values(tuple: Tuple | null): (string | null | undefined)[] | null {
  return tuple === null ? null : Array.from({ length: tuple.length }, (_, column) => tuple.text(column));
}

/** A change as one readable line of data. */
export function describeChange(change: Change): unknown {
  const table = change.relation.name;
  switch (change.kind) {
    case 'insert':
      return { insert: table, new: values(change.new) };
    case 'update':
      return { update: table, identity: change.identity, old: values(change.old), new: values(change.new) };
    case 'delete':
      return { delete: table, identity: change.identity, old: values(change.old) };
    case 'truncate':
      return { truncate: table };
  }
}
