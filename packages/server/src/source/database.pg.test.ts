import { createServer } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { until } from '../testing/deadline.js';
import { startTestPostgres, withClient } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { makeTestSource } from '../testing/source.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import type { ConnectionConfig } from './connection-config.js';
import { Database } from './database.js';
import type { PostgresSourceOptions } from './source-options.js';

const open: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

function connect(connection: string | ConnectionConfig, options = {}): Database {
  const database = new Database({ connection, ...options });
  open.push({ stop: () => database.end() });
  return database;
}

async function failure(work: Promise<unknown>): Promise<Record<string, unknown>> {
  return work.then(
    () => ({}),
    (error: unknown) => error as Record<string, unknown>,
  );
}

async function shared(
  setup = 'CREATE TABLE a (id int PRIMARY KEY)',
): Promise<{ url: string; adminUrl: string }> {
  const db = await sharedDatabase(setup);
  open.push({ stop: () => db.drop() });
  return db;
}

test('every value is the text that Postgres printed, NULL is null, and fields say their types', async () => {
  const { url } = await shared();
  const result = await connect(url).query(
    `SELECT 1::int8 AS n, true AS b, NULL AS z, '{1,2}'::int[] AS l, $1::varchar(9) AS p`,
    ['x'],
  );
  expect(result).toEqual({
    fields: [
      { name: 'n', typeOid: 20, typeModifier: -1 },
      { name: 'b', typeOid: 16, typeModifier: -1 },
      { name: 'z', typeOid: 25, typeModifier: -1 },
      { name: 'l', typeOid: 1007, typeModifier: -1 },
      { name: 'p', typeOid: 1043, typeModifier: 13 },
    ],
    rows: [['1', 't', null, '{1,2}', 'x']],
  });
});

test('a transaction commits when its work resolves and leaves nothing when it throws', async () => {
  const { adminUrl } = await shared();
  const database = connect(adminUrl, { poolMax: 1 });
  await database.transaction({}, (run) => run('INSERT INTO a VALUES (1)'));
  const ours = new Error('ours');
  const thrown = await failure(
    database.transaction({}, async (run) => {
      await run('INSERT INTO a VALUES (2)');
      throw ours;
    }),
  );
  expect(thrown).toBe(ours);
  expect(
    await failure(database.transaction({ readOnly: true }, (run) => run('DELETE FROM a'))),
  ).toMatchObject({
    code: 'database_is_standby',
  });
  expect((await database.query('SELECT id FROM a')).rows).toEqual([['1']]);
  expect(database.connections).toEqual({ open: 1, idle: 1, waiting: 0 });
});

test('one statement at a time: a second one behind a semicolon is refused', async () => {
  const { url } = await shared();
  expect(await failure(connect(url).query('SELECT 1; SELECT 2'))).toMatchObject({ sqlState: '42601' });
});

test('the pool is bounded: who waits too long is told', async () => {
  const { url } = await shared();
  const database = connect(url, { poolMax: 2, poolWaitMs: 400 });
  const held: pg.PoolClient[] = [];
  for (let turn = 0; turn < 2; turn++)
    await until(async () => {
      const client = await database.connect().catch(() => null); // a busy machine may be late to connect
      if (client !== null) held.push(client);
      return client !== null;
    });
  expect(await failure(database.query('SELECT 1'))).toMatchObject({
    code: 'database_pool_busy',
    retry: true,
  });
  for (const client of held) client.release();
  expect((await database.query('SELECT 1')).rows).toEqual([['1']]);
});

test('a connection that stops answering counts as dead, and its place is free again', async () => {
  const { url } = await shared();
  const port = Number(new URL(url).port);
  const proxy = await TcpProxy.start(port);
  open.push({ stop: () => proxy.close() });
  const database = connect(url.replace(`:${port}/`, `:${proxy.port}/`), { poolMax: 1, answerTimeoutMs: 500 });
  // A busy machine may take as long to answer, too.
  const answers = (): Promise<boolean> =>
    database.query('SELECT 2').then(
      () => true,
      () => false,
    );
  await until(answers);
  proxy.pause();
  expect(await failure(database.query('SELECT 1'))).toMatchObject({
    code: 'database_disconnected',
    retry: true,
  });
  await until(answers);
});

test('a session that is terminated in the middle: told, and the next one works', async () => {
  const { url } = await shared();
  const database = connect(url, { poolMax: 1 });
  expect(await failure(database.query('SELECT pg_terminate_backend(pg_backend_pid())'))).toMatchObject({
    code: 'database_disconnected',
  });
  expect((await database.query('SELECT 1')).rows).toEqual([['1']]);
});

const SECRET = 'hunter2-secret';

test('each way in which a connection fails has its code, and no error holds the URL or the password', async () => {
  const { url } = await shared();
  const { port } = new URL(url);
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  const closedPort = typeof address === 'object' && address ? address.port : 0;
  await new Promise<void>((resolve) => closed.close(() => resolve()));
  const silent = createServer((socket) => open.push({ stop: () => Promise.resolve(socket.destroy()) }));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  open.push({ stop: () => new Promise<void>((resolve) => silent.close(() => resolve())) });
  const silentAddress = silent.address();
  const silentPort = typeof silentAddress === 'object' && silentAddress ? silentAddress.port : 0;
  const cases: [string, string | ConnectionConfig][] = [
    ['database_unreachable', `postgres://u:${SECRET}@127.0.0.1:${closedPort}/x`],
    [
      'database_unreachable',
      { url: `postgres://u:${SECRET}@127.0.0.1:${silentPort}/x`, connectTimeoutMs: 200 },
    ],
    ['database_unreachable', `postgres://u:${SECRET}@no-such-host.invalid/x`],
    ['database_unknown', `postgres://postgres:${SECRET}@127.0.0.1:${port}/no_such_database`],
    ['database_auth_failed', `postgres://no_such_role:${SECRET}@127.0.0.1:${port}/postgres`],
    ['database_tls_failed', { url: `postgres://postgres:${SECRET}@127.0.0.1:${port}/postgres`, ssl: true }],
  ];
  for (const [code, connection] of cases) {
    const error = await failure(connect(connection).query('SELECT 1'));
    expect(error, JSON.stringify(connection)).toMatchObject({ code });
    expect(JSON.stringify([error, String(error['stack']), error['cause']])).not.toContain(SECRET);
  }
  for (const bad of ['not a url', `mysql://u:${SECRET}@h/d`, `postgres://u:${SECRET}@h:port/d`]) {
    const error = await failure(Promise.resolve().then(() => new Database({ connection: bad })));
    expect(error, bad).toMatchObject({ code: 'database_url_invalid' });
    expect(String(error['stack'])).not.toContain(SECRET);
  }
});

test('passwords: a wrong one, a right one, and a function that is asked at every connection (IAM)', async () => {
  const server = await startTestPostgres();
  open.push({ stop: () => server.destroy() });
  await withClient(server.url(), (client) => client.query(`ALTER ROLE sluice_service PASSWORD '${SECRET}'`));
  const file = join(server.dataDir, 'pg_hba.conf');
  const trust = await readFile(file, 'utf8');
  await writeFile(
    file,
    `host all sluice_service all scram-sha-256\nhost replication all all scram-sha-256\n${trust}`,
  );
  await withClient(server.url(), (client) => client.query('SELECT pg_reload_conf()'));
  const url = server.url('postgres', 'sluice_service');
  const wrong = await failure(connect({ url, password: 'wrong' }).query('SELECT 1'));
  expect(wrong).toMatchObject({ code: 'database_auth_failed' });
  let asked = 0;
  const password = async (): Promise<string> => {
    asked++;
    return Promise.resolve(SECRET);
  };
  const database = connect({ url, password }, { poolMax: 2 });
  await Promise.all([database.query('SELECT pg_sleep(0.1)'), database.query('SELECT pg_sleep(0.1)')]);
  expect(asked).toBe(2);
  await withClient(server.url(), (client) => client.query('CREATE PUBLICATION sluice FOR ALL TABLES'));
  const made = makeTestSource({ url }, { database, replication: { url, password } });
  open.push(made);
  await made.source.start(made.listener);
  expect(asked).toBeGreaterThan(2);
  const failing = connect({ url, password: () => Promise.reject(new Error(`token service: ${SECRET}`)) });
  const error = await failure(failing.query('SELECT 1'));
  expect(error).toMatchObject({ code: 'database_password_failed' });
  expect(JSON.stringify(error)).not.toContain(SECRET);
});

test('each thing that keeps a source from starting has its code and its remedy', async () => {
  const { url, adminUrl } = await shared();
  const admin = connect(adminUrl);
  const start = async (options: Partial<PostgresSourceOptions>, from = url): Promise<unknown> => {
    const made = makeTestSource({ url: from }, options);
    open.push(made);
    return failure(made.source.start(made.listener));
  };
  expect(await start({ publication: 'none' })).toMatchObject({ code: 'publication_missing', detail: 'none' });
  await admin.query(`CREATE PUBLICATION partial FOR TABLE a WITH (publish = 'insert')`);
  expect(await start({ publication: 'partial' })).toMatchObject({ code: 'publication_partial' });
  const version = Number((await admin.query(`SELECT current_setting('server_version_num')`)).rows[0]?.[0]);
  if (version >= 150_000) {
    await admin.query('CREATE PUBLICATION filtered FOR TABLE a WHERE (id > 0)');
    expect(await start({ publication: 'filtered' })).toMatchObject({ code: 'publication_partial' });
  }
  await admin.query(`CREATE ROLE plain_${process.pid} LOGIN`);
  open.push({ stop: () => admin.query(`DROP ROLE plain_${process.pid}`) });
  expect(await start({ replication: url.replace('sluice_service', `plain_${process.pid}`) })).toMatchObject({
    code: 'replication_not_allowed',
  });
  const other = await sharedDatabase('CREATE TABLE a (id int PRIMARY KEY)');
  open.push({ stop: () => other.drop() });
  expect(await start({ replication: other.url })).toMatchObject({ code: 'servers_differ' });
  await admin
    .query(`SELECT pg_create_logical_replication_slot('foreign_${process.pid}', 'test_decoding')`)
    .catch(
      () => undefined, // not every build has the plugin
    );
  const slots = await admin.query(
    'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
  );
  expect(slots.rows.every(([name]) => name?.startsWith('foreign'))).toBe(true);
  await admin.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
  );
});

test('a server without logical WAL, and one without a free slot', async () => {
  for (const [settings, code] of [
    [{ wal_level: 'replica' }, 'wal_level_not_logical'],
    [{ max_replication_slots: '0' }, 'replication_slots_full'],
    [{ max_wal_senders: '0' }, 'replication_slots_full'],
  ] as const) {
    const server = await startTestPostgres({ settings });
    open.push({ stop: () => server.destroy() });
    await withClient(server.url(), (client) => client.query('CREATE PUBLICATION sluice FOR ALL TABLES'));
    const made = makeTestSource({ url: server.url('postgres', 'sluice_service') });
    open.push(made);
    expect(await failure(made.source.start(made.listener))).toMatchObject({ code });
  }
});
