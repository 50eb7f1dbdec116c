import { parseLsn, type Lsn } from '@sluice/core/lsn';
import type { Run } from './source.js';

/** One row of `pg_replication_slots`, with what it means for us. */
export interface SlotState {
  readonly name: string;
  readonly plugin: string | null;
  readonly database: string | null;
  readonly temporary: boolean;
  readonly active: boolean;
  readonly activePid: number | null;
  readonly restartLsn: Lsn | null;
  readonly confirmedLsn: Lsn | null;
  /** `lost` and `unreserved` mean that WAL that it needs is gone or about to go. */
  readonly walStatus: string | null;
  /** How much may still be written before it is invalidated; null without `max_slot_wal_keep_size`. */
  readonly safeWalBytes: bigint | null;
  /** WAL that the server keeps because of it; null when it keeps none. */
  readonly retainedWalBytes: bigint | null;
  /** Survives a failover by being copied to standbys (17+). */
  readonly failover: boolean;
  /** 16+: a conflict or a reason made it useless. */
  readonly invalidated: boolean;
}

/** Columns that only newer servers have are read through `to_jsonb`, so that one statement serves 14 to 18. */
const SELECT = `SELECT s.slot_name, s.plugin, s.database, s.temporary, s.active, s.active_pid, s.restart_lsn,
  s.confirmed_flush_lsn, s.wal_status, s.safe_wal_size,
  pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END,
                  s.restart_lsn)::numeric(30),
  to_jsonb(s)->>'failover', coalesce(to_jsonb(s)->>'invalidation_reason', nullif(to_jsonb(s)->>'conflicting', 'false'))
FROM pg_replication_slots s`;

/** All slots of the server, or the one of that name. */
export async function readSlots(run: Run, name?: string): Promise<SlotState[]> {
  const { rows } =
    name === undefined
      ? await run(`${SELECT} ORDER BY 1`)
      : await run(`${SELECT} WHERE slot_name = $1`, [name]);
  return rows.map(parseSlot);
}

function parseSlot(row: readonly (string | null)[]): SlotState {
  const [
    name,
    plugin,
    database,
    temporary,
    active,
    activePid,
    restart,
    confirmed,
    walStatus,
    safe,
    retained,
  ] = row;
  return {
    name: name ?? '',
    plugin: plugin ?? null,
    database: database ?? null,
    temporary: temporary === 't',
    active: active === 't',
    activePid: toNumber(activePid),
    restartLsn: toLsn(restart),
    confirmedLsn: toLsn(confirmed),
    walStatus: walStatus ?? null,
    safeWalBytes: toBigInt(safe),
    retainedWalBytes: toBigInt(retained),
    failover: row[11] === 'true',
    invalidated: (row[12] ?? null) !== null || walStatus === 'lost',
  };
}

/** One line for people: `sluice check` and the logs. */
export function formatSlot(slot: SlotState): string {
  const parts = [
    slot.temporary ? 'temporary' : 'permanent',
    slot.active ? `read by process ${slot.activePid ?? '?'}` : 'read by nobody',
    slot.invalidated ? 'invalidated' : (slot.walStatus ?? 'no WAL reserved'),
    ...(slot.retainedWalBytes === null ? [] : [`keeps ${formatBytes(slot.retainedWalBytes)} of WAL`]),
    ...(slot.safeWalBytes === null ? [] : [`${formatBytes(slot.safeWalBytes)} until it is invalidated`]),
    ...(slot.failover ? ['copied to standbys'] : []),
  ];
  return `${slot.name}: ${parts.join(', ')}`;
}

function formatBytes(bytes: bigint): string {
  return `${(Number(bytes) / 1_048_576).toFixed(1)} MB`;
}

function toNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

function toBigInt(text: string | null | undefined): bigint | null {
  return text === null || text === undefined ? null : BigInt(text);
}

function toLsn(text: string | null | undefined): Lsn | null {
  return text === null || text === undefined ? null : parseLsn(text);
}
