import { setTimeout as delay } from 'node:timers/promises';
import { must } from '@sluice/core/assert';
import { parseLsn, type Lsn } from '@sluice/core/lsn';
import { blockingTransactions, formatBlocking } from './blocking-transactions.js';
import type { Database } from './database.js';
import { sourceError } from './errors.js';
import { sqlStateOf } from './postgres-errors.js';
import { quoteIdentifier } from './quote.js';
import type { ReplicationConnection } from './replication-connection.js';
import { readSlots, type SlotState } from './slot-state.js';
import type { Run } from './source.js';

export type SlotMode =
  /** One of our own on each connection, gone with it: `name` (default `sluice`) and something random. */
  | { readonly mode: 'temporary'; readonly name?: string }
  /** Survives us; one process reads it, the others wait. */
  | { readonly mode: 'permanent'; readonly name: string };

export interface AcquiredSlot {
  readonly name: string;
  /** The stream begins after here. */
  readonly from: Lsn;
  /** Just made: what happened before is not in it. */
  readonly fresh: boolean;
}

export interface SlotKeeperOptions {
  readonly slot: SlotMode;
  /** Reaches the same server as the replication connection. */
  readonly monitor: Database;
  readonly creationTimeoutMs: number;
  readonly randomHex: () => string;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** The slot is read by another process: we wait. */
  readonly onWait: (slot: SlotState) => void;
}

const WAIT_MS = 500;

/** Makes, adopts and drops the replication slot. */
export class SlotKeeper {
  readonly #options: SlotKeeperOptions;
  readonly #run: Run;

  constructor(options: SlotKeeperOptions) {
    this.#options = options;
    this.#run = (sql, params) => options.monitor.query(sql, params);
  }

  /** A slot to stream from on this connection. Waits while another process reads the permanent one. */
  async acquire(connection: ReplicationConnection, serverVersion: number): Promise<AcquiredSlot> {
    const { slot } = this.#options;
    if (slot.mode === 'temporary') {
      const name = `${slot.name ?? 'sluice'}_${this.#options.randomHex()}`;
      return this.#create(connection, name, 'temporary', serverVersion);
    }
    const existing = await this.#free(slot.name, connection);
    if (existing !== null && !existing.invalidated && existing.confirmedLsn !== null) {
      return { name: slot.name, from: existing.confirmedLsn, fresh: false };
    }
    if (existing !== null) await this.drop(slot.name);
    return this.#create(connection, slot.name, 'permanent', serverVersion);
  }

  async state(name: string): Promise<SlotState | null> {
    return (await readSlots(this.#run, name))[0] ?? null;
  }

  /** Ends the process that reads the slot and drops what is left of it. Nothing happens when it is gone already. */
  async drop(name: string): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const state = await this.state(name);
      if (state === null) return;
      if (state.activePid !== null) {
        await this.#run('SELECT pg_terminate_backend($1::int)', [String(state.activePid)]);
      } else {
        await this.#run(
          'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
          [name],
        ).catch((error: unknown) => {
          if (sqlStateOf(error) !== '55006' && sqlStateOf(error) !== '42704') throw error;
        });
      }
      await delay(100);
    }
    throw sourceError('slot_in_use', name);
  }

  /** Waits until nobody reads it. @returns null when it does not exist. */
  async #free(name: string, connection: ReplicationConnection): Promise<SlotState | null> {
    for (;;) {
      const state = await this.state(name);
      if (state === null) return null;
      if (state.plugin !== 'pgoutput' || state.temporary) throw sourceError('slot_foreign', name);
      const { rows } = await this.#run('SELECT current_database()');
      if (state.database !== rows[0]?.[0]) throw sourceError('slot_foreign', name);
      if (!state.active) return state;
      this.#options.onWait(state);
      const gone = await Promise.race([this.#wait(WAIT_MS), connection.closed]);
      if (this.#options.signal.aborted) throw sourceError('source_stopped');
      if (gone !== undefined) throw gone;
    }
  }

  async #create(
    connection: ReplicationConnection,
    name: string,
    mode: SlotMode['mode'],
    serverVersion: number,
  ): Promise<AcquiredSlot> {
    const creating = connection.command(createCommand(name, mode, serverVersion));
    const [row] = await this.#inTime(creating, connection);
    const from = must(parseLsn(must(row?.['consistent_point'], 'a consistent point')), 'an LSN');
    return { name, from, fresh: true };
  }

  /** Postgres waits, without a limit of its own, until every transaction that was open has ended. */
  async #inTime<T>(creating: Promise<T>, connection: ReplicationConnection): Promise<T> {
    const outcome = await Promise.race([creating, this.#wait(this.#options.creationTimeoutMs)]);
    if (outcome !== undefined) return outcome;
    creating.catch(() => undefined);
    const blocking = await blockingTransactions(this.#run);
    await this.#run('SELECT pg_terminate_backend($1::int)', [String(connection.processId)]);
    const error = sourceError('slot_creation_blocked', formatBlocking(blocking));
    connection.destroy(error);
    throw error;
  }

  async #wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#options.signal, ref: false }).catch(() => undefined);
  }
}

function createCommand(name: string, mode: SlotMode['mode'], serverVersion: number): string {
  const kind = mode === 'temporary' ? 'TEMPORARY LOGICAL' : 'LOGICAL';
  const create = `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} ${kind} pgoutput`;
  if (serverVersion < 150_000) return `${create} NOEXPORT_SNAPSHOT`;
  const failover = mode === 'permanent' && serverVersion >= 170_000 ? ', FAILOVER true' : '';
  return `${create} (SNAPSHOT 'nothing'${failover})`;
}
