import type { ConnectionConfig } from './connection-config.js';
import type { Database } from './database.js';
import type { SlotMode } from './slot-keeper.js';
import type { SourceEvent } from './source-status.js';

const MB = 1_048_576;

export interface PostgresSourceOptions {
  /** For snapshots; a transaction pooler may lie in between. Ended by who made it. */
  readonly database: Database;
  /** For the stream: the same database, past any pooler. */
  readonly replication: string | ConnectionConfig;
  /** Default `sluice`. */
  readonly publication?: string;
  /** Default temporary. */
  readonly slot?: SlotMode;
  /** C18: hold a transaction back until a snapshot sees it. Default false. */
  readonly visible?: boolean;
  /** Fetches at a time. Default 4. */
  readonly fetchConcurrency?: number;
  /** Fetches that may wait for their turn. Default 1000. */
  readonly fetchQueueMax?: number;
  /** How long a fetch waits for the locks on its tables. Default 5 s. */
  readonly lockTimeoutMs?: number;
  /** Of the statements of a fetch that names none. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Changes of one transaction beyond this are dropped and marked as bulk. Default 64 MB. */
  readonly transactionBytesMax?: number;
  /** Retained transactions beyond this lose their changes, the oldest first. Default 256 MB. */
  readonly retainedBytesMax?: number;
  /** WAL that our slot may hold back before we give it up. Default 1 GB. */
  readonly maxRetainedWalBytes?: number;
  /** How long the stream may take to catch up, once it is far behind, before the slot is given up. Default 60 s. */
  readonly backlogMsMax?: number;
  /** How often the slot is looked at and, while transactions are retained, a snapshot is taken. Default 1 s. */
  readonly probeMs?: number;
  /** A stream that says nothing for so long, though asked every `probeMs`, is dead. Default 60 s. */
  readonly silenceMs?: number;
  /** How long a new slot may wait for open transactions. Default 30 s. */
  readonly slotCreationTimeoutMs?: number;
  /** First pause before a reconnect, doubled each time up to `retryMsMax`, with jitter. Default 100 ms, 5 s. */
  readonly retryMs?: number;
  readonly retryMsMax?: number;
  /** A connection that lasted longer resets the pause. Default 5 s. */
  readonly stableMs?: number;
  readonly onEvent?: (event: SourceEvent) => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

export type ResolvedOptions = Required<PostgresSourceOptions>;

export function resolveOptions(options: PostgresSourceOptions): ResolvedOptions {
  return {
    publication: 'sluice',
    slot: { mode: 'temporary' },
    visible: false,
    fetchConcurrency: 4,
    fetchQueueMax: 1000,
    lockTimeoutMs: 5_000,
    statementTimeoutMs: 30_000,
    transactionBytesMax: 64 * MB,
    retainedBytesMax: 256 * MB,
    maxRetainedWalBytes: 1024 * MB,
    backlogMsMax: 60_000,
    probeMs: 1_000,
    silenceMs: 60_000,
    slotCreationTimeoutMs: 30_000,
    retryMs: 100,
    retryMsMax: 5000,
    stableMs: 5000,
    onEvent: () => undefined,
    now: Date.now,
    random: Math.random,
    ...options,
  };
}
