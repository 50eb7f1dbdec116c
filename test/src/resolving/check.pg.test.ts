import { fileURLToPath } from 'node:url';
import { sluice } from '@sluice/server/testing/cli';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { createSluice } from '@sluice/server';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SETUP } from './tables.js';

// `sluice check --drizzle`: a schema that agrees is passed over, one that does not is told column by column.

const CONFIG = fileURLToPath(new URL('with-db.config.ts', import.meta.url));
const SCHEMA = fileURLToPath(new URL('tables.ts', import.meta.url));

let database: TestDatabase;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
});
afterAll(() => database.drop());

interface Found {
  readonly code: string;
  readonly detail?: string;
  readonly remedy: string;
}

async function drizzleFindings(
  from: readonly string[] = ['--drizzle', SCHEMA],
): Promise<readonly (readonly [string, string | undefined])[]> {
  const { out } = await sluice(['check', '--json', ...from, '--database-url', database.url]);
  const { findings } = JSON.parse(out) as { findings: readonly Found[] };
  const ours = findings.filter(({ code }) => code.startsWith('drizzle_'));
  for (const { remedy } of ours) expect(remedy).not.toBe('');
  return ours.map(({ code, detail }) => [code, detail] as const);
}

test('a schema that agrees with the catalog, and one that does not', async () => {
  const serials = 'everything.small_serial, everything.big_serial_number';
  const nullable = serials.split(', ').map((name) => `${name} may be NULL, there notNull()`);
  expect(await drizzleFindings()).toEqual([['drizzle_nulls_differ', nullable.join(', ')]]);

  await database.sql(`
    UPDATE everything SET small_serial = id, big_serial_number = id;
    ALTER TABLE everything ALTER small_serial SET NOT NULL, ALTER big_serial_number SET NOT NULL;
    DROP VIEW titles;
    DROP TABLE comments;
    ALTER TABLE posts DROP COLUMN meta, ALTER views TYPE text, ALTER at TYPE timestamp;
    ALTER TABLE users ALTER name DROP NOT NULL, ALTER boss_id SET DATA TYPE bigint;
    UPDATE users SET nick = ''; ALTER TABLE users ALTER nick SET NOT NULL`);
  expect(await drizzleFindings()).toEqual([
    ['drizzle_tables_missing', 'comments'],
    ['drizzle_columns_missing', 'posts.meta'],
    [
      'drizzle_types_differ',
      'posts.at is timestamp without time zone, there timestamp with time zone, posts.views is text, there bigint, users.boss_id is bigint, there integer',
    ],
    [
      'drizzle_nulls_differ',
      'users.name may be NULL, there notNull(), users.nick is NOT NULL, there nullable',
    ],
  ]);
});

test('the schema of the database that the configuration has as `db`', async () => {
  await database.sql('ALTER TABLE users RENAME TO people');
  const found = await drizzleFindings(['--config', CONFIG]);
  expect(found.find(([code]) => code === 'drizzle_tables_missing')?.[1]).toContain('users');
  expect(found).toEqual(await drizzleFindings());
});

test('a `db` without a schema is fine, one that is none is not', async () => {
  const pool = new pg.Pool({ connectionString: database.url });
  const dialect = new PostgresDialect({ pool });
  for (const db of [drizzle(pool), new Kysely({ dialect })])
    expect(() => createSluice({ database: database.url, db })).not.toThrow();
  for (const db of [database.url, pool, null])
    expect(() => createSluice({ database: database.url, db: db as never })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        detail: expect.stringContaining('db must be a Drizzle'),
      }),
    );
  await pool.end();
});

test('a schema that is not there', async () => {
  const { code, err } = await sluice(['check', '--drizzle', 'nowhere.ts', '--database-url', database.url]);
  expect(code).toBe(2);
  expect(err).toContain('config_file_missing');
});
