import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@sluice/client';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { Product } from '../kit/product.js';
import { TcpProxy } from '../kit/tcp-proxy.js';

const MB = 1 << 20;
const RETAINED_MAX = 64 * MB;
/** How much WAL is written while nobody reads it. */
const WRITTEN = 120 * MB;

/**
 * C19, P6: the stream is stalled while much is written. At the limit the slot goes, the disk is free again, no write
 * ever fails; clients keep what they show and converge when the stream is back.
 */
test('a permanent slot is given up at the limit, and nobody notices but the log', async () => {
  const server = await startTestPostgres({ settings: { max_wal_size: '64MB', min_wal_size: '32MB' } });
  const database = await createTestDatabase(
    server,
    `CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE filler (id bigserial PRIMARY KEY, v text);
     ALTER TABLE filler ALTER COLUMN v SET STORAGE EXTERNAL;
     INSERT INTO item SELECT i, 0 FROM generate_series(1, 50) i`,
  );
  const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: server.port }));
  const replication = new URL(database.url);
  replication.port = String(proxy.port);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-stalled-'));
  const product = await Product.start({
    databaseUrl: database.url,
    log: join(folder, 'log'),
    args: `--slot-mode permanent --slot-name stalled --max-retained-wal-bytes ${RETAINED_MAX} --replication-url ${replication.toString()}`.split(
      ' ',
    ),
  });
  const { client } = createClient({ url: `http://127.0.0.1:${product.port}`, values: 'text' });
  try {
    const views = [
      'SELECT id, n FROM item ORDER BY n DESC, id LIMIT 20',
      'SELECT sum(n) AS sum FROM item',
    ].map((sql) => client.live({ sql }));
    for (const view of views) await view.ready;
    const odd: string[] = [];
    const kept = views.map(({ rows }) => rows.length);
    for (const view of views)
      view.subscribe(() => {
        const lost = view.rows.length !== kept[views.indexOf(view)];
        if (lost || view.status === 'loading' || view.status === 'error')
          odd.push(`${view.status} ${view.rows.length}`);
      });

    proxy.stall();
    let retainedMost = 0;
    const beginning = await walBytes();
    for (let round = 0; (await walBytes()) - beginning < WRITTEN; round++) {
      await database.sql(
        `INSERT INTO filler (v) SELECT repeat(md5(i::text), 100) FROM generate_series(1, 500) i`,
      );
      await database.sql('UPDATE item SET n = n + id * $1', [round % 3]);
      await database.sql('TRUNCATE filler');
      retainedMost = Math.max(retainedMost, await retained());
      await sleep(50); // the limit is looked at once a second: WAL comes at a pace that real disks have
    }
    await expect.poll(retained).toBeLessThan(RETAINED_MAX);
    expect(retainedMost).toBeGreaterThan(RETAINED_MAX / 2);
    expect(odd).toEqual([]);

    proxy.resume();
    await database.sql('UPDATE item SET n = n + 1 WHERE id = 1');
    const truth = await Promise.all([
      database.sql('SELECT id::text, n::text FROM item ORDER BY item.n DESC, item.id LIMIT 20'),
      database.sql('SELECT sum(n)::text AS sum FROM item'),
    ]);
    await expect.poll(() => views.map(({ rows }) => rows)).toEqual(truth.map(({ rows }) => rows));
    await expect.poll(() => views.map(({ status }) => status)).toEqual(['current', 'current']);
    expect(odd).toEqual([]);
  } finally {
    client.close();
    proxy.resume();
    await product.stop();
    await proxy.close();
    await database.drop(); // the slot with it, once nobody reads it
    await server.destroy();
  }

  async function walBytes(): Promise<number> {
    return number(`SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes`);
  }

  /** What our slots keep Postgres from removing; 0 without one. */
  async function retained(): Promise<number> {
    return number(
      `SELECT coalesce(max(pg_current_wal_lsn() - restart_lsn), 0) AS bytes FROM pg_replication_slots
       WHERE database = current_database()`,
    );
  }

  async function number(sql: string): Promise<number> {
    const { rows } = await database.sql(sql);
    return Number((rows[0] as { bytes: string } | undefined)?.bytes);
  }
}, 300_000);
