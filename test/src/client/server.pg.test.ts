import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, JsonNumber, type ClientOptions, type LiveView } from '@sluice/client';
import type { ServerMessage } from '@sluice/core/wire';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { observedSocket } from '../judge/observed-socket.js';
import { Product } from '../kit/product.js';
import { TcpProxy } from '../kit/tcp-proxy.js';

// The client against the server: what the scripted tests of the client take for granted.

const ROWS = 3000;
const SETUP = `
  CREATE TABLE issue (id integer PRIMARY KEY, project_id integer NOT NULL, title text NOT NULL, rank integer NOT NULL);
  INSERT INTO issue SELECT i, 1, repeat('title ', 20) || i, i FROM generate_series(1, ${ROWS}) i;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
  CREATE TABLE everything (id integer PRIMARY KEY, b boolean, i2 smallint, i8 bigint, d positive, f4 real, f8 float8,
    n numeric, t text, c char(3), u uuid, by bytea, da date, ts timestamp, tz timestamptz, iv interval, js json,
    jb jsonb, m mood, ia integer[], ba bigint[], ta text[], ma mood[], ja jsonb[], bya bytea[], r int4range, ip inet);
  INSERT INTO everything VALUES (1, true, -2, 9007199254740993, 5, 'NaN', '-Infinity', 1.10, 'é "x"', 'ab',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '\\x00ff', '0044-03-15 BC', 'infinity', '2024-02-29 12:00:00.123456+02',
    '1 day 00:00:01', '{"a": 1e400}', '[12345678901234567890, 1.5]', 'ok', '{{1,NULL},{3,4}}', '{9007199254740993}',
    '{"a,b",NULL,"NULL"}', '{sad}', '{"{\\"k\\": 1}"}', '{"\\\\x00"}', '[1,5]', '10.0.0.1/8');
  INSERT INTO everything VALUES (2)`;

let database: TestDatabase;
let product: Product;
let proxy: TcpProxy;
let upstream: number;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-client-'));
  product = await Product.start({ databaseUrl: database.url, log: join(folder, 'server.log') });
  upstream = product.port;
  proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: upstream }));
});

afterAll(async () => {
  await proxy?.close();
  await product?.stop();
  await database?.drop();
});

function connect(options: Partial<ClientOptions> = {}): ReturnType<typeof createClient> {
  const made = createClient({
    url: `http://127.0.0.1:${proxy.port}`,
    backoff: { firstMs: 20, maxMs: 100 },
    ...options,
  });
  onTestFinished(() => made.client.close());
  return made;
}

/** Resolves when it is so; rejects with what there is instead. */
async function until(live: LiveView, holds: () => boolean): Promise<void> {
  const { promise, resolve, reject } = deferred();
  const stop = live.subscribe(() => {
    if (holds()) resolve();
  });
  const describe = (): string =>
    JSON.stringify([live.status, live.error?.code, live.position, live.rows.length]);
  const timer = setTimeout(() => reject(new Error(`it did not come; there is ${describe()}`)), PATIENCE_MS);
  if (holds()) resolve();
  await promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
}

function deferred(): {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
} {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test.each([
  ['incremental', 'SELECT * FROM everything WHERE id > 0 ORDER BY id'],
  ['incremental', 'SELECT e.* FROM everything e LEFT JOIN issue i ON i.id = -e.id ORDER BY e.id'],
  ['rerun', `SELECT e.* FROM everything e WHERE e.id::text ~ '' ORDER BY e.id`],
])('every type arrives as the table in docs/client.md says (%s)', async (gear, sql) => {
  const { client } = connect();
  const live = client.live({ sql });
  await live.ready;
  expect(live.gear).toBe(gear);
  expect(live.rows[0]).toEqual({
    id: 1,
    b: true,
    i2: -2,
    i8: 9007199254740993n,
    d: 5n,
    f4: Number.NaN,
    f8: -Infinity,
    n: '1.10',
    t: 'é "x"',
    c: 'ab ',
    u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    by: Uint8Array.of(0, 255),
    da: '0044-03-15 BC',
    ts: 'infinity',
    tz: '2024-02-29 10:00:00.123456+00',
    iv: '1 day 00:00:01',
    js: { a: new JsonNumber('1e400') },
    jb: [new JsonNumber('12345678901234567890'), 1.5],
    m: 'ok',
    ia: [[1, null], [3, 4]], // prettier-ignore
    ba: [9007199254740993n],
    ta: ['a,b', null, 'NULL'],
    ma: ['sad'],
    ja: [{ k: 1 }],
    bya: [Uint8Array.of(0)],
    r: '[1,6)',
    ip: '10.0.0.1/8',
  });
  expect(new Set(Object.values(live.rows[1] ?? {}))).toEqual(new Set([2, null]));
});

test('after a lost connection only the difference travels; unchanged rows are the same objects', async () => {
  const seen: ServerMessage[] = [];
  let bytes = 0;
  const WebSocket = observedSocket({
    handled: (text) => {
      bytes += text.length;
      seen.push(JSON.parse(text) as ServerMessage);
    },
  });
  const { client } = connect({ WebSocket });
  const live = client.live({ sql: 'SELECT id, title FROM issue WHERE project_id = 1 ORDER BY rank, id' });
  await live.ready;
  const before = live.rows;
  expect(before).toHaveLength(ROWS);
  const whole = bytes;

  // A server that remembers the version sends what happened since.
  proxy.cut();
  await until(live, () => live.status === 'stale');
  await database.sql(`UPDATE issue SET title = 'a' WHERE id = 7`);
  await until(live, () => live.status === 'current' && live.rows[6]?.['title'] === 'a');
  expect(live.rows.filter((row, i) => row !== before[i])).toEqual([{ id: 7, title: 'a' }]);

  // One that does not compares what the client holds with what it has.
  bytes = seen.length = 0;
  await product.kill();
  await until(live, () => live.status === 'stale');
  await database.sql(`UPDATE issue SET title = 'b', rank = 0 WHERE id = 9`);
  await product.start();
  await until(live, () => live.status === 'current');
  expect(live.rows.slice(0, 2).map((row) => row['id'])).toEqual([9, 1]);
  expect(seen.map((message) => message.kind)).toContain('difference');
  expect(live.rows.filter((row) => !before.includes(row)).map((row) => row['id'])).toEqual([9, 7]);
  expect(bytes).toBeLessThan(whole / 4); // the order of 3,000 keys among it
});

test('a server that hands over shows nowhere', async () => {
  const { client } = connect();
  const live = client.live({ sql: 'SELECT count(*) AS n FROM issue WHERE rank > 1000000' });
  await live.ready;
  const statuses = new Set<string>();
  live.subscribe(() => statuses.add(live.status));
  const next = await product.successor();
  upstream = next.port;
  await product.stop();
  product = next;
  await database.sql('INSERT INTO issue VALUES (100000, 2, $1, 2000000)', ['x']);
  await until(live, () => live.rows[0]?.['n'] === 1n);
  expect([...statuses]).toEqual(['current']);
});

test('reached waits for a write; what replaces another query is shown whole', async () => {
  const { client } = connect();
  const live = client.live({ sql: 'SELECT id FROM issue WHERE project_id = 3 ORDER BY id' });
  await live.ready;
  for (let i = 1; i <= 20; i++) {
    await database.sql('INSERT INTO issue VALUES ($1, 3, $2, 0)', [200_000 + i, 'x']);
    const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    await client.reached((rows[0] as { lsn: string }).lsn, { timeoutMs: PATIENCE_MS });
    expect(live.rows).toHaveLength(i);
  }
  const lengths = new Set<number>();
  live.subscribe(() => lengths.add(live.rows.length));
  live.replace({ sql: 'SELECT id FROM issue WHERE project_id = 3 ORDER BY id LIMIT 5' });
  expect([live.status, live.rows.length]).toEqual(['switching', 20]);
  await live.ready;
  expect([live.status, ...lengths]).toEqual(['current', 20, 5]);
  await expect(client.reached('nonsense')).rejects.toMatchObject({ code: 'reach_target_invalid' });
});

test('an error of Postgres passes with its data', async () => {
  const { client } = connect();
  const live = client.live({ sql: 'SELECT 1 / (rank - 5) AS x FROM issue WHERE id = 5' });
  await expect(live.ready).rejects.toMatchObject({ detail: 'SQLSTATE 22012' });
  expect(live.state).toMatchObject({ status: 'error', retrying: false });
  await database.sql('UPDATE issue SET rank = 6 WHERE id = 5');
  await until(live, () => live.status === 'current');
  expect(live.rows).toEqual([{ x: 1 }]);
});

test('a wrong query fails alone', async () => {
  const { client } = connect();
  const good = client.live({ sql: 'SELECT id FROM issue WHERE id = 1' });
  const bad = client.live({ sql: 'SELECT nonsense FROM issue' });
  await expect(bad.ready).rejects.toMatchObject({ code: 'column_unknown', retry: false });
  await good.ready;
  expect(good.rows).toEqual([{ id: 1 }]);
});
