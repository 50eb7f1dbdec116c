import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createClient, type LiveView, type Sluice as SluiceClient } from '@sluice/client';
import { createSluice, query, type AnyNamedQuery, type Sluice } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences } from './differences.js';
import { digits, drizzleBuilders } from './drizzle-builders.js';
import { kyselyBuilders, type KyselyTables } from './kysely-builders.js';
import { schema, SETUP } from './tables.js';

/*
 * The proof of the shapes: what a live view holds, through the socket, is what the builder gives when it runs itself,
 * with the same driver, at first and after changes. Where it differs on purpose, docs/queries.md says so.
 */

process.env['TZ'] = 'UTC'; // the driver reads times without a zone as local ones

type Runnable = () => PromiseLike<unknown> | { execute(): Promise<unknown> };

let database: TestDatabase;
let pool: pg.Pool;
let server: Server;
let sluice: Sluice<unknown>;
let client: SluiceClient<unknown>['client'];
let builders: Readonly<Record<string, Runnable>>;
let ran: Readonly<Record<string, Runnable>>;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 2, options: '-c TimeZone=UTC' });
  const db: NodePgDatabase<typeof schema> = drizzle(pool, { schema });
  const kysely = new Kysely<KyselyTables>({ dialect: new PostgresDialect({ pool }) });
  builders = { ...drizzleBuilders(db), ...kyselyBuilders(kysely) };
  const queries: Record<string, AnyNamedQuery> = {};
  for (const [name, make] of Object.entries(builders)) queries[name] = query(() => make());
  queries['digits'] = query(() => digits(db));
  const different = differences(db, kysely);
  for (const [name, make] of Object.entries(different)) queries[name] = query(() => make());
  ran = { ...builders, ...different };
  sluice = createSluice({ database: database.url, logLevel: 'silent', graceMs: 0, holdMs: 60_000, queries });
  server = createServer();
  sluice.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await sluice.start();
  client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }).client;
});

afterAll(async () => {
  client.close();
  await sluice.stop();
  server.close();
  await pool.end();
  await database.drop();
});

/** What the builder gives when it runs itself, as the list of its rows. */
async function own(name: string): Promise<readonly unknown[]> {
  const builder = ran[name]?.();
  const answer: unknown = await (builder !== undefined && 'execute' in builder ? builder.execute() : builder);
  return Array.isArray(answer) ? answer : answer === undefined ? [] : [answer];
}

/** Bytes are the driver's Buffer there, and Uint8Array here. */
function plainBytes(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plainBytes);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainBytes(item)]));
}

async function compare(name: string, live: LiveView<unknown>): Promise<void> {
  expect({ name, status: live.status, error: live.error?.cause }).toEqual({
    name,
    status: 'current',
    error: undefined,
  });
  const expected = (await own(name)).map(plainBytes);
  const ordered = live.shape?.ordered === true;
  const texts = (rows: readonly unknown[]): unknown[] => {
    const inspected = [...rows];
    return ordered ? inspected : inspected.sort((a, b) => (print(a) < print(b) ? -1 : 1));
  };
  expect(texts(live.rows), name).toStrictEqual(texts(expected));
}

const print = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));

/** What is run again may be behind on a busy machine, and nobody who reaches something waits for it. */
async function reached(lsn: string): Promise<void> {
  await client.reached(lsn);
  await expect.poll(() => client.liveViews.filter(({ status }) => status === 'behind')).toEqual([]);
}

const CHANGES = [
  `UPDATE users SET name = 'Ada L.', boss_id = 3 WHERE id = 1`,
  `UPDATE posts SET author_id = NULL, meta = '{"n": 12.25}' WHERE id = 3`,
  `INSERT INTO comments VALUES (5, 2, 4, 'five', '2024-05-05 05:05:05', '(3,4)')`,
  `DELETE FROM posts WHERE id = 2`,
  `UPDATE everything SET at = '2025-01-01 00:00:00', ints = '{4,5}', nums = '{0.10}', text = 'changed' WHERE id = 2`,
];

test('a live view of any builder holds what the builder gives, at first and after each change', async () => {
  const lives = Object.keys(builders).map((name) => [name, client.live({ query: name })] as const);
  const failed: string[] = [];
  await Promise.all(
    lives.map(([name, live]) =>
      live.ready.catch((error: unknown) =>
        failed.push(`${name}: ${String(error)} ${(error as { detail?: string }).detail}`),
      ),
    ),
  );
  expect(failed).toEqual([]);
  for (const [name, live] of lives) await compare(name, live);
  for (const change of CHANGES) {
    await database.sql(change);
    const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
    await reached(String(rows[0]?.lsn));
    for (const [name, live] of lives) await compare(name, live);
  }
  for (const [, live] of lives) live.close();
  console.log(`${lives.length} builders, compared ${CHANGES.length + 1} times`);
});

test('numbers in a relation keep the digits that Drizzle itself loses in JSON', async () => {
  const live = client.live<{ thing: object }>({ query: 'digits' });
  await live.ready;
  expect(live.rows[0]?.thing).toEqual({
    num: '123456789.123456789',
    numBig: 12345678901234567890123n,
    bigBig: 9223372036854775807n,
    bigs: [9223372036854775807n, -1n],
  });
  live.close();
});

test('subscriptions of one view read it each in its way', async () => {
  const [one, other] = [client.live({ query: 'left' }), client.live({ query: 'wholeTable' })];
  await Promise.all([one.ready, other.ready]);
  await compare('left', one);
  await compare('wholeTable', other);
  one.close();
  await database.sql(`UPDATE posts SET title = 'Other' WHERE id = 1`);
  const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
  await reached(String(rows[0]?.lsn));
  await compare('wholeTable', other);
  other.close();
});

test('what did not change keeps its identity, nested values too', async () => {
  const live = client.live<{ id: number; posts: { id: number; comments: unknown[] }[]; boss: unknown }>({
    query: 'threeLevels',
  });
  await live.ready;
  const before = live.rows;
  await database.sql(`UPDATE comments SET body = 'changed' WHERE id = 1`);
  const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
  await reached(String(rows[0]?.lsn));
  await compare('threeLevels', live);
  const changed = live.rows.filter((row, index) => row !== before[index]).map(({ id }) => id);
  expect(changed).toEqual([1]);
  const [ada, adaBefore] = [live.rows, before].map((all) => all.find(({ id }) => id === 1));
  expect(ada?.boss).toBe(adaBefore?.boss);
  expect(ada?.posts).not.toBe(adaBefore?.posts);
  const same = ada?.posts.map((post, index) => [post.id, post === adaBefore?.posts[index]]);
  expect(new Map(same as [number, boolean][]).get(1)).toBe(false);
  expect(same?.filter(([, kept]) => kept === true)).toHaveLength((ada?.posts.length ?? 0) - 1);
  live.close();
});

// What docs/queries.md lists as different, on both sides.
test.each<[string, (given: Record<string, unknown>) => unknown, unknown, unknown]>([
  ['nullInNumerics', ({ nums }) => nums, ['1.5', null], ['1.5', 'NULL']],
  ['nullInDates', ({ days }) => (days as readonly unknown[])[1] instanceof Date, false, true],
  ['textInJson', ({ json }) => json, '123', 123],
  ['beforeChrist', ({ at }) => Number(at), -63_517_824_000_000, Number.NaN],
  ['firstCentury', ({ at }) => Number(at), -59_011_545_600_000, 946_598_400_000],
  [
    'bytesInRelation',
    ({ thing }) => thing,
    { bytes: Uint8Array.of(0xde, 0xad, 0xbe, 0xef), blobs: [null, Uint8Array.of(0, 0xff)] },
    { bytes: '\\xdeadbeef', blobs: [null, '\\x00ff'] },
  ],
  ['infinite', ({ at }) => Number.isNaN(Number(at)), true, false],
])('%s', async (name, of, here, there) => {
  const live = client.live<Record<string, unknown>>({ query: name });
  await live.ready;
  expect(of(live.rows[0] ?? {})).toEqual(here);
  expect(of((await own(name))[0] as Record<string, unknown>)).toEqual(there);
  live.close();
});
