import pg from 'pg';
import { until } from './deadline.js';
import type { TestDatabase } from './postgres.js';

/**
 * From now on commits of this server wait for a synchronous standby that does not exist: they are in the WAL, and in
 * the stream, and nobody sees them. Resolves when that is so. It is the checkpointer that decides, once it has read the
 * settings anew, which may be after each session has: so one commit is seen to wait, and then let go.
 */
export async function awaitNobody(database: TestDatabase): Promise<void> {
  await database.sql(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
  await database.sql('SELECT pg_reload_conf()');
  const probe = new pg.Client({ connectionString: database.adminUrl });
  await probe.connect();
  try {
    const { rows } = await probe.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const waits = `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'`;
    await until(async () => {
      let over = false;
      const commit = probe.query(`SELECT pg_logical_emit_message(true, 'probe', '')`);
      const done = commit.then(() => (over = true));
      let waited = false;
      await until(async () => {
        waited = (await database.sql(waits, [rows[0]?.pid])).rowCount === 1;
        return waited || over;
      });
      if (waited) await database.sql('SELECT pg_cancel_backend($1)', [rows[0]?.pid]);
      await done;
      return waited;
    });
  } finally {
    await probe.end();
  }
}

/** Lets the commits that wait become visible, and those to come. */
export async function release(database: TestDatabase): Promise<void> {
  await database.sql(`ALTER SYSTEM SET synchronous_standby_names = ''`);
  await database.sql('SELECT pg_reload_conf()');
}
