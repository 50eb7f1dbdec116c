import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../source/source.js';
import { runOn } from '../source/run-on.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { readRegistry } from './read-registry.js';
import type { Registry, Table } from './registry.js';

const SETUP = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE issue (
  id int PRIMARY KEY, title text NOT NULL COLLATE "C", mood mood, tags text[], mail email,
  twice int GENERATED ALWAYS AS (id * 2) STORED, slug varchar(20) NOT NULL UNIQUE, note text UNIQUE);
CREATE TABLE part (id int, day date, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE part_a PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE part_b PARTITION OF part FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (extra int) INHERITS (parent);
CREATE UNLOGGED TABLE scratch (id int);
CREATE TABLE full_id (a int, b int); ALTER TABLE full_id REPLICA IDENTITY FULL;
CREATE TABLE by_index (a int NOT NULL, b int NOT NULL UNIQUE, c int);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b_key;
CREATE TABLE secret (id int PRIMARY KEY); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE VIEW sad AS SELECT * FROM issue WHERE mood = 'sad';
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM issue;`;

let database: TestDatabase;
let pool: pg.Pool;
let run: Run;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  run = runOn(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function major(): Promise<number> {
  return Math.trunc(Number((await run('SHOW server_version_num')).rows[0]?.[0]) / 10_000);
}

function table(registry: Registry, name: string): Table {
  const found = [...registry.tables.values()].find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no table ${name}`);
  return found;
}

test('tables, columns, keys, identities and what replicates', async () => {
  const registry = await readRegistry(run, 'sluice');
  const issue = table(registry, 'issue');
  expect(issue).toMatchObject({
    schema: 'public',
    kind: 'table',
    primaryKey: ['id'],
    uniqueKeys: [['id'], ['slug']],
    replicaIdentity: 'default',
    identityColumns: ['id'],
    published: true,
  });
  expect(issue.columns.find((column) => column.name === 'title')).toMatchObject({
    notNull: true,
    collationIsC: true,
    collationIsDeterministic: true,
    generated: 'no',
  });
  expect(issue.columns.find((column) => column.name === 'twice')?.generated).toBe('stored');
  expect(table(registry, 'scratch')).toMatchObject({ persistence: 'unlogged', published: false });
  expect(table(registry, 'full_id').identityColumns).toEqual(['a', 'b']);
  expect(table(registry, 'by_index')).toMatchObject({ replicaIdentity: 'index', identityColumns: ['b'] });
  expect(table(registry, 'parent').inheritedBy).toEqual([table(registry, 'child').oid]);
  expect(table(registry, 'secret').rowSecurity).toBe(true);
  expect(table(registry, 'sad')).toMatchObject({ kind: 'view', published: false });
  expect(table(registry, 'counted').kind).toBe('materialized view');
});

test('types: enums in their order, domains on their base, arrays on their elements', async () => {
  const { types, tables } = await readRegistry(run, 'sluice');
  const columns = new Map(
    [...tables.values()].find((t) => t.name === 'issue')?.columns.map((c) => [c.name, c]),
  );
  const type = (name: string) => types.get(columns.get(name)?.typeOid ?? 0);
  expect(type('mood')).toMatchObject({ kind: 'enum', labels: ['sad', 'ok', 'happy'] });
  expect(type('mail')).toMatchObject({ kind: 'domain', baseOid: 25 });
  expect(type('tags')).toMatchObject({ kind: 'array', elementOid: 25 });
});

test('a partitioned table is published when all of its leaves are', async () => {
  const before = await readRegistry(run, 'sluice');
  expect(table(before, 'part')).toMatchObject({ kind: 'partitioned', published: true });
  expect(table(before, 'part_a').partitionOf).toBe(table(before, 'part').oid);
  await database.sql('CREATE PUBLICATION leaf FOR TABLE part_a');
  const partial = await readRegistry(run, 'leaf');
  expect(table(partial, 'part').published).toBe(false);
  expect(table(partial, 'part_a').published).toBe(true);
  const schemas = (await major()) >= 15 ? ['TABLES IN SCHEMA public'] : [];
  for (const target of ['ALL TABLES', 'TABLE part', ...schemas]) {
    await database.sql(`DROP PUBLICATION leaf; CREATE PUBLICATION leaf FOR ${target}`);
    expect(table(await readRegistry(run, 'leaf'), 'part').published).toBe(true);
  }
});

test('what is published is read at the snapshot, like the rest', async () => {
  await run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await run('SELECT count(*) FROM pg_class');
    await database.sql('ALTER TABLE part DETACH PARTITION part_b');
    const before = await readRegistry(run, 'sluice');
    expect(table(before, 'part_b')).toMatchObject({
      partitionOf: table(before, 'part').oid,
      published: true,
    });
    expect(table(before, 'part').published).toBe(true);
  } finally {
    await run('COMMIT');
    await database.sql(
      `ALTER TABLE part ATTACH PARTITION part_b FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')`,
    );
  }
});

test('nothing that is locked is waited for: neither tables, nor the views and functions that name them', async () => {
  await database.sql(
    `CREATE TABLE locked (id int); CREATE VIEW through AS SELECT id FROM locked;
     CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM locked; END`,
  );
  const locker = new pg.Client({ connectionString: database.adminUrl });
  await locker.connect();
  try {
    await locker.query('BEGIN; LOCK TABLE locked, through IN ACCESS EXCLUSIVE MODE');
    await run('SET lock_timeout = 1');
    const read = readRegistry(run, 'sluice').then((registry) => table(registry, 'through').definitionHash);
    await expect(read).resolves.toMatch(/^[0-9a-f]{32}$/);
  } finally {
    await run('RESET lock_timeout');
    await locker.end();
    await database.sql('DROP FUNCTION counts; DROP VIEW through; DROP TABLE locked');
  }
});

test('statistics do not change a hash; columns, enum labels and grants do, each its own', async () => {
  const before = await readRegistry(run, 'sluice');
  await database.sql(`INSERT INTO issue (id, title, slug) VALUES (1, 'a', 's'); ANALYZE issue`);
  expect((await readRegistry(run, 'sluice')).hash).toBe(before.hash);
  await database.sql(`ALTER TYPE mood ADD VALUE 'elated'`);
  const labelled = await readRegistry(run, 'sluice');
  expect(table(labelled, 'issue').hash).not.toBe(table(before, 'issue').hash);
  expect(table(labelled, 'part').hash).toBe(table(before, 'part').hash);
  await database.sql('GRANT SELECT (id) ON secret TO PUBLIC');
  const granted = await readRegistry(run, 'sluice');
  expect(granted.hash).toBe(labelled.hash);
  expect(table(granted, 'secret').accessHash).not.toBe(table(labelled, 'secret').accessHash);
  await database.sql('CREATE OR REPLACE VIEW sad AS SELECT * FROM issue WHERE mood = $$ok$$');
  expect(table(await readRegistry(run, 'sluice'), 'sad').hash).not.toBe(table(labelled, 'sad').hash);
  await database.sql('CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1');
  expect((await readRegistry(run, 'sluice')).globalHash).not.toBe(granted.globalHash);
});

test.each([
  ['publication_missing', ''],
  ['publication_filtered', 'CREATE PUBLICATION bad FOR TABLE issue WHERE (id > 5)'],
  ['publication_filtered', 'CREATE PUBLICATION bad FOR TABLE issue (id, slug)'],
  ['publication_partial', `CREATE PUBLICATION bad FOR TABLE issue WITH (publish = 'insert, update')`],
  ['publication_via_root', 'CREATE PUBLICATION bad FOR TABLE part WITH (publish_via_partition_root)'],
])('refuses a publication that would hide changes: %s', async (code, sql) => {
  // Row filters and column lists came with Postgres 15.
  if (code === 'publication_filtered' && (await major()) < 15) return;
  await database.sql(`DROP PUBLICATION IF EXISTS bad; ${sql}`);
  await expect(readRegistry(run, 'bad')).rejects.toMatchObject({ code });
});
