import { must } from '@sluice/core/assert';
import { parseLsn, type Lsn } from '@sluice/core/lsn';
import type { SluiceError } from '@sluice/core/errors';
import type { Database } from './database.js';
import { fromPostgres } from './postgres-errors.js';
import { readSlots, type SlotState } from './slot-state.js';
import { parseSnapshot, type Snapshot } from './snapshot.js';

export interface MonitorOptions {
  readonly database: Database;
  readonly now: () => number;
  /** How often to look when nothing is urgent. */
  readonly intervalMs: number;
  /** The slot to look after; null while there is none. */
  readonly slot: () => string | null;
  /** Someone waits for the next snapshot. */
  readonly urgent: () => boolean;
  /** Noted before Postgres is asked; what it returns comes back with the answer, which may be of an older slot. */
  readonly generation: () => number;
  /** The probe should take a transaction id too (C7, the start rule). */
  readonly wantsXid: () => boolean;
  readonly onXid: (xid: bigint, generation: number) => void;
  readonly onSnapshot: (snapshot: Snapshot, generation: number) => void;
  readonly onSlot: (slot: SlotState | null, generation: number) => void;
  /** Every interval, whether or not Postgres answers. */
  readonly onTick: () => void;
  readonly onError: (error: SluiceError) => void;
}

/** Between probes while someone waits for one. */
const URGENT_MS = 20;
/** An answer that takes longer than this is as good as none. */
const ANSWER_MS = 10_000;

/**
 * Looks at Postgres from the side, over a pooled connection of its own: what snapshots see (C7, C18), how much WAL our
 * slot holds back, and how far behind the stream is. It goes on when the stream is stalled, cut or being remade.
 */
export class SourceMonitor {
  readonly #options: MonitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #failures = 0;
  #probing: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #sample: { readonly lsn: Lsn; readonly at: number } | null = null;
  #walEnd: Lsn | null = null;
  #lagMs: number | null = null;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** Something became urgent: do not wait for the next turn. */
  hurry(): void {
    if (this.#running && this.#probing === null) this.#schedule(0);
  }

  /** The stream is here. */
  passed(position: Lsn): void {
    if (this.#sample === null || position < this.#sample.lsn) return;
    this.#lagMs = this.#options.now() - this.#sample.at;
    this.#sample = null;
  }

  /** Lag of a stream that is at `position`. */
  lag(position: Lsn): { readonly bytes: bigint | null; readonly ms: number | null } {
    if (this.#walEnd === null) return { bytes: null, ms: null };
    const bytes = this.#walEnd > position ? this.#walEnd - position : 0n;
    const waited = this.#sample === null ? 0 : this.#options.now() - this.#sample.at;
    return { bytes, ms: Math.max(waited, this.#lagMs ?? 0) };
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), delayMs);
  }

  async #turn(): Promise<void> {
    const now = this.#options.now();
    const look = now - this.#lookedAt >= this.#options.intervalMs * 0.9;
    if (look) {
      this.#lookedAt = now;
      this.#options.onTick();
    }
    this.#probing = this.#ask(look);
    await this.#probing;
    this.#probing = null;
    if (this.#running) this.#schedule(this.#pause());
  }

  /** After a first failure one look follows at once: a lost connection says nothing, a refused one says why. */
  #pause(): number {
    if (this.#failures > 1) return this.#options.intervalMs;
    return this.#failures === 1 || this.#options.urgent() ? URGENT_MS : this.#options.intervalMs;
  }

  async #ask(look: boolean): Promise<void> {
    try {
      await this.#probe();
      if (look) await this.#look();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      if (this.#running) this.#options.onError(fromPostgres(error));
    }
  }

  async #probe(): Promise<void> {
    const generation = this.#options.generation();
    const xidToo = this.#options.wantsXid();
    const { rows } = await this.#options.database.query(
      `SELECT pg_current_snapshot(), pg_current_wal_flush_lsn()${xidToo ? ', pg_current_xact_id()' : ''}`,
      [],
      { answerTimeoutMs: ANSWER_MS },
    );
    const [snapshot, walEnd, xid] = must(rows[0], 'one row');
    this.#walEnd = must(parseLsn(must(walEnd, 'an LSN')), 'an LSN');
    this.#sample ??= { lsn: this.#walEnd, at: this.#options.now() };
    if (!this.#running) return;
    if (xidToo) this.#options.onXid(BigInt(must(xid, 'a transaction id')), generation);
    this.#options.onSnapshot(parseSnapshot(must(snapshot, 'a snapshot')), generation);
  }

  async #look(): Promise<void> {
    const name = this.#options.slot();
    const generation = this.#options.generation();
    if (name === null) return;
    const [slot] = await readSlots(
      (sql, params) => this.#options.database.query(sql, params, { answerTimeoutMs: ANSWER_MS }),
      name,
    );
    if (this.#running) this.#options.onSlot(slot ?? null, generation);
  }
}
