import pg from 'pg';
import { connectionError, codeOf, withConnection } from './connect.js';
import { note, obstacle, fromError, warning, type Finding } from './finding.js';

export type Pooler = 'none' | 'session' | 'transaction';

/**
 * Whether something stands between us and Postgres that shares its connections.
 *
 * A pooler hands out cancel keys of its own, so the process id that came with the connection is not the one of
 * the backend that answers. In transaction mode it also gives our backend away between two transactions. A setting
 * would not show that: PgBouncer keeps the common ones for each client (application_name, DateStyle, TimeZone, …).
 */
export async function findPooler(connection: pg.ClientConfig): Promise<Pooler> {
  return withConnection(connection, async (client) => {
    const first = await backendOf(client);
    if (Reflect.get(client, 'processID') === first) return 'none';
    return withConnection(connection, async (other) => {
      await other.query('BEGIN');
      const given = (await backendOf(other)) === first;
      const changed = (await backendOf(client)) !== first;
      await other.query('ROLLBACK');
      return given || changed ? 'transaction' : 'session';
    });
  });
}

async function backendOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid;
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
