import type { Run } from './source.js';

/** A transaction that has written and not ended: slots and exact snapshots wait for it. */
export interface BlockingTransaction {
  readonly xid: string;
  /** Null for a prepared one, which no process holds. */
  readonly pid: number | null;
  /** The identifier of a prepared one. */
  readonly prepared: string | null;
  readonly ageMs: number | null;
  readonly application: string | null;
}

const BLOCKERS_MAX = 20;

/** Oldest first. Reads `pg_locks`, which shows everyone's transactions to everyone, and names no statement. */
export async function blockingTransactions(run: Run): Promise<BlockingTransaction[]> {
  const { rows } = await run(
    `SELECT l.transactionid::text, l.pid, p.gid,
            (extract(epoch FROM clock_timestamp() - coalesce(p.prepared, a.xact_start)) * 1000)::bigint,
            a.application_name
     FROM pg_locks l
     LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     LEFT JOIN pg_prepared_xacts p ON p.transaction = l.transactionid
     WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
     ORDER BY age(l.transactionid) DESC LIMIT ${BLOCKERS_MAX}`,
  );
  return rows.map(([xid, pid, prepared, ageMs, application]) => ({
    xid: xid ?? '',
    pid: pid === null || pid === undefined ? null : Number(pid),
    prepared: prepared ?? null,
    ageMs: ageMs === null || ageMs === undefined ? null : Number(ageMs),
    application: application ?? null,
  }));
}

export function formatBlocking(transactions: readonly BlockingTransaction[]): string {
  const names = transactions.map(({ xid, pid, prepared, ageMs }) => {
    const who = prepared === null ? `process ${pid ?? '?'}` : `prepared ${JSON.stringify(prepared)}`;
    return `${who} (transaction ${xid}${ageMs === null ? '' : `, ${(ageMs / 1000).toFixed(0)} s`})`;
  });
  return names.length === 0 ? 'no transaction is open any more' : names.join('; ');
}
