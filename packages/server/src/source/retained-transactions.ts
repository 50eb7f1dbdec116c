import { assert } from '@sluice/core/assert';
import type { Lsn } from '@sluice/core/lsn';
import { sees, type Snapshot } from './snapshot.js';
import type { Transaction } from './transaction.js';
import { collapse } from './transaction-builder.js';

/**
 * The transactions that some fetch may still need (C7).
 *
 *   time ──▶   T streamed     S taken, sees T     F begins          T arrives, F open, G begins
 *              keep T         F's snapshot is later than S:         keep T until F ends:
 *                             it sees T, so T can go                F's `seen` and `unseen` must be complete
 *
 * A transaction is forgotten when some snapshot sees it, and every open fetch began both after that snapshot and after
 * the transaction was told. Visibility only grows, so a fetch that begins after a snapshot was received sees all that
 * the snapshot saw. "xid < xmin" would be wrong as a rule: one idle session would pin the log for ever.
 *
 * Bounded: beyond `bytesMax` the oldest transactions lose their changes and keep markers (`bulk`); when the markers
 * alone are too many, it is `full`, and the chain has to be broken.
 */
export interface OpenFetch {
  readonly beganAt: number;
}

interface Taken {
  readonly at: number;
  readonly snapshot: Snapshot;
}

interface Retained {
  transaction: Transaction;
  readonly toldAt: number;
  collapsed: boolean;
}

export class RetainedTransactions {
  readonly #bytesMax: number;
  /** In WAL order, by which `toldAt` rises too. */
  #retained: Retained[] = [];
  #bytes = 0;
  #firstWhole = 0;
  /** Orders beginnings, snapshots and transactions: larger is later. */
  #clock = 0;
  readonly #open = new Set<OpenFetch>();
  /** Snapshots by when they were received: the last one, and for each open fetch the last one before it. */
  #snapshots: Taken[] = [];

  constructor(retainedBytesMax: number) {
    this.#bytesMax = retainedBytesMax;
  }

  get count(): number {
    return this.#retained.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** All have lost their changes and it was not enough. */
  get full(): boolean {
    return this.#bytes > this.#bytesMax && this.#firstWhole === this.#retained.length;
  }

  get openFetches(): number {
    return this.#open.size;
  }

  /** The position before the oldest one: nothing may be confirmed beyond it. */
  get confirmable(): Lsn | null {
    return this.#retained[0]?.transaction.previous ?? null;
  }

  add(transaction: Transaction): void {
    this.#retained.push({ transaction, toldAt: ++this.#clock, collapsed: false });
    this.#bytes += transaction.bytes;
    while (this.#bytes > this.#bytesMax && this.#firstWhole < this.#retained.length) this.#collapseOldest();
  }

  /** To be called before a fetch takes its snapshot. */
  begin(): OpenFetch {
    const open = { beganAt: ++this.#clock };
    this.#open.add(open);
    return open;
  }

  end(open: OpenFetch): void {
    if (this.#open.delete(open)) this.#forget();
  }

  /** The fetches that are open are given up. */
  endAll(): void {
    this.#open.clear();
    this.#forget();
  }

  /** A snapshot was taken some time before now. */
  snapshotTaken(snapshot: Snapshot): void {
    this.#snapshots.push({ at: ++this.#clock, snapshot });
    this.#forget();
  }

  /** In WAL order. */
  unseen(snapshot: Snapshot): Transaction[] {
    return this.#where((transaction) => !sees(snapshot, transaction.xid));
  }

  /** In WAL order. */
  seen(snapshot: Snapshot): Transaction[] {
    return this.#where((transaction) => sees(snapshot, transaction.xid));
  }

  /** The chain broke: no fetch that is open can be completed. */
  clear(): void {
    this.#retained = [];
    this.#snapshots = [];
    this.#bytes = 0;
    this.#firstWhole = 0;
  }

  #where(keep: (transaction: Transaction) => boolean): Transaction[] {
    return this.#retained.map((entry) => entry.transaction).filter(keep);
  }

  #forget(): void {
    const oldest = this.#oldestOpen();
    const usable = this.#snapshots.findLast((taken) => taken.at < oldest);
    this.#trimSnapshots();
    if (usable === undefined || this.#retained.length === 0) return;
    const kept = this.#retained.filter(
      (entry) => entry.toldAt > oldest || !sees(usable.snapshot, entry.transaction.xid),
    );
    if (kept.length === this.#retained.length) return;
    this.#retained = kept;
    this.#bytes = kept.reduce((sum, entry) => sum + entry.transaction.bytes, 0);
    const whole = kept.findIndex((entry) => !entry.collapsed);
    this.#firstWhole = whole < 0 ? kept.length : whole;
  }

  /** When the oldest open fetch began; beyond everything when none is open. */
  #oldestOpen(): number {
    const [first] = this.#open; // a Set keeps the order of insertion, which is the order of beginning
    return first?.beganAt ?? Number.MAX_SAFE_INTEGER;
  }

  /** Of the snapshots between two beginnings only the last one can still decide anything. */
  #trimSnapshots(): void {
    const bounds = [...this.#open].map((open) => open.beganAt);
    const kept: Taken[] = [];
    for (const taken of this.#snapshots.toReversed()) {
      const next = kept.at(-1);
      const between = next === undefined || bounds.some((bound) => taken.at < bound && bound < next.at);
      if (between) kept.push(taken);
    }
    this.#snapshots = kept.reverse();
  }

  #collapseOldest(): void {
    const entry = this.#retained[this.#firstWhole];
    assert(entry, 'one is still whole');
    const collapsed = collapse(entry.transaction);
    this.#bytes += collapsed.bytes - entry.transaction.bytes;
    entry.transaction = collapsed;
    entry.collapsed = true;
    this.#firstWhole++;
  }
}
