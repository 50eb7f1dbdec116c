import { setTimeout as delay } from 'node:timers/promises';
import { assert, must } from '@sluice/core/assert';
import type { SluiceError } from '@sluice/core/errors';
import { formatLsn, type Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import { Backlog } from './backlog.js';
import { blockingTransactions, type BlockingTransaction } from './blocking-transactions.js';
import { SourceChain } from './source-chain.js';
import type { Database } from './database.js';
import { sourceError } from './errors.js';
import { fromPostgres } from './postgres-errors.js';
import { preflight } from './preflight.js';
import { ReplicationConnection, type SystemIdentity } from './replication-connection.js';
import { SlotKeeper, type AcquiredSlot } from './slot-keeper.js';
import type { SlotState } from './slot-state.js';
import { resolveOptions, type PostgresSourceOptions, type ResolvedOptions } from './source-options.js';
import { SourceMonitor } from './source-monitor.js';
import type { SourceEvent, SourceState, SourceStatus } from './source-status.js';
import type { Fetch, FetchOptions, Run, Source, SourceListener } from './source.js';
import { StreamReader } from './stream-reader.js';

/** At each probe the stream is asked for a keepalive: so many without an answer, and nobody reads it. */
const UNREAD_PROBES = 3;

/**
 * One Postgres: the stream of its commits over a logical replication slot, and snapshots that fit into the stream.
 *
 *              ┌──────────── replication connection ─── StreamReader ──┐ transactions
 *   Postgres ──┤                                                      ▼
 *              ├──── monitor pool ── SourceMonitor ── snapshots ──▶ SourceChain ──▶ listener
 *              └──── pool ────────── SnapshotReader ── fetches ──────▶ (C4–C7, C18)
 *
 * This class keeps the connection and the slot alive; `SourceChain` knows what was told and what may be forgotten.
 * A chain lasts while nothing can have been missed: as long as one connection under a temporary slot; as long as the
 * slot exists, unread by others, under a permanent one. When it breaks, the listener is told to start again from a
 * position, and hydrates what it holds anew.
 */
export class PostgresSource implements Source {
  readonly #options: ResolvedOptions;
  readonly #monitorPool: Database;
  readonly #chain: SourceChain;
  readonly #keeper: SlotKeeper;
  readonly #monitor: SourceMonitor;
  readonly #backlog: Backlog;
  readonly #stopping = new AbortController();
  #connection: ReplicationConnection | null = null;
  #slot: string | null = null;
  #state: SourceState = 'stopped';
  #loop: Promise<void> = Promise.resolve();
  #settlingSince = 0;
  #unusableSlot = false;
  #retainedWal: bigint | null = null;
  #warnedPercent: SourceStatus['retainedWalAlarmPercent'] = 0;
  #blocking: readonly BlockingTransaction[] = [];
  #reconnects = 0;
  #slotsLost = 0;
  #slotsGivenUp = 0;
  #lastError: SluiceError | null = null;

  constructor(options: PostgresSourceOptions) {
    this.#options = resolveOptions(options);
    this.#monitorPool = options.database.sibling({ poolMax: 2 });
    this.#chain = new SourceChain({
      ...this.#options,
      mark: () => this.#mark(),
      ask: () => this.#feedback(true),
      hurry: () => this.#monitor.hurry(),
      overflow: () => this.#abandon(sourceError('retained_full')),
    });
    this.#keeper = new SlotKeeper({
      slot: this.#options.slot,
      monitor: this.#monitorPool,
      creationTimeoutMs: this.#options.slotCreationTimeoutMs,
      randomHex: () => this.#randomHex(),
      signal: this.#stopping.signal,
      onWait: (slot) => this.#waiting(slot),
    });
    this.#monitor = this.#makeMonitor();
    const { maxRetainedWalBytes, backlogMsMax, now } = this.#options;
    this.#backlog = new Backlog({ limitBytes: maxRetainedWalBytes, msMax: backlogMsMax, now });
  }

  get epoch(): Epoch {
    return this.#chain.epoch;
  }

  get position(): Lsn {
    return this.#chain.position;
  }

  get chain(): number {
    return this.#chain.number;
  }

  /**
   * Connects, makes or adopts the slot and begins to stream; the listener's `restart` gives the first position.
   * Waits while another process reads the permanent slot. Afterwards the stream is kept up until `stop`.
   * @throws a registered error when it cannot begin: see `errors.ts`.
   */
  async start(listener: SourceListener): Promise<void> {
    assert(this.#state === 'stopped' && !this.#stopping.signal.aborted, 'a source starts once');
    this.#chain.listen(listener);
    try {
      await this.#open();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#monitor.start();
    this.#loop = this.#keepOpen();
  }

  /** Ends the stream; a temporary slot is gone when this resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#monitor.stop();
    this.#chain.stop(sourceError('source_stopped'));
    this.#feedback(false);
    await this.#connection?.close();
    await this.#loop;
    if (this.#slot !== null && this.#options.slot.mode === 'temporary') {
      await this.#keeper.drop(this.#slot).catch(() => undefined); // without Postgres there is no slot either
    }
    this.#state = 'stopped';
    await this.#monitorPool.end();
  }

  fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>> {
    return this.#chain.fetch(options, read);
  }

  passed(lsn: Lsn): Promise<void> {
    return this.#chain.passed(lsn);
  }

  status(): SourceStatus {
    const lag = this.#monitor.lag(this.position);
    const { code, message, detail } = this.#lastError ?? {};
    return {
      ...this.#chain.status(),
      state: this.#state === 'streaming' && !this.#chain.settled ? 'settling' : this.#state,
      slot: this.#slot,
      slotMode: this.#options.slot.mode,
      lagBytes: lag.bytes,
      lagMs: lag.ms,
      backlog: this.#backlog.stage,
      backlogMs: this.#backlog.forMs,
      backlogs: this.#backlog.counts,
      retainedWalAlarmPercent: this.#warnedPercent,
      retainedWalBytes: this.#retainedWal,
      maxRetainedWalBytes: this.#options.maxRetainedWalBytes,
      blocking: this.#chain.settled ? [] : this.#blocking,
      reconnects: this.#reconnects,
      slotsLost: this.#slotsLost,
      slotsGivenUp: this.#slotsGivenUp,
      lastError:
        code === undefined || message === undefined
          ? null
          : { code, message, ...(detail === undefined ? {} : { detail }) },
    };
  }

  // -------------------------------------------------------------- the connection

  async #open(): Promise<void> {
    this.#state = 'connecting';
    const run: Run = (sql, params) => this.#monitorPool.query(sql, params);
    await this.#dropLeftover();
    const { serverVersion } = await preflight(run, this.#options.publication);
    const connection = new ReplicationConnection(this.#options.replication, { now: this.#options.now });
    this.#connection = connection;
    try {
      await connection.connect();
      const identity = await connection.identify();
      const slot = await this.#keeper.acquire(connection, serverVersion);
      this.#slot = slot.name;
      this.#unusableSlot = false;
      const resumed = this.#adopt(identity, slot);
      await this.#stream(connection, slot.name);
      await this.#sameServer(connection, slot.name);
      this.#state = 'streaming';
      this.#backlog.hopeAnew();
      this.#lastError = null;
      this.#event({ kind: 'connected', epoch: this.epoch, slot: slot.name, resumed });
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.#monitor.hurry();
  }

  /** A slot of ours that its process still holds, or that cannot be streamed from any more. */
  async #dropLeftover(): Promise<void> {
    if (this.#slot === null) return;
    if (this.#options.slot.mode === 'temporary' || this.#unusableSlot) await this.#keeper.drop(this.#slot);
  }

  /** Whether the chain goes on under this slot; if not, the listener is told where it starts again. */
  #adopt(identity: SystemIdentity, slot: AcquiredSlot): boolean {
    const epoch = `${identity.systemId}.${identity.timeline}`;
    const told = this.#chain.decoded;
    const sameEpoch = this.#chain.unbroken && (this.epoch === epoch || this.epoch.startsWith(`${epoch}.`));
    if (sameEpoch && !slot.fresh && slot.from <= told && identity.lsn >= told) return true;
    if (this.#chain.unbroken && slot.fresh) this.#slotsLost++;
    this.#restart(epoch, slot.from, identity.lsn);
    return false;
  }

  #restart(server: Epoch, from: Lsn, walEnd: Lsn): void {
    const sameServer = this.epoch === server || this.epoch.startsWith(`${server}.`);
    // A server that went back without a new timeline (a disk restored from a copy) needs an epoch of its own.
    const back = sameServer && (walEnd < this.position || from < this.position);
    const epoch = back ? `${server}.${this.#randomHex()}` : sameServer ? this.epoch : server;
    this.#chain.restart(epoch, from);
    this.#lookAtBacklog(0n);
    this.#settlingSince = this.#options.now();
    this.#event({ kind: 'restarted', epoch, lsn: formatLsn(from), chain: this.chain });
  }

  async #stream(connection: ReplicationConnection, slot: string): Promise<void> {
    const from = this.#chain.decoded;
    const reader = new StreamReader(from, this.#options.transactionBytesMax, {
      coming: (transactions) => this.#chain.coming(transactions),
      transaction: (transaction) => this.#chain.told({ kind: 'transaction', transaction }),
      progress: (lsn) => this.#chain.told({ kind: 'progress', lsn }),
      keepalive: (replyRequested) => {
        if (replyRequested) this.#feedback(false);
        this.#monitor.passed(this.position);
      },
    });
    await connection.stream({ slot, from, publication: this.#options.publication }, reader);
  }

  /** The pool must see our slot read by our own connection, in its own database: else it reads other rows. */
  async #sameServer(connection: ReplicationConnection, slot: string): Promise<void> {
    const state = await this.#keeper.state(slot);
    const { rows } = await this.#monitorPool.query('SELECT current_database()');
    if (state?.activePid !== connection.processId || state.database !== rows[0]?.[0]) {
      throw sourceError('servers_differ');
    }
  }

  async #keepOpen(): Promise<void> {
    let attempt = 0;
    while (!this.#stopping.signal.aborted) {
      const since = this.#options.now();
      const reason = await must(this.#connection, 'a connection').closed;
      if (this.#stopping.signal.aborted) return;
      if (this.#options.now() - since > this.#options.stableMs) attempt = 0;
      this.#disconnected(reason);
      do {
        const retryMs = this.#backOff(attempt++);
        this.#event({ kind: 'disconnected', ...this.#why(), retryMs });
        await this.#sleep(retryMs);
      } while (!this.#stopping.signal.aborted && !(await this.#reopen()));
    }
  }

  async #reopen(): Promise<boolean> {
    this.#reconnects++;
    try {
      await this.#open();
      return true;
    } catch (error) {
      this.#disconnected(error);
      return false;
    }
  }

  #disconnected(error: unknown): void {
    const reason = fromPostgres(error);
    this.#state = 'disconnected';
    this.#lastError = reason;
    if (reason.code === 'slot_lost' || reason.code === 'publication_missing') this.#unusableSlot = true;
    if (this.#options.slot.mode === 'temporary' || this.#unusableSlot) {
      if (this.#chain.unbroken) this.#slotsLost++;
      this.#chain.break();
    }
  }

  // -------------------------------------------------------------- beside the stream

  #makeMonitor(): SourceMonitor {
    return new SourceMonitor({
      database: this.#monitorPool,
      now: this.#options.now,
      intervalMs: this.#options.probeMs,
      slot: () => this.#slot,
      urgent: () => this.#chain.waitsForSnapshot,
      generation: () => this.#chain.generation,
      wantsXid: () => this.#chain.wantsXid,
      onXid: (xid, generation) => this.#chain.xidTaken(xid, generation),
      onSnapshot: (snapshot, generation) => {
        if (this.#chain.snapshotTaken(snapshot, generation)) {
          this.#event({ kind: 'settled', afterMs: this.#options.now() - this.#settlingSince });
        }
        this.#monitor.passed(this.position);
        if (this.#state === 'streaming')
          this.#lookAtBacklog(this.#monitor.lag(this.#chain.decoded).bytes ?? 0n);
      },
      onSlot: (slot, generation) => this.#slotSeen(slot, generation),
      onTick: () => this.#tick(),
      onError: (error) => this.#probeFailed(error),
    });
  }

  #probeFailed(error: SluiceError): void {
    this.#event({ kind: 'probe_failed', code: error.code });
    // A Postgres that shuts down waits for us to confirm what it sent. What no snapshot can show us any more we must
    // not confirm (C7), so we let go of the stream instead.
    if (error.code === 'database_starting' && this.#state === 'streaming') this.#connection?.destroy(error);
  }

  #tick(): void {
    const connection = this.#connection;
    if (connection === null || this.#state !== 'streaming') return;
    if (this.#options.now() - connection.lastReadAt > this.#options.silenceMs) {
      connection.destroy(sourceError('stream_silent'));
      return;
    }
    this.#feedback(true);
    if (!this.#chain.settled) void this.#nameBlocking();
  }

  async #nameBlocking(): Promise<void> {
    const run: Run = (sql, params) => this.#monitorPool.query(sql, params);
    this.#blocking = await blockingTransactions(run).catch(() => this.#blocking);
  }

  #slotSeen(slot: SlotState | null, generation: number): void {
    if (generation !== this.#chain.generation) return;
    this.#retainedWal = slot?.retainedWalBytes ?? null;
    if (slot === null || this.#unusableSlot) return;
    if (this.#state === 'streaming' && this.#blocksCheckpoint(slot)) {
      this.#connection?.destroy(sourceError('stream_silent'));
      return;
    }
    if (this.#retainedWal === null) return;
    const bytes = this.#retainedWal;
    const percent = Number((bytes * 100n) / BigInt(this.#options.maxRetainedWalBytes));
    const step = ([75, 50, 25] as const).find((limit) => percent >= limit);
    if (step !== undefined && step > this.#warnedPercent) {
      this.#event({ kind: 'retained_wal', slot: slot.name, bytes, percent: step });
    }
    this.#warnedPercent = step ?? 0;
    if (percent < 100 || (this.#state === 'waiting' && slot.active)) return;
    this.#giveUp(slot.name, bytes, 'limit');
  }

  /** The disk is worth more than our chain: the slot goes, and everything is hydrated anew under a new one. */
  #giveUp(slot: string, bytes: bigint, why: 'limit' | 'behind'): void {
    this.#slotsGivenUp++;
    this.#event({ kind: 'slot_given_up', slot, bytes, why });
    this.#abandon(sourceError('slot_given_up'));
  }

  /** C19. @param bytes from where the stream is to the end of the WAL */
  #lookAtBacklog(bytes: bigint): void {
    if (this.#backlog.look(bytes)) {
      const { stage } = this.#backlog;
      this.#event({ kind: 'backlog', stage, bytes });
      this.#chain.backlog(stage);
    }
    if (this.#backlog.isHopeless && this.#slot !== null && !this.#unusableSlot) {
      this.#giveUp(this.#slot, bytes, 'behind');
    }
  }

  /**
   * At max_slot_wal_keep_size a checkpoint of Postgres ends the walsender and waits for its end. One that is blocked
   * because nobody reads does not end before wal_sender_timeout, and no checkpoint is made meanwhile: we let go of it.
   */
  #blocksCheckpoint({ walStatus }: SlotState): boolean {
    if (walStatus !== 'unreserved' && walStatus !== 'lost') return false;
    const silentMs = this.#options.now() - (this.#connection?.lastReadAt ?? 0);
    return silentMs > UNREAD_PROBES * this.#options.probeMs;
  }

  /** Ends the chain and the slot with it: the next attempt to connect drops it first, then makes a new one. */
  #abandon(reason: SluiceError): void {
    this.#unusableSlot = true;
    this.#connection?.destroy(reason);
  }

  #feedback(replyRequested: boolean): void {
    this.#connection?.feedback(this.#chain.decoded, this.#chain.confirmable, replyRequested);
  }

  async #mark(): Promise<void> {
    await this.#monitorPool.script([
      'SET LOCAL synchronous_commit = local',
      `SELECT pg_logical_emit_message(true, 'sluice.passed', '')`,
    ]);
  }

  #waiting(slot: SlotState): void {
    if (this.#state === 'waiting') return;
    this.#state = 'waiting';
    this.#slot = slot.name;
    this.#event({ kind: 'waiting', slot: slot.name, pid: slot.activePid });
  }

  #event(event: SourceEvent): void {
    this.#options.onEvent(event);
  }

  #why(): { readonly code: string; readonly detail?: string } {
    const { code, detail } = must(this.#lastError, 'a reason');
    return detail === undefined ? { code } : { code, detail };
  }

  #backOff(attempt: number): number {
    const { retryMs, retryMsMax, random } = this.#options;
    return Math.min(retryMsMax, retryMs * 2 ** Math.min(attempt, 20)) * (0.5 + random() / 2);
  }

  #randomHex(): string {
    return Math.floor(this.#options.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
