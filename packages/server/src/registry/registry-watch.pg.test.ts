import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOn } from '../source/run-on.js';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { within } from '../testing/deadline.js';
import { RegistryWatch } from './registry-watch.js';

// A server of its own: roles and their settings are of the whole server, and are looked at.
let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.destroy());

let database: TestDatabase;
let pool: pg.Pool;
let watch: RegistryWatch;
let reads: number;
const errors: unknown[] = [];

beforeEach(async () => {
  database = await createTestDatabase(
    server,
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE VIEW v AS SELECT id FROM a',
  );
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  reads = 0;
  errors.length = 0;
  watch = new RegistryWatch({
    publication: 'sluice',
    nowMs: () => performance.now(),
    intervalMs: 20,
    onError: (error) => errors.push(error),
    snapshot: async (work) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const run = runOn(client);
        return await work((sql, params) => {
          if (sql.includes('relreplident')) reads++;
          return run(sql, params);
        });
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    },
  });
  await watch.start();
});
afterEach(async () => {
  await watch.stop();
  await pool.end();
  await database.drop();
});

function nextChange(): Promise<{ readonly names: readonly string[]; readonly global: boolean }> {
  const before = watch.current;
  const change = new Promise<Awaited<ReturnType<typeof nextChange>>>((resolve) => {
    const stop = watch.listen((next, changed, global) => {
      stop();
      const name = (oid: number): string => (next.tables.get(oid) ?? before.tables.get(oid))?.name ?? '?';
      resolve({ names: [...changed].map(name).toSorted(), global });
    });
  });
  return within('a change', change);
}

test.each([
  ['a new column', 'ALTER TABLE a ADD COLUMN x int', ['a'], false],
  ['a renamed column', 'ALTER TABLE b RENAME id TO key', ['b'], false],
  ['a new table', 'CREATE TABLE c (id int)', ['c'], false],
  ['a table that went', 'DROP TABLE b', ['b'], false],
  ['a view', 'CREATE OR REPLACE VIEW v AS SELECT id FROM a WHERE id > 1', ['v'], false],
  ['a grant', 'GRANT UPDATE ON a TO sluice_client', ['a'], false],
  ['a column grant', 'GRANT UPDATE (id) ON b TO sluice_client', ['b'], false],
  ['a policy', 'CREATE POLICY p ON a USING (true)', ['a'], false],
  ['row security', 'ALTER TABLE a ENABLE ROW LEVEL SECURITY', ['a'], false],
  ['replica identity', 'ALTER TABLE a REPLICA IDENTITY FULL', ['a'], false],
  ['the publication', 'ALTER PUBLICATION sluice DROP TABLE b', ['b'], false],
  ['rights on a schema', 'GRANT CREATE ON SCHEMA public TO sluice_client', ['a', 'b', 'v'], false],
  [
    'a setting in this database',
    `DO $$ BEGIN EXECUTE format('ALTER ROLE sluice_client IN DATABASE %I SET work_mem = %L', current_database(), '5MB'); END $$`,
    ['a', 'b', 'v'],
    false,
  ],
  ['a function', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1', [], true],
  ['a function in the old style', `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`, [], true],
])('sees %s', async (_what, sql, names, global) => {
  const change = nextChange();
  await database.sql(sql);
  expect(await change).toEqual({ names, global });
});

test('reads the catalog only when its rows changed', async () => {
  await database.sql('INSERT INTO a SELECT generate_series(1, 100)');
  await database.sql('ANALYZE');
  const before = reads;
  const change = nextChange();
  await database.sql('ALTER TABLE b ADD COLUMN y int');
  await change;
  expect(reads).toBeLessThanOrEqual(before + 2);
});

test('refresh sees what was committed before it was called, also while a read is under way', async () => {
  const first = watch.refresh();
  await database.sql('ALTER TABLE a ADD COLUMN fresh int');
  await watch.refresh();
  const columns = [...watch.current.tables.values()].find((table) => table.name === 'a')?.columns;
  expect(columns?.map((column) => column.name)).toEqual(['id', 'fresh']);
  await first;
});

test('keeps the last registry while the publication is missing, and says so', async () => {
  const { hash } = watch.current;
  await database.sql('DROP PUBLICATION sluice');
  await expect(watch.refresh()).rejects.toMatchObject({ code: 'publication_missing' });
  expect(watch.current.hash).toBe(hash);
  const back = nextChange();
  await database.sql('CREATE PUBLICATION sluice FOR TABLE a');
  expect((await back).names).toEqual(['b']);
});
