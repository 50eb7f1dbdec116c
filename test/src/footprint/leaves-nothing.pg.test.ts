import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@sluice/client';
import { createTestDatabase, startTestPostgres, withClient } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { catalogDiff, catalogOf } from '../kit/catalog.js';
import { binary, Product } from '../kit/product.js';

/** P5: after start, stop and drop a database is what it was: no object, no right, no setting, no slot of ours. */
test.each(['temporary', 'permanent'] as const)(
  'start, stop and drop leave nothing (%s slot)',
  async (mode) => {
    const server = await startTestPostgres();
    try {
      const database = await createTestDatabase(
        server,
        `CREATE TABLE item (id int PRIMARY KEY, n int); INSERT INTO item SELECT i, i FROM generate_series(1, 5) i`,
      );
      const look = (): Promise<ReadonlyMap<string, readonly string[]>> =>
        withClient(database.adminUrl, catalogOf);
      const slots = async (): Promise<number> =>
        (await database.sql('SELECT FROM pg_replication_slots WHERE database = current_database()')).rows
          .length;
      const before = await look();
      const folder = await mkdtemp(join(tmpdir(), 'sluice-footprint-'));
      const args = ['--slot-mode', mode];
      const product = await Product.start({ databaseUrl: database.url, log: join(folder, 'log'), args });
      const { client } = createClient({ url: `http://127.0.0.1:${product.port}` });
      try {
        const live = await client.live({ sql: 'SELECT id, n FROM item ORDER BY id' }).ready;
        expect(live.rows).toHaveLength(5);
        await client.live({ sql: 'SELECT count(*) AS n FROM item' }).ready;
        expect(await slots()).toBe(1);
      } finally {
        client.close();
        await product.stop();
      }
      expect(product.crash).toBeNull();
      await expect.poll(slots).toBe(mode === 'permanent' ? 1 : 0);
      await promisify(execFile)(process.execPath, [binary(), 'drop', '--database-url', database.url]);
      expect(catalogDiff(before, await look())).toEqual([]);
      await database.drop();
    } finally {
      await server.destroy();
    }
  },
);
