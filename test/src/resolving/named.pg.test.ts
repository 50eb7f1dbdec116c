import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createClient } from '@sluice/client';
import { createSluice, defineQueries, query, rows } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { and, asc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

const issues = pgTable('issue', {
  id: integer().primaryKey(),
  project: integer('project_id').notNull(),
  owner: text().notNull(),
  title: text(),
});

let database: TestDatabase;
let pool: pg.Pool;
let server: Server;
let stop: () => Promise<void>;

/** The queries of an application. */
const make = (handle: pg.Pool) => {
  const db = drizzle(handle);
  const kysely = new Kysely<{ issue: { id: number; owner: string } }>({
    dialect: new PostgresDialect({ pool: handle }),
  });
  return defineQueries({
    mine: query(z.object({ project: z.int() }), ({ args, ctx }) =>
      db
        .select({ id: issues.id, title: issues.title })
        .from(issues)
        .where(and(eq(issues.project, args.project), eq(issues.owner, String(ctx.claims['sub']))))
        .orderBy(asc(issues.id)),
    ),
    kysely: query(({ ctx }) =>
      kysely.selectFrom('issue').select('id').where('owner', '=', String(ctx.claims['sub'])).orderBy('id'),
    ),
    typed: query(z.int(), async ({ args }) =>
      rows<{ n: bigint }>({ text: 'SELECT count(*) AS n FROM issue WHERE project_id = $1', values: [args] }),
    ),
    awaited: query(async () => db.select().from(issues)),
    awaitedText: query(async () => (await db.select({ text: issues.title }).from(issues))[0]),
  });
};

const start = async () => {
  const sluice = createSluice({
    database: database.url,
    logLevel: 'silent',
    graceMs: 0,
    auth: ({ token }) => ({ claims: { sub: token ?? 'nobody' } }),
    queries: make(pool),
  });
  server = createServer();
  sluice.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await sluice.start();
  return sluice;
};

type Api = Awaited<ReturnType<typeof start>>;
const connect = (token: string) =>
  createClient<Api>({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token });

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, owner text NOT NULL, title text);
    INSERT INTO issue VALUES (1, 7, 'ada', 'First'), (2, 7, 'bob', 'SELECT 1'), (3, 8, 'ada', NULL);`);
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  const sluice = await start();
  stop = () => sluice.stop();
});

afterAll(async () => {
  await stop();
  server.close();
  await pool.end();
  await database.drop();
});

test('queries of builders are live, for who asks', async () => {
  const { client, queries } = connect('ada');
  const mine = client.live(queries.mine({ project: 7 }));
  const ids = client.live(queries.kysely());
  const count = client.live(queries.typed(7));
  await Promise.all([mine.ready, ids.ready, count.ready]);
  expect(mine.rows).toEqual([{ id: 1, title: 'First' }]);
  expect(mine.gear).toBe('incremental');
  expect(ids.rows).toEqual([{ id: 1 }, { id: 3 }]);
  expect(count.rows).toEqual([{ n: 2n }]);

  await database.sql(`UPDATE issue SET project_id = 7 WHERE id = 3`);
  const { rows: lsn } = await database.sql(`SELECT pg_current_wal_insert_lsn() AS lsn`);
  await client.reached(String(lsn[0]?.lsn));
  expect(mine.rows).toEqual([
    { id: 1, title: 'First' },
    { id: 3, title: null },
  ]);
  await database.sql(`UPDATE issue SET project_id = 8 WHERE id = 3`);
  client.close();
});

test('the function runs again when the claims change', async () => {
  const { client, queries } = connect('ada');
  const ids = client.live(queries.kysely());
  await ids.ready;
  const changed = new Promise<void>((resolve) => {
    ids.subscribe(() => {
      if (ids.status === 'current' && ids.rows[0]?.id === 2) resolve();
    });
  });
  client.authenticate('bob');
  await changed;
  expect(ids.rows).toEqual([{ id: 2 }]);
  client.close();
});

test.each([
  [{ query: 'mine', args: { project: 'canary' } }, 'query_args_invalid', /^mine: project: /],
  [{ query: 'mine', args: {} }, 'query_args_invalid', /^mine: project: /],
  [{ query: 'kysely', args: { project: 1 } }, 'query_args_invalid', /takes no arguments/],
  [{ query: 'awaited' }, 'query_answer_invalid', /async, or awaits the builder/],
  [{ query: 'awaitedText' }, 'query_answer_invalid', /async, or awaits the builder/],
  [{ query: 'nowhere' }, 'query_unknown', /nowhere/],
])('%j is refused with %s', async (ref, code, detail) => {
  const { client } = connect('ada');
  await expect(client.live(ref).ready).rejects.toMatchObject({
    code,
    detail: expect.stringMatching(detail) as string,
  });
  await expect(client.live(ref).ready).rejects.not.toMatchObject({
    detail: expect.stringContaining('canary') as string,
  });
  client.close();
});
