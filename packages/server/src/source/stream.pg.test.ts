// What the stream brings from a real Postgres: FAILURE-MODES' lines on identities, TOAST, truncates, partitions,
// generated columns, subtransactions, two-phase commits, large transactions, DDL and odd values.
import { afterEach, expect, test } from 'vitest';
import { withClient, type TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { describeChange, startTestSource, values, type TestSource } from '../testing/source.js';
import type { Transaction } from './transaction.js';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

type Begun = TestSource & { readonly db: TestDatabase; changes(): Promise<unknown[]> };

async function begin(setup: string, options = {}): Promise<Begun> {
  const db = await sharedDatabase(setup);
  open.push({ stop: () => db.drop() });
  const made = await startTestSource(db, options);
  open.push(made);
  const fetch = await made.source.fetch({ tables: [] }, () => Promise.resolve(null));
  fetch.end(); // a transaction that a test holds open must not be one from before the slot
  return { ...made, db, changes: () => changesSoFar(made, db) };
}

/** All changes up to now, told as data; a logical message marks the end. */
async function changesSoFar({ listener }: TestSource, db: TestDatabase): Promise<unknown[]> {
  return (await transactionsSoFar(listener.transactions, listener.until.bind(listener), db)).flatMap(
    (transaction) => transaction.changes.map(describeChange),
  );
}

async function transactionsSoFar(
  transactions: readonly Transaction[],
  until: (done: () => boolean) => Promise<void>,
  db: TestDatabase,
): Promise<readonly Transaction[]> {
  const end = `end-${Math.random()}`;
  await db.sql(`SELECT pg_logical_emit_message(true, $1, '')`, [end]);
  const isEnd = (transaction: Transaction): boolean =>
    transaction.messages.some(({ prefix }) => prefix === end);
  await until(() => transactions.some(isEnd));
  return transactions.filter((transaction) => !isEnd(transaction));
}

test('replica identity DEFAULT: the key, and the old one only when it changed', async () => {
  const { db, changes } = await begin('CREATE TABLE a (k int PRIMARY KEY, v text)');
  await db.sql(`INSERT INTO a VALUES (1, 'x')`);
  await db.sql(`UPDATE a SET v = 'y'`);
  await db.sql('UPDATE a SET k = 2');
  await db.sql('DELETE FROM a');
  expect(await changes()).toEqual([
    { insert: 'a', new: ['1', 'x'] },
    { update: 'a', identity: 'none', old: null, new: ['1', 'y'] },
    { update: 'a', identity: 'key', old: ['1', null], new: ['2', 'y'] },
    { delete: 'a', identity: 'key', old: ['2', null] },
  ]);
});

test('replica identity FULL: the whole old row, equal rows told apart by nothing', async () => {
  const { db, changes, listener } = await begin(
    'CREATE TABLE a (k int, v text); ALTER TABLE a REPLICA IDENTITY FULL',
  );
  await db.sql(`INSERT INTO a VALUES (1, 'x'), (1, 'x')`);
  await db.sql(`UPDATE a SET v = NULL WHERE ctid = '(0,1)'`);
  await db.sql(`DELETE FROM a WHERE v = 'x'`);
  expect(await changes()).toEqual([
    { insert: 'a', new: ['1', 'x'] },
    { insert: 'a', new: ['1', 'x'] },
    { update: 'a', identity: 'full', old: ['1', 'x'], new: ['1', null] },
    { delete: 'a', identity: 'full', old: ['1', 'x'] },
  ]);
  expect(listener.transactions[0]?.changes[0]?.relation).toMatchObject({
    replicaIdentity: 'full',
    columns: [{ identity: true }, { identity: true }],
  });
});

test('replica identity USING INDEX: the columns of the index', async () => {
  const { db, changes, listener } = await begin(
    `CREATE TABLE a (k int PRIMARY KEY, u text NOT NULL UNIQUE, v int);
     ALTER TABLE a REPLICA IDENTITY USING INDEX a_u_key`,
  );
  await db.sql(`INSERT INTO a VALUES (1, 'x', 5)`);
  await db.sql(`UPDATE a SET k = 9`);
  await db.sql(`UPDATE a SET u = 'z'`);
  await db.sql(`DELETE FROM a`);
  expect(await changes()).toEqual([
    { insert: 'a', new: ['1', 'x', '5'] },
    { update: 'a', identity: 'none', old: null, new: ['9', 'x', '5'] },
    { update: 'a', identity: 'key', old: [null, 'x', null], new: ['9', 'z', '5'] },
    { delete: 'a', identity: 'key', old: [null, 'z', null] },
  ]);
  expect(listener.transactions[0]?.changes[0]?.relation).toMatchObject({
    replicaIdentity: 'index',
    columns: [{ identity: false }, { identity: true }, { identity: false }],
  });
});

test('replica identity NOTHING, or none: inserts only; Postgres refuses the rest', async () => {
  const { db, changes } = await begin('CREATE TABLE other (k int PRIMARY KEY)');
  await db.sql(`CREATE TABLE a (k int PRIMARY KEY); ALTER TABLE a REPLICA IDENTITY NOTHING; CREATE TABLE b (v int);
    ALTER PUBLICATION sluice ADD TABLE a, b`);
  await db.sql('INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)');
  await expect(db.sql('UPDATE a SET k = 2')).rejects.toMatchObject({ code: '55000' });
  await expect(db.sql('DELETE FROM b')).rejects.toMatchObject({ code: '55000' });
  expect(await changes()).toEqual([
    { insert: 'a', new: ['1'] },
    { insert: 'b', new: ['2'] },
  ]);
});

test('the identity of a table can change while it streams', async () => {
  const { db, changes } = await begin('CREATE TABLE a (k int PRIMARY KEY, v text)');
  await db.sql(`INSERT INTO a VALUES (1, 'x')`);
  await db.sql('ALTER TABLE a REPLICA IDENTITY FULL');
  await db.sql(`UPDATE a SET v = 'y'`);
  expect((await changes()).at(-1)).toEqual({
    update: 'a',
    identity: 'full',
    old: ['1', 'x'],
    new: ['1', 'y'],
  });
});

test('an unchanged TOAST value is unknown, neither null nor empty; FULL has it in the old row', async () => {
  const { db, listener, changes } = await begin(
    `CREATE TABLE a (k int PRIMARY KEY, big text, n int); ALTER TABLE a ALTER big SET STORAGE EXTERNAL;
     CREATE TABLE f (LIKE a INCLUDING ALL); ALTER TABLE f REPLICA IDENTITY FULL`,
  );
  const big = 'ä'.repeat(60_000);
  for (const table of ['a', 'f']) {
    await db.sql(`INSERT INTO ${table} VALUES (1, $1, 0)`, [big]);
    await db.sql(`UPDATE ${table} SET n = 1`);
    await db.sql(`UPDATE ${table} SET k = 2`);
    await db.sql(`UPDATE ${table} SET big = NULL`);
    await db.sql(`UPDATE ${table} SET big = ''`);
  }
  await changes();
  const told = listener.transactions.flatMap((transaction) => transaction.changes.map(describeChange));
  expect(told.slice(0, 10)).toEqual([
    { insert: 'a', new: ['1', big, '0'] },
    { update: 'a', identity: 'none', old: null, new: ['1', undefined, '1'] },
    { update: 'a', identity: 'key', old: ['1', null, null], new: ['2', undefined, '1'] },
    { update: 'a', identity: 'none', old: null, new: ['2', null, '1'] },
    { update: 'a', identity: 'none', old: null, new: ['2', '', '1'] },
    { insert: 'f', new: ['1', big, '0'] },
    { update: 'f', identity: 'full', old: ['1', big, '0'], new: ['1', undefined, '1'] },
    { update: 'f', identity: 'full', old: ['1', big, '1'], new: ['2', undefined, '1'] },
    { update: 'f', identity: 'full', old: ['2', big, '1'], new: ['2', null, '1'] },
    { update: 'f', identity: 'full', old: ['2', null, '1'], new: ['2', '', '1'] },
  ]);
});

const ODD_VALUES = `
  ('NaN'::float8, '-0'::float4, 'NaN'::numeric, 1.00::numeric, 9007199254740993, 'infinity'::timestamptz,
   '0044-03-15 BC'::date, '1 year -2 days 03:04:05.000006'::interval, '{1,NULL,3}'::int[], '{}'::text[], '\\x00ff'::bytea,
   '{"a": 1e400, "a": 1.50}'::json, '{"a": 1e2}'::jsonb, 'x'::char(3), '', E'n\\tu\\\\', '[1,5)'::int4range,
   '2020-01-01 12:00:00.123456+05:30'::timestamptz, 'sluice'::regtype, 1e300, 0.1::float4, '(1,2)'::point)`;

test('every value is the text that a snapshot prints for it: odd numbers, dates, text, arrays, ranges', async () => {
  const made = await begin(
    `CREATE TYPE sluice AS ENUM ('a');
     CREATE TABLE odd (a float8, b float4, c numeric, d numeric, e int8, f timestamptz, g date, h interval, i int[],
       j text[], k bytea, l json, m jsonb, n char(3), o text, p text, q int4range, r timestamptz, s regtype, t float8,
       u float4, "__proto__" point);
     ALTER TABLE odd REPLICA IDENTITY FULL;
     DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle = ''German''', current_database());
       EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kolkata''', current_database());
       EXECUTE format('ALTER DATABASE %I SET extra_float_digits = 0', current_database());
       EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
       EXECUTE format('ALTER DATABASE %I SET intervalstyle = ''iso_8601''', current_database()); END $$`,
  );
  await made.db.sql(`INSERT INTO odd VALUES ${ODD_VALUES}`);
  await made.changes();
  const streamed = made.listener.transactions[0]?.changes[0];
  const fetch = await made.source.fetch({ tables: [] }, (run) => run('SELECT * FROM odd'));
  fetch.end();
  expect(streamed?.kind === 'insert' && values(streamed.new)).toEqual(fetch.result.rows[0]);
  expect(fetch.result.rows[0]).toContain('2020-01-01 06:30:00.123456+00');
});

test('a table of 1,600 columns, and a row of several megabytes', async () => {
  const columns = Array.from({ length: 1599 }, (_, index) => `c${index} int`);
  const { db, listener, changes } = await begin(
    `CREATE TABLE wide (id int PRIMARY KEY, ${columns.join(', ')}); CREATE TABLE long (id int PRIMARY KEY, t text)`,
  );
  await db.sql('INSERT INTO wide (id, c0, c1598) VALUES (1, 5, 7)');
  await db.sql(`INSERT INTO long SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 200000) i`);
  await changes();
  const [wide, long] = listener.transactions.map((transaction) => transaction.changes[0]);
  const row = wide?.kind === 'insert' ? (values(wide.new) ?? []) : [];
  expect([row.length, row[0], row[1], row[2], row[1599]]).toEqual([1600, '1', '5', null, '7']);
  const { rows } = await db.sql('SELECT t FROM long');
  expect(long?.kind === 'insert' && long.new.text(1)).toBe((rows[0] as { t: string }).t);
});

test('TRUNCATE: each published table, the cascaded ones too', async () => {
  const { db, changes } = await begin(
    `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); CREATE TABLE c (id int PRIMARY KEY)`,
  );
  await db.sql('TRUNCATE a, c RESTART IDENTITY CASCADE');
  expect(await changes()).toEqual(
    expect.arrayContaining([{ truncate: 'a' }, { truncate: 'b' }, { truncate: 'c' }]),
  );
});

test('C20: leaves speak for themselves; a row that moves is a delete and an insert; one leaf can be truncated', async () => {
  const { db, changes } = await begin(
    `CREATE TABLE p (id int, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
     CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b')`,
  );
  await db.sql(`INSERT INTO p VALUES (1, 'a')`);
  await db.sql(`UPDATE p SET k = 'b'`);
  await db.sql(`TRUNCATE p_b`);
  await db.sql(`TRUNCATE p`);
  expect(await changes()).toEqual([
    { insert: 'p_a', new: ['1', 'a'] },
    { delete: 'p_a', identity: 'key', old: ['1', 'a'] },
    { insert: 'p_b', new: ['1', 'b'] },
    { truncate: 'p_b' },
    { truncate: 'p_a' },
    { truncate: 'p_b' },
  ]);
});

test('stored generated columns are not sent: the relation lists what its tuples hold', async () => {
  const { db, listener, changes } = await begin(
    'CREATE TABLE a (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 2) STORED, t text)',
  );
  await db.sql(`INSERT INTO a VALUES (1, DEFAULT, 'x')`);
  expect(await changes()).toEqual([{ insert: 'a', new: ['1', 'x'] }]);
  const columns = listener.transactions[0]?.changes[0]?.relation.columns.map(({ name }) => name);
  expect(columns).toEqual(['id', 't']);
});

test('subtransactions: what was rolled back to a savepoint never comes, the rest under the top-level xid', async () => {
  const { db, listener, source, changes } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  await withClient(db.adminUrl, async (client) => {
    await client.query(
      'BEGIN; SAVEPOINT s; INSERT INTO a VALUES (1); ROLLBACK TO s; INSERT INTO a VALUES (2)',
    );
    await client.query('SAVEPOINT t; INSERT INTO a VALUES (3); RELEASE t');
    const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    const fetch = await source.fetch({ tables: [] }, () => Promise.resolve(null));
    await client.query('COMMIT');
    await client.query('BEGIN; INSERT INTO a VALUES (4); ROLLBACK');
    expect(await changes()).toEqual([
      { insert: 'a', new: ['2'] },
      { insert: 'a', new: ['3'] },
    ]);
    expect(String(listener.transactions[0]?.xid)).toBe(rows[0]?.xid);
    // Both rows are of subtransactions or of the top; C5 asks for the top-level xid alone.
    expect(fetch.unseen().map(({ xid }) => String(xid))).toContain(rows[0]?.xid);
    fetch.end();
  });
});

test('DDL: new columns, types and names are described again; the rewrite itself sends no row', async () => {
  const { db, listener, changes } = await begin('CREATE TABLE a (id int PRIMARY KEY, v int)');
  await db.sql('INSERT INTO a VALUES (1, 1)');
  await db.sql(`ALTER TABLE a ADD COLUMN w text DEFAULT 'd', ALTER COLUMN v TYPE text USING v::text || '!'`);
  await db.sql('ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME COLUMN w TO z');
  await db.sql(`INSERT INTO b VALUES (2, 'v', 'w')`);
  await db.sql('ALTER TABLE b DROP COLUMN v');
  await db.sql(`INSERT INTO b VALUES (3, 'w')`);
  expect(await changes()).toEqual([
    { insert: 'a', new: ['1', '1'] },
    { insert: 'b', new: ['2', 'v', 'w'] },
    { insert: 'b', new: ['3', 'w'] },
  ]);
  const relations = listener.transactions
    .flatMap((transaction) => transaction.changes)
    .map(({ relation }) => relation.columns.map((column) => `${column.name} ${column.typeOid}`));
  expect(relations).toEqual([
    ['id 23', 'v 23'],
    ['id 23', 'v 25', 'z 25'],
    ['id 23', 'z 25'],
  ]);
});

test('logical messages: transactional ones come with their commit, others and rolled back ones never', async () => {
  const { db, listener, changes } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  await db.sql(
    `BEGIN; SELECT pg_logical_emit_message(true, 'sluice.token', 'abc'); INSERT INTO a VALUES (1); COMMIT`,
  );
  await db.sql(`SELECT pg_logical_emit_message(false, 'sluice.token', 'loose')`);
  await db.sql(`BEGIN; SELECT pg_logical_emit_message(true, 'sluice.token', 'undone'); ROLLBACK`);
  await db.sql(`SELECT pg_logical_emit_message(true, 'sluice.ddl', '{"tables":[1]}')`);
  await changes();
  const messages = listener.transactions
    .flatMap((transaction) => transaction.messages)
    .map(({ prefix, content }) => [prefix, Buffer.from(content).toString()])
    .filter(([prefix]) => prefix?.startsWith('sluice.'));
  expect(messages).toEqual([
    ['sluice.token', 'abc'],
    ['sluice.ddl', '{"tables":[1]}'],
  ]);
});

test('a table joins and leaves the publication from the next transaction on', async () => {
  const { db, changes } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  await db.sql('CREATE TABLE b (id int PRIMARY KEY)');
  await db.sql('INSERT INTO b VALUES (1)');
  await db.sql('ALTER PUBLICATION sluice ADD TABLE b');
  await db.sql('INSERT INTO b VALUES (2)');
  await db.sql('ALTER PUBLICATION sluice DROP TABLE b');
  await db.sql('INSERT INTO b VALUES (3)');
  expect(await changes()).toEqual([{ insert: 'b', new: ['2'] }]);
});

test('sequences, unlogged and temporary tables, large objects: not in the stream', async () => {
  const { db, changes } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  await db.sql(
    'CREATE SEQUENCE s; CREATE UNLOGGED TABLE u (id int); CREATE MATERIALIZED VIEW m AS SELECT * FROM a',
  );
  await db.sql(
    `SELECT nextval('s'); INSERT INTO u VALUES (1); SELECT lo_create(0); REFRESH MATERIALIZED VIEW m`,
  );
  await withClient(db.adminUrl, (client) =>
    client.query('CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1)'),
  );
  expect(await changes()).toEqual([]);
});

test('a transaction beyond its bound: the largest tables become markers, the small ones keep their changes', async () => {
  const { db, listener, changes } = await begin(
    'CREATE TABLE big (id int PRIMARY KEY, t text); CREATE TABLE small (id int PRIMARY KEY)',
    { transactionBytesMax: 1_000_000 },
  );
  await db.sql(`BEGIN; INSERT INTO small VALUES (1); INSERT INTO big SELECT i, repeat('x', 200) FROM generate_series(1, 50000) i;
    INSERT INTO small VALUES (2); COMMIT`);
  await changes();
  const [transaction] = listener.transactions;
  expect(transaction?.changes.map(describeChange)).toEqual([
    { insert: 'small', new: ['1'] },
    { insert: 'small', new: ['2'] },
  ]);
  expect([...(transaction?.bulk.values() ?? [])].map(({ name }) => name)).toEqual(['big']);
  expect(transaction?.bytes).toBeLessThan(1_000_000);
});

test('50 concurrent writers: every commit once, in rising order', async () => {
  const { db, listener, changes } = await begin('CREATE TABLE a (id serial PRIMARY KEY, w int)');
  await Promise.all(
    Array.from({ length: 50 }, async (_, writer) => {
      for (let turn = 0; turn < 10; turn++) await db.sql('INSERT INTO a (w) VALUES ($1)', [writer]);
    }),
  );
  expect(await changes()).toHaveLength(500);
  expect(listener.violations).toEqual([]);
});
