import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@sluice/client';
import { until } from '@sluice/server/testing/deadline';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { Product } from '../kit/product.js';
import { TcpProxy } from '../kit/tcp-proxy.js';

const MB = 1 << 20;
/** How much may be written that the server has not looked at yet: less than there is from one limit to the next. */
const UNSEEN_MAX = 8 * MB;

/**
 * C19 as a user meets it: a stream that is far behind asks less of itself before the slot is given up. What is open
 * stays as it is, what is opened waits, nothing is refused, and when the stream has caught up all is current.
 */
test('far behind the WAL, reads pause and come back by themselves, and the slot is kept', async () => {
  const server = await startTestPostgres({ settings: { autovacuum: 'off' } });
  const database = await createTestDatabase(
    server,
    `CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE filler (id bigserial PRIMARY KEY, v text);
     INSERT INTO item SELECT i, 0 FROM generate_series(1, 50) i`,
  );
  const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: server.port }));
  const replication = new URL(database.url);
  replication.port = String(proxy.port);
  const log = join(await mkdtemp(join(tmpdir(), 'sluice-behind-')), 'log');
  const product = await Product.start({
    databaseUrl: database.url,
    log,
    args: ['--max-retained-wal-bytes', String(64 * MB), '--replication-url', replication.toString()],
  });
  const base = `http://127.0.0.1:${product.port}/sluice`;
  const { client } = createClient({ url: `http://127.0.0.1:${product.port}`, values: 'text' });
  try {
    const top = client.live({ sql: 'SELECT id, n FROM item ORDER BY n DESC, id LIMIT 5' });
    const sum = client.live({ sql: 'SELECT sum(n) AS sum FROM item' });
    await Promise.all([top.ready, sum.ready]);

    const stalledAt = await walEnd();
    proxy.stall();
    await database.sql('UPDATE item SET n = id');
    await writeUntil('pause', stalledAt);
    const fetches = await metric('sluice_fetches_total');
    const late = client.live({ sql: 'SELECT count(*) AS count FROM item WHERE n > 10' });
    expect(await ready()).toMatchObject({
      ok: true,
      degraded: { stage: 'pause', slotGivenUpAtBytes: 64 * MB },
    });
    await writeUntil('shed', stalledAt);
    expect((await ready()).degraded.behindBytes).toBeGreaterThan(48 * MB);
    expect(await metric('sluice_fetches_total')).toBe(fetches);
    expect(await metric('sluice_retained_wal_alarm_percent')).toBeGreaterThanOrEqual(50);
    await expect.poll(() => metric('sluice_views_shed')).toBe(1);
    expect([late.status, top.rows.length, sum.rows]).toEqual(['loading', 5, [{ sum: '0' }]]);

    proxy.resume();
    await expect.poll(ready).toEqual({ ok: true });
    const status = (): string[] => [top, sum, late].map((view) => view.status);
    await expect.poll(status).toEqual(['current', 'current', 'current']);
    await expect.poll(() => sum.rows).toEqual([{ sum: '1275' }]);
    expect(late.rows).toEqual([{ count: '40' }]);
    expect(top.rows.map((row) => row['n'])).toEqual(['50', '49', '48', '47', '46']);
    expect(await metric('sluice_slots_given_up_total')).toBe(0);
    expect(await metric('sluice_backlogs_total{stage="shed"}')).toBe(1);
    expect(await metric('sluice_views_shed')).toBe(0);
    const stages = async (): Promise<unknown> =>
      [...(await readFile(log, 'utf8')).matchAll(/"event":"source_backlog","stage":"(\w+)"/g)].map(
        ([, stage]) => stage,
      );
    await expect.poll(stages).toEqual(['pause', 'shed', 'none']);
  } finally {
    client.close();
    proxy.resume();
    await product.stop();
    await proxy.close();
    await database.drop();
    await server.destroy();
  }

  /** About a megabyte at a time; the stream is looked at once a second, and seen at each of its limits. */
  async function writeUntil(stage: string, since: number): Promise<void> {
    const there = async (): Promise<boolean> =>
      (await metric(`sluice_backlog_stage{stage="${stage}"}`)) === 1;
    await until(async () => {
      if (await there()) return true;
      await database.sql(
        'INSERT INTO filler (v) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 1000) i',
      );
      const written = (await walEnd()) - since;
      const looked = async (): Promise<boolean> =>
        (await metric('sluice_retained_wal_bytes')) + UNSEEN_MAX >= written;
      await until(async () => (await looked()) || there());
      return false;
    });
  }

  async function walEnd(): Promise<number> {
    const { rows } = await database.sql(`SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes`);
    return (rows[0] as { bytes: number }).bytes;
  }

  async function ready(): Promise<{ readonly ok: boolean; readonly degraded: { behindBytes: number } }> {
    return (await (await fetch(`${base}/readyz`)).json()) as Awaited<ReturnType<typeof ready>>;
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${base}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }
});
