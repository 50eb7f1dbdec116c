// The product behind a real PgBouncer in transaction mode. The relay in the tests of `check` shows what a pooler says;
// this one is a pooler: our transactions come to lie on whatever connection is free, with whatever others left there.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@sluice/client';
import { createSluice } from '@sluice/server';
import { sluice } from '@sluice/server/testing/cli';
import {
  CLIENT_ROLE,
  SERVICE_ROLE,
  startTestPostgres,
  createTestDatabase,
} from '@sluice/server/testing/postgres';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { Onlooker, SCHEMA, TRANSFER, truth } from './failover/onlooker.js';
import { findPgbouncer, startPgbouncer } from './kit/pgbouncer.js';
import { Product } from './kit/product.js';

const found = findPgbouncer();

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const VALUES = `CREATE TABLE val (id int PRIMARY KEY, at timestamptz, f float8, i interval, b bytea, t text);
  INSERT INTO val VALUES (1, '2024-02-29 12:34:56.789+02', 0.1::float8 + 0.2, '1 day 02:03:04', '\\x00ff', E'a\\\\b')`;
/** What another application may leave behind on a connection that the pooler then gives to us. */
const LEFT = `SET datestyle = 'German, DMY'; SET timezone = 'America/New_York'; SET extra_float_digits = -10;
  SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape'; SET standard_conforming_strings = off;
  SET transform_null_equals = on; SET default_transaction_read_only = on`;

// CI has no PgBouncer: `apt-get install pgbouncer` to run it.
test.skipIf(found === null)(`through ${found?.version ?? 'PgBouncer, which is not installed'}`, async () => {
  const server = await startTestPostgres();
  const database = await createTestDatabase(server, `${SCHEMA}; ${VALUES}`);
  open.push(() => server.destroy());
  const pooler = await startPgbouncer(found?.path ?? '', server.port, [
    SERVICE_ROLE,
    'postgres',
    CLIENT_ROLE,
  ]);
  open.push(() => pooler.stop());
  const pooled = database.url.replace(`:${server.port}/`, `:${pooler.port}/`);
  const sql = new pg.Pool({ connectionString: database.adminUrl });
  open.push(() => sql.end());

  expect(await sluice(['check', '--database-url', pooled])).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /\[replication_not_allowed\]\n  08P01 a pooler in the way does not carry replication\n  → Set the key "replication"[^]*\[pooler_found\]\n  in transaction mode\n/,
    ) as string,
  });
  expect(await sluice(['check', '--database-url', pooled, '--replication-url', database.url])).toMatchObject({
    code: 0,
    out: expect.stringContaining('in transaction mode') as string,
  });
  await expect(createSluice({ database: pooled, logLevel: 'silent' }).start()).rejects.toMatchObject({
    code: 'replication_not_allowed',
  });

  const product = await Product.start({
    databaseUrl: pooled,
    log: join(await mkdtemp(join(tmpdir(), 'sluice-pgbouncer-')), 'log'),
    args: ['--replication-url', database.url],
  });
  open.push(() => product.stop());
  const onlooker = await Onlooker.open(product.port);
  const { client } = createClient({ url: `http://127.0.0.1:${product.port}`, values: 'text' });
  open.push(async () => [client.close(), onlooker.client.close()]);
  const other = new pg.Client({ connectionString: pooled });
  await other.connect();
  open.push(() => other.end());

  const shown = new Set<string>();
  for (let round = 1; round <= 20; round++) {
    await other.query(LEFT);
    const writing = Promise.all([1, 2, 3].map((n) => sql.query(TRANSFER, [n * round, n * round + 1, n])));
    // Each query text is a view of its own: planned, hydrated and run through the pooler.
    for (const text of [
      `SELECT * FROM val WHERE id < ${round + 1} ORDER BY id`,
      `SELECT v.*, count(*) AS n FROM val v JOIN account a ON a.id = v.id AND a.id < ${round + 1} GROUP BY v.id`,
      `SELECT t FROM val WHERE t = 'a\\b' AND id < ${round + 1}`,
    ]) {
      const view = client.live({ sql: text });
      await view.ready;
      expect(view.error).toBeNull();
      shown.add(JSON.stringify(view.rows));
    }
    await writing;
  }
  const row = `{"id":"1","at":"2024-02-29 10:34:56.789+00","f":"0.30000000000000004","i":"1 day 02:03:04","b":"\\\\x00ff","t":"a\\\\b"`;
  expect([...shown]).toEqual([`[${row}}]`, `[${row},"n":"1"}]`, `[{"t":"a\\\\b"}]`]);
  await onlooker.shows(await truth(sql));
  expect(onlooker.odd).toEqual([]);
});
