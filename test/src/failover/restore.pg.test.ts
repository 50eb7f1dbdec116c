// A restore (point in time, snapshot of a disk, reset of a branch): a server of the same name that knows nothing of the
// last commits, on a timeline of its own, at lower LSNs.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePosition } from '@sluice/core/position';
import { createTestDatabase, startTestPostgres, withClient } from '@sluice/server/testing/postgres';
import { copyStopped, startRestored } from '@sluice/server/testing/standby';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { Product } from '../kit/product.js';
import { Onlooker, SCHEMA, TRANSFER, truth } from './onlooker.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

test('a restore under a running server, and under one that is started anew: clients go back to what is there', async () => {
  const server = await startTestPostgres();
  const database = await createTestDatabase(server, SCHEMA);
  const sql = new pg.Pool({ connectionString: database.adminUrl });
  sql.on('error', () => undefined);
  sql.on('connect', (client) => client.on('error', () => undefined));
  await server.stop();
  const folder = await copyStopped(server);
  await server.start();

  const log = join(await mkdtemp(join(tmpdir(), 'sluice-restore-')), 'log');
  const permanent = ['--slot-mode', 'permanent', '--slot-name', 'kept'];
  const running = await Product.start({ databaseUrl: database.url, log });
  open.push(() => running.stop());
  const other = await Product.start({ databaseUrl: database.url, log, args: permanent });
  open.push(() => other.stop());
  const onlookers = [await Onlooker.open(running.port), await Onlooker.open(other.port)];
  for (const { client } of onlookers) open.push(async () => client.close());
  await sql.query('CREATE TABLE filler AS SELECT repeat(md5(i::text), 50) FROM generate_series(1, 5000) i');
  for (let i = 1; i < 30; i++) await sql.query(TRANSFER, [i, i + 1, i]);
  const future = await truth(sql);
  for (const onlooker of onlookers) await onlooker.shows(future);
  const before = onlookers.map(({ client }) => parsePosition(client.position ?? ''));

  await server.stop();
  await other.kill();
  const restored = await startRestored(folder, server.port);
  open.push(
    () => restored.destroy(),
    () => server.destroy(),
    () => sql.end(),
  );
  const lsn = await withClient(restored.url(), async (client) => {
    const { rows } = await client.query<{ lsn: string }>(
      `SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn`,
    );
    return BigInt(rows[0]?.lsn ?? 0);
  });
  await other.start();
  for (let i = 1; i < 10; i++) await sql.query(TRANSFER, [i, i + 1, 2]);
  const now = await truth(sql);
  expect(now).not.toEqual(future);
  for (const [index, onlooker] of onlookers.entries()) {
    await onlooker.shows(now);
    expect(onlooker.odd).toEqual([]);
    const after = parsePosition(onlooker.client.position ?? '');
    expect(after?.epoch.split('.')[1]).toBe('2');
    expect(after?.lsn).toBeLessThan(before[index]?.lsn ?? 0n);
  }
  expect(lsn).toBeLessThan(before[0]?.lsn ?? 0n);
  await sql.query(TRANSFER, [1, 2, 3]);
  const end = await truth(sql);
  for (const onlooker of onlookers) await onlooker.shows(end);
});
