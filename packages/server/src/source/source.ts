import type { Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { BacklogStage } from './backlog.js';
import type { ByteCount } from './byte-count.js';
import type { Snapshot } from './snapshot.js';
import type { Transaction } from './transaction.js';

/** Runs one statement in a snapshot's transaction; every value comes back as text. */
export type Run = (
  sql: string,
  params?: readonly (string | null)[],
  options?: RunOptions,
) => Promise<RunResult>;

export interface RunOptions {
  /** What is read counts here, and fails with `TooManyBytes` beyond its bound. */
  readonly bytes?: ByteCount;
}

export interface RunResult {
  readonly fields: readonly {
    readonly name: string;
    readonly typeOid: number;
    readonly typeModifier: number;
  }[];
  readonly rows: (string | null)[][];
}

/** Told in stream order, synchronously; a listener that needs to wait keeps what it needs and returns. */
export interface SourceListener {
  /** These are told next, one after the other, before anything else is: time to read what they will come by. */
  coming(transactions: readonly Transaction[]): void;
  /** The next commit in WAL order. */
  transaction(transaction: Transaction): void;
  /** Nothing committed up to here that was not told. Keepalives; may repeat; never goes back within an epoch. */
  progress(lsn: Lsn): void;
  /**
   * A chain begins at `lsn`: the first thing that is told, and again whenever transactions may be missing between
   * what was told and `lsn`. Everything held is to be hydrated anew. In the same epoch `lsn` is never below what was told.
   */
  restart(epoch: Epoch, lsn: Lsn): void;
  /**
   * C19: the stream fell behind the WAL, or has caught up. At `shed` every open fetch is void; until `none` no other
   * one begins.
   */
  backlog(stage: BacklogStage): void;
}

/** A read at a snapshot, on its way to be caught up (C4–C8). Always `end` it: it keeps transactions retained. */
export interface Fetch<T> {
  readonly result: T;
  readonly snapshot: Snapshot;
  /** Everything that the snapshot saw commits at or before this LSN. */
  readonly upper: Lsn;
  /** The chain the fetch was made in; when the source's has moved on, the fetch is void. */
  readonly chain: number;
  /** Retained transactions that the snapshot does not see, in WAL order. Complete once the stream has passed `upper`. */
  unseen(): readonly Transaction[];
  /** Retained transactions that the snapshot does see, in WAL order (to decide where a result stands, C6). */
  seen(): readonly Transaction[];
  end(): void;
}

export interface FetchOptions {
  /** Tables to lock in ACCESS SHARE MODE before the snapshot (C4), by oid. */
  readonly tables: readonly number[];
  /** Run as this role with these claims; omitted: as the reader under `row_security = off` (C21). */
  readonly as?: { readonly role: string; readonly claims: Readonly<Record<string, unknown>> };
  readonly statementTimeoutMs?: number;
}

/** One Postgres database we replicate from. Everything to its right knows nothing of slots. */
export interface Source {
  readonly epoch: Epoch;
  /** How far the stream has come. */
  readonly position: Lsn;
  /** Counts restarts of the chain. */
  readonly chain: number;
  /** Reads at a snapshot. Rejects with a registered error. */
  fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>>;
  /** Resolves when the stream has passed `lsn` (C2); rejects when the chain broke meanwhile. */
  passed(lsn: Lsn): Promise<void>;
}
