// A result that is larger than a view may be is refused for what it is, not read whole first: Postgres stops at the
// bound, and what crosses to us is of the bound's size whatever the table's.
import { createClient, type Client } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { TcpProxy } from '@sluice/server/testing/tcp-proxy';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROWS = 300_000;
const LIMITS = { rowsPerViewMax: 1000, rowsHeldPerViewMax: 2000, bytesPerViewMax: '64kB' };

let database: TestDatabase;
let proxy: TcpProxy;
let sluice: Sluice;
let client: Client;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE kind (id int PRIMARY KEY, name text);
    CREATE TABLE item (id int PRIMARY KEY, kind int, title text);
    CREATE INDEX ON item (kind);
    CREATE TABLE few (id int PRIMARY KEY, title text);
    INSERT INTO kind SELECT n, 'kind ' || n FROM generate_series(1, 3) n;
    INSERT INTO item SELECT n, n % 3 + 1, 'item ' || n FROM generate_series(1, ${ROWS}) n;
    INSERT INTO few SELECT n, 'few ' || n FROM generate_series(1, 1001) n;
    ANALYZE;`);
  const { hostname, port, username, pathname } = new URL(database.url);
  expect(hostname).toBe('127.0.0.1');
  proxy = await TcpProxy.start(Number(port));
  sluice = createSluice({
    database: `postgres://${username}@127.0.0.1:${proxy.port}${pathname}`,
    replication: database.url,
    allowSql: true,
    port: 0,
    logLevel: 'silent',
    limits: LIMITS,
  });
  ({ client } = createClient({ url: await sluice.listen(), values: 'text' }));
});
afterAll(async () => {
  client.close();
  await sluice.stop();
  await proxy.close();
  await database.drop();
});

type Live = ReturnType<Client['live']>;

async function refused(view: Live): Promise<void> {
  await expect.poll(() => view.status).toBe('error');
  expect(view.error?.code).toBe('result_too_large');
  view.close();
}

const RERUN = `SELECT id, title FROM item WHERE title ~ '' AND id > $1`;

test.each([
  ['a query that is run again', RERUN, 'rerun', ROWS, 0],
  ['one table', 'SELECT id, title FROM item WHERE id > $1', 'incremental', ROWS, 0],
  [
    'a join',
    'SELECT i.id, k.name FROM item i JOIN kind k ON k.id = i.kind WHERE k.id = $1',
    'incremental',
    9,
    1,
  ],
] as const)('no more rows cross than show that there are too many: %s', async (_, sql, gear, none, many) => {
  // What the planner looks up of it is not what is counted here.
  const small = client.live({ sql, params: [none] });
  await expect.poll(() => [small.status, small.gear]).toEqual(['current', gear]);
  const before = proxy.bytesToClient;
  await refused(client.live({ sql, params: [many] }));
  // 2,000 rows of some 30 bytes, read at most twice; all of them would be beyond 7 MB.
  expect(proxy.bytesToClient - before).toBeLessThan(400_000);
  expect(small.status).toBe('current');
  small.close();
});

test('what would take hours as a whole is refused at once', async () => {
  await refused(client.live({ sql: `SELECT a.id FROM item a, item b WHERE a.title ~ ''`, params: [] }));
});

test('in a batch each stops at its own bound, and the others have their answers', async () => {
  const before = proxy.bytesToClient;
  const views = [0, 10, ROWS - 2, 20, ROWS - 1].map((from) => client.live({ sql: RERUN, params: [from] }));
  const [one, two, three, four, five] = views;
  await expect.poll(() => [three?.status, five?.status]).toEqual(['current', 'current']);
  expect(three?.rows).toHaveLength(2);
  expect(five?.rows).toEqual([{ id: String(ROWS), title: `item ${ROWS}` }]);
  for (const view of [one, two, four]) if (view) await refused(view);
  expect(proxy.bytesToClient - before).toBeLessThan(800_000);
  for (const view of [three, five]) view?.close();
});

test('as many as it may hold is an answer, one more is none, and none too many is an answer again', async () => {
  const view = client.live({ sql: `SELECT id FROM few WHERE title ~ '' ORDER BY id DESC`, params: [] });
  await expect.poll(() => view.error?.code).toBe('result_too_large');
  await database.sql('DELETE FROM few WHERE id = 1001');
  await expect.poll(() => [view.status, view.rows?.length]).toEqual(['current', 1000]);
  expect(view.rows?.[0]).toEqual({ id: '1000' });
  view.close();
});

test.each([
  ['a query that is run again', `SELECT id, title FROM few WHERE title ~ '' AND id <= $1`],
  ['one table', 'SELECT id, title FROM few WHERE id <= $1'],
  ['a join', 'SELECT a.title FROM few a JOIN few b ON b.id = a.id WHERE a.id <= $1'],
])('bytes have a bound as rows have, and others go on beside it: %s', async (_, sql) => {
  const beside = client.live({ sql: `SELECT id FROM few WHERE title ~ '' AND id = 7`, params: [] });
  const view = client.live({ sql, params: [500] });
  await expect.poll(() => [view.status, beside.status]).toEqual(['current', 'current']);
  view.close();
  await database.sql(`UPDATE few SET title = 'few ' || repeat('y', 200) WHERE id <= 500`);
  await refused(client.live({ sql, params: [499] }));
  expect(beside.rows).toEqual([{ id: '7' }]);
  beside.close();
  await database.sql(`UPDATE few SET title = 'few ' || id WHERE id <= 500`);
});
