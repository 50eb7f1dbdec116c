import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readRegistry } from '../registry/read-registry.js';
import { runOn } from '../source/run-on.js';
import {
  CLIENT_ROLE,
  SERVICE_ROLE,
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
} from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { startStandby } from '../testing/standby.js';
import { analyse, readSchemas, type Analysis, type AnalysisRequest } from './analyse.js';
import { deparse } from './deparse.js';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);
    CREATE VIEW dear AS SELECT id, name AS label FROM item WHERE price > 10.50;
    CREATE VIEW dearest AS SELECT d.label, count(*) AS n FROM dear d GROUP BY d.label;
    CREATE SCHEMA ${CLIENT_ROLE};
    CREATE TABLE ${CLIENT_ROLE}.item (id int PRIMARY KEY, own text);
    CREATE SCHEMA hidden;`);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

function ask(sql: string, request: Partial<AnalysisRequest> = {}): Promise<Analysis> {
  return analyse(pool, { sql, paramTypes: [], schemas: ['public'], ...request });
}

async function textOf(sql: string, request: Partial<AnalysisRequest> = {}): Promise<string> {
  const analysis = await ask(sql, request);
  if (analysis.kind !== 'analysed') throw new Error(analysis.reason);
  return deparse(analysis.query, analysis.facts);
}

test('names, types, casts and operators are settled, and views stand expanded', async () => {
  expect(await textOf('SELECT name FROM item WHERE id = $1', { paramTypes: ['pg_catalog.int8'] })).toBe(
    'SELECT "#1"."name" AS "name" FROM "public"."item" AS "#1" WHERE ("#1"."id" OPERATOR("pg_catalog".=) CAST($1 AS "pg_catalog"."int8"))',
  );
  expect(await textOf('SELECT * FROM dearest')).toBe(
    'SELECT "#1"."label" AS "label", "#1"."n" AS "n" FROM (SELECT "#2"."label" AS "label", "pg_catalog"."count"(*) AS "n"' +
      ' FROM (SELECT "#3"."id" AS "id", "#3"."name" AS "label" FROM "public"."item" AS "#3"' +
      ' WHERE ("#3"."price" OPERATOR("pg_catalog".>) \'10.50\'::"pg_catalog"."numeric")) AS "#2"("id", "label")' +
      ' GROUP BY 1) AS "#1"("label", "n")',
  );
});

test('a plain WITH query stands where it is used; what has to stand for itself does', async () => {
  const inlined = await ask('WITH x AS (SELECT id FROM item) SELECT a.id FROM x a, x b');
  const kept = await ask(`WITH x AS MATERIALIZED (SELECT id FROM item), y AS (SELECT id FROM item LIMIT 1),
    z AS (SELECT random() AS r) SELECT a.id FROM x a, y b, y c, z`);
  expect(inlined).toMatchObject({ query: { with: [] } });
  expect(kept).toMatchObject({ query: { with: [{ name: 'x' }, { name: 'y' }, { name: 'z' }] } });
});

test('a reference to a query around says how far out', async () => {
  const analysis = await ask('SELECT id FROM item a WHERE EXISTS (SELECT FROM item b WHERE b.id > a.id)');
  expect(analysis).toMatchObject({
    query: {
      body: {
        where: {
          kind: 'exists',
          query: {
            body: {
              where: {
                args: [
                  { relation: 2, up: 0 },
                  { relation: 1, up: 1 },
                ],
              },
            },
          },
        },
      },
    },
  });
});

test('bare names mean what they mean to the client role, whose "$user" is another', async () => {
  const client = await pool.connect();
  const schemas = await (async () => {
    try {
      await client.query(
        `BEGIN; SET LOCAL search_path = "$user", hidden, public; SET LOCAL ROLE ${CLIENT_ROLE}`,
      );
      return await readSchemas(runOn(client));
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  })();
  expect(schemas).toEqual([CLIENT_ROLE, 'public']);
  expect(await textOf('SELECT * FROM item', { schemas })).toContain(`"${CLIENT_ROLE}"."item"`);
  expect(await ask('SELECT * FROM item', { schemas: ['hidden', 'public'] })).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('search_path'),
  });
});

test('nothing is left behind: no catalog row, no decoded message, no new registry', async () => {
  await database.publish({ eventTrigger: true });
  const admins = new pg.Pool({ connectionString: database.adminUrl, max: 1 });
  onTestFinished(() => admins.end());
  const admin = runOn(admins);
  const state = async (): Promise<unknown> =>
    (
      await admin(`SELECT (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_depend),
        (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg_temp%'),
        (SELECT count(*) FROM pg_shdepend WHERE dbid = d.oid),
        (SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid() AND database = d.oid)
        FROM pg_database d WHERE datname = current_database()`)
    ).rows;
  const run = runOn(pool);
  const registry = await readRegistry(run, 'sluice');
  await admin(`SELECT pg_create_logical_replication_slot('analysis_test', 'pgoutput')`);
  const before = await state();
  expect(await ask('SELECT * FROM dearest')).toMatchObject({ kind: 'analysed' });
  expect(await ask('SELECT missing FROM item')).toMatchObject({ kind: 'unavailable' });
  const { rows } = await admin(`SELECT * FROM pg_logical_slot_get_binary_changes('analysis_test', NULL, NULL,
    'proto_version', '1', 'publication_names', 'sluice', 'messages', 'true')`);
  expect(rows).toEqual([]);
  expect(await state()).toEqual(before);
  const after = await readRegistry(run, 'sluice');
  expect([after.hash, after.globalHash, after.rightsHash]).toEqual([
    registry.hash,
    registry.globalHash,
    registry.rightsHash,
  ]);
  await admin(`SELECT pg_drop_replication_slot('analysis_test')`);
});

test('the text is one statement whatever it holds, and nothing of it runs', async () => {
  const evil =
    'SELECT 1; END; DELETE FROM item; CREATE FUNCTION pg_temp.other() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1';
  expect(await ask(evil)).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('42601') });
  expect(await ask('SELECT 1; DELETE FROM item')).toMatchObject({ kind: 'unavailable' });
  expect(await ask('SELECT pg_sleep(60)')).toMatchObject({ kind: 'analysed' });
  expect(await ask('SELECT id FROM item -- trailing')).toMatchObject({ kind: 'analysed' });
});

test('a reason in words for each thing that is in the way, and a connection that is as good as before', async () => {
  expect(await ask('SELECT 1', { bytesMax: 100 })).toEqual({
    kind: 'unavailable',
    reason: 'its tree is larger than bytesMax (100)',
    transient: false,
  });
  expect(await ask('SELECT * FROM dearest', { bytesMax: 4_000 })).toMatchObject({
    reason: 'the trees of its views are larger than bytesMax',
  });
  const locker = new pg.Client({ connectionString: database.adminUrl });
  await locker.connect();
  await locker.query('BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE');
  expect(await ask('SELECT * FROM item', { timeoutMs: 50 })).toMatchObject({ transient: true });
  await locker.end();
  await database.sql(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC, ${SERVICE_ROLE}`);
  expect(await ask('SELECT 1')).toMatchObject({
    reason: expect.stringContaining('GRANT TEMPORARY'),
    transient: false,
  });
  await database.sql(`GRANT TEMPORARY ON DATABASE ${database.name} TO PUBLIC`);
  expect(await ask('SELECT 1')).toMatchObject({ kind: 'analysed' });
});

test('an event trigger that objects is a reason too', async () => {
  await database.sql(`CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
    CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION no_ddl()`);
  expect(await ask('SELECT 1')).toMatchObject({
    reason: expect.stringContaining('an event trigger'),
    transient: false,
  });
  await database.sql('DROP EVENT TRIGGER no_ddl; DROP FUNCTION no_ddl()');
});

test('a server that is gone is a reason that may pass', async () => {
  const gone = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', max: 1 });
  expect(await analyse(gone, { sql: 'SELECT 1', paramTypes: [], schemas: [] })).toEqual({
    kind: 'unavailable',
    reason: 'Postgres could not be reached',
    transient: true,
  });
  await gone.end();
});

test('a standby says that it is one', async () => {
  const primary = await startTestPostgres();
  try {
    const there = await createTestDatabase(primary, 'CREATE TABLE item (id int PRIMARY KEY)');
    const standby = await startStandby(primary, { database: there.name });
    const reader = new pg.Pool({ connectionString: standby.url(there.name, SERVICE_ROLE), max: 1 });
    try {
      expect(
        await analyse(reader, { sql: 'SELECT * FROM item', paramTypes: [], schemas: ['public'] }),
      ).toEqual({
        kind: 'unavailable',
        reason: 'the server is a standby, or takes no writes',
        transient: false,
      });
    } finally {
      await reader.end();
      await standby.destroy();
    }
  } finally {
    await primary.destroy();
  }
});
