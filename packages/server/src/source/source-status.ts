import type { Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { BacklogStage } from './backlog.js';
import type { BlockingTransaction } from './blocking-transactions.js';

/**
 * `waiting`: another process reads the permanent slot. `settling`: the stream runs, but transactions that were open
 * when the slot was made still keep snapshots from being exact (`blocking` names them).
 */
export type SourceState = 'stopped' | 'connecting' | 'waiting' | 'settling' | 'streaming' | 'disconnected';

/** What metrics and readiness want to know. All counts since the process began. */
export interface SourceStatus {
  readonly state: SourceState;
  readonly epoch: Epoch;
  readonly position: Lsn;
  readonly chain: number;
  readonly slot: string | null;
  readonly slotMode: 'temporary' | 'permanent';
  /** From our position to the end of the WAL, as of the last look; null before the first. */
  readonly lagBytes: bigint | null;
  /** How long the stream takes to pass what was the end of the WAL; null before the first look. */
  readonly lagMs: number | null;
  /** C19: what is asked less of a stream that is far behind, and for how long it has been so. */
  readonly backlog: BacklogStage;
  readonly backlogMs: number;
  /** How often each stage was entered. */
  readonly backlogs: { readonly pause: number; readonly shed: number };
  /** Of the limit: the highest mark that the retained WAL is above. */
  readonly retainedWalAlarmPercent: 0 | 25 | 50 | 75;
  /** WAL that the server keeps because of our slot, and the limit at which we give it up. */
  readonly retainedWalBytes: bigint | null;
  readonly maxRetainedWalBytes: number;
  /** Decoded transactions kept for fetches (C7), and their bytes. */
  readonly retainedTransactions: number;
  readonly retainedBytes: number;
  /** Transactions held back until a snapshot sees them (C18). */
  readonly heldBack: number;
  readonly openFetches: number;
  readonly runningFetches: number;
  readonly queuedFetches: number;
  /** While `settling`: who has to end. */
  readonly blocking: readonly BlockingTransaction[];
  readonly transactions: number;
  readonly changes: number;
  readonly bytes: number;
  readonly fetches: number;
  readonly reconnects: number;
  readonly slotsLost: number;
  readonly slotsGivenUp: number;
  readonly lastError: { readonly code: string; readonly message: string; readonly detail?: string } | null;
}

/** For structured logs; holds no values and no secrets. */
export type SourceEvent =
  | { readonly kind: 'connected'; readonly epoch: Epoch; readonly slot: string; readonly resumed: boolean }
  | {
      readonly kind: 'disconnected';
      readonly code: string;
      readonly detail?: string;
      readonly retryMs: number;
    }
  | { readonly kind: 'restarted'; readonly epoch: Epoch; readonly lsn: string; readonly chain: number }
  | { readonly kind: 'waiting'; readonly slot: string; readonly pid: number | null }
  | { readonly kind: 'settled'; readonly afterMs: number }
  | {
      readonly kind: 'retained_wal';
      readonly slot: string;
      readonly bytes: bigint;
      readonly percent: 25 | 50 | 75;
    }
  /** C19: at `limit` bytes of retained WAL, or because the stream was `behind` for too long. */
  | {
      readonly kind: 'slot_given_up';
      readonly slot: string;
      readonly bytes: bigint;
      readonly why: 'limit' | 'behind';
    }
  | { readonly kind: 'backlog'; readonly stage: BacklogStage; readonly bytes: bigint }
  | { readonly kind: 'probe_failed'; readonly code: string };
