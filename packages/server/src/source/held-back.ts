import type { Lsn } from '@sluice/core/lsn';
import { sees, type Snapshot } from './snapshot.js';
import type { Transaction } from './transaction.js';

/** What the stream brought, in its order. */
export type Told =
  | { readonly kind: 'transaction'; readonly transaction: Transaction }
  | { readonly kind: 'progress'; readonly lsn: Lsn };

/**
 * Transactions that wait until a snapshot sees them (C18): under synchronous replication the stream brings commits
 * that no SELECT shows yet and that a failover may undo. Order is kept: what comes after an invisible one waits too.
 */
export class HeldBack {
  #queue: Told[] = [];

  get count(): number {
    return this.#queue.length;
  }

  /** The position before the oldest one: nothing may be confirmed beyond it. */
  get confirmable(): Lsn | null {
    const first = this.#queue.find((told) => told.kind === 'transaction');
    return first?.kind === 'transaction' ? first.transaction.previous : null;
  }

  push(told: Told): void {
    const last = this.#queue.at(-1);
    if (told.kind === 'progress' && last?.kind === 'progress') this.#queue.pop();
    this.#queue.push(told);
  }

  /** Takes out all up to the first transaction that the snapshot does not see. */
  release(snapshot: Snapshot): readonly Told[] {
    const blocked = this.#queue.findIndex(
      (told) => told.kind === 'transaction' && !sees(snapshot, told.transaction.xid),
    );
    return this.#queue.splice(0, blocked < 0 ? this.#queue.length : blocked);
  }

  clear(): void {
    this.#queue = [];
  }
}
