import pg from 'pg';
import { connectionError, codeOf, withConnection } from './connect.js';
import { note, obstacle, fromError, warning, type Finding } from './finding.js';

export type Pooler = 'none' | 'session' | 'transaction';

/**
 * Whether something stands between us and Postgres that shares its connections.
 *
 * A pooler hands out cancel keys of its own, so the process id that came with the connection is not the one of
 * the backend that answers. In transaction mode it also gives our backend away between two transactions: what was
 * set in the first is gone in the second, once another client held that backend.
 */
export async function findPooler(connection: pg.ClientConfig): Promise<Pooler> {
  return withConnection(connection, async (client) => {
    const backend = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    if (Reflect.get(client, 'processID') === backend.rows[0]?.pid) return 'none';
    const mark = `sluice check ${process.pid}`;
    await client.query(`SET application_name = '${mark}'`);
    return withConnection(connection, async (other) => {
      await other.query('BEGIN');
      const kept = await client.query<{ kept: boolean }>(
        `SELECT current_setting('application_name') = $1 AS kept`,
        [mark],
      );
      await other.query('ROLLBACK');
      return kept.rows[0]?.kept === true ? 'session' : 'transaction';
    });
  });
}

export async function poolerFindings(database: pg.ClientConfig, ownReplication: boolean): Promise<Finding[]> {
  const pooler = await findPooler(database);
  if (pooler === 'none') return [];
  const detail = `in ${pooler} mode`;
  return [ownReplication ? note('pooler_found', detail) : warning('pooler_found', detail)];
}

/** Opens a replication connection and asks who is there: the stream's first step, without a slot. */
export async function replicationFindings(connection: pg.ClientConfig): Promise<Finding[]> {
  const client = new pg.Client({ ...connection, replication: 'database' } as pg.ClientConfig);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('IDENTIFY_SYSTEM');
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return rows[0]?.standby === true ? [obstacle('database_is_standby', 'the stream leads there')] : [];
  } catch (error) {
    return replicationRefusal(error, connection);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function replicationRefusal(error: unknown, connection: pg.ClientConfig): Finding[] {
  const code = codeOf(error);
  // PgBouncer: "unsupported startup parameter: replication"; others drop the connection or do not know the command.
  if (code === '08P01' || code === '42601' || code === '0A000' || code === '') {
    return [obstacle('replication_not_allowed', `${code} ${BEHIND_POOLER}`.trim(), TO_POSTGRES)];
  }
  return [fromError(connectionError(error, connection))];
}

const BEHIND_POOLER = 'a pooler in the way does not carry replication';
const TO_POSTGRES =
  'Set the key "replication" (--replication-url) to a URL that leads to Postgres itself; `database` may stay on the pooler.';
