import { createClient, type LiveView } from '@sluice/client';
import { createSluice, defineQueries, query, rows, type RowOf } from '@sluice/server';
import { eq, relations, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { customType, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { drizzleBuilders } from './drizzle-builders.js';
import type { kyselyBuilders } from './kysely-builders.js';

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() });
const posts = pgTable('posts', {
  id: integer().primaryKey(),
  authorId: integer().references(() => users.id),
  title: text().notNull(),
  at: timestamp().notNull(),
});
const buffer = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const files = pgTable('files', {
  id: integer().primaryKey(),
  name: text().notNull(),
  content: buffer(),
  parts: buffer().array(),
});
const userRelations = relations(users, ({ many }) => ({ posts: many(posts), files: many(files) }));
const postRelations = relations(posts, ({ one }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
}));
const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/nothing' });
const db = drizzle(pool, { schema: { users, posts, files, userRelations, postRelations } });
const kysely = new Kysely<{ users: { id: number; name: string } }>({
  dialect: new PostgresDialect({ pool }),
});

const all = (): ReturnType<typeof selected> => selected(1);
const selected = (author: number) =>
  db.select().from(posts).leftJoin(users, eq(users.id, posts.authorId)).where(eq(posts.authorId, author));
const nested = () => db.query.posts.findMany({ with: { author: true }, columns: { id: true } });

const queries = defineQueries({
  joined: query(z.object({ author: z.coerce.number() }), ({ args }) => {
    expectTypeOf(args).toEqualTypeOf<{ author: number }>();
    return selected(args.author);
  }),
  nested: query(({ ctx }) => {
    expectTypeOf(ctx.role).toEqualTypeOf<string>();
    return nested();
  }),
  first: query(z.object({ id: z.int().optional() }), ({ args }) =>
    db.query.posts.findFirst({ where: eq(posts.id, args.id ?? 1) }),
  ),
  bytes: query(() => db.select().from(files)),
  joinedBytes: query(() => db.select().from(users).leftJoin(files, eq(files.id, users.id))),
  bytesOfMany: query(() => db.query.users.findMany({ columns: { id: true }, with: { files: true } })),
  kysely: query(() => kysely.selectFrom('users').select(['id'])),
  typed: query(z.string(), ({ args }) =>
    rows<{ n: bigint }>({ text: 'SELECT $1::int8 AS n', values: [args] }),
  ),
  later: query(async () => rows<{ n: bigint }>({ sql: 'SELECT 1::int8 AS n' })),
  plain: query(() => ({ sql: 'SELECT 1', params: [] })),
  rightFragment: query(() => db.select({ n: sql<number>`1`.as('n') }).from(users)),
  awaited: query(async () => db.select().from(users)),
});

const sluice = createSluice({
  database: 'postgres://nobody@127.0.0.1:1/nothing',
  queries: {
    ...queries,
    text: { sql: 'SELECT 1' },
    fn: ({ args }) => ({ sql: 'SELECT $1', params: [args] }),
  },
});
type Api = typeof sluice;

// The functions below are compiled and never called: a wrong type fails the build.
test('a client of `typeof sluice` has the rows of the builders', () => {
  void (() => {
    const { client, queries } = createClient<Api>({ url: 'http://127.0.0.1:1' });
    type RowsOf<B extends PromiseLike<unknown>> = Awaited<B> extends (infer Row)[] ? Row : never;

    expectTypeOf(client.live(queries.joined({ author: 1 }))).toEqualTypeOf<
      LiveView<RowsOf<ReturnType<typeof all>>>
    >();
    const joined = client.live(queries.joined({ author: '7' })).rows[0];
    expectTypeOf(joined?.posts.at).toEqualTypeOf<Date | undefined>();
    expectTypeOf(joined?.users).toEqualTypeOf<{ id: number; name: string } | null | undefined>();

    expectTypeOf(client.live(queries.nested())).toEqualTypeOf<LiveView<RowsOf<ReturnType<typeof nested>>>>();
    expectTypeOf(client.live(queries.nested()).rows).toEqualTypeOf<
      readonly { id: number; author: { id: number; name: string } | null }[]
    >();
    expectTypeOf(client.live(queries.first()).rows[0]?.title).toEqualTypeOf<string | undefined>();
    expectTypeOf(client.live(queries.bytes()).rows).toEqualTypeOf<
      readonly { id: number; name: string; content: Uint8Array | null; parts: Uint8Array[] | null }[]
    >();
    expectTypeOf(client.live(queries.joinedBytes()).rows).toEqualTypeOf<
      readonly {
        users: { id: number; name: string };
        files: { id: number; name: string; content: Uint8Array | null; parts: Uint8Array[] | null } | null;
      }[]
    >();
    expectTypeOf(client.live(queries.bytesOfMany()).rows).toEqualTypeOf<
      readonly {
        id: number;
        files: { id: number; name: string; content: Uint8Array | null; parts: Uint8Array[] | null }[];
      }[]
    >();
    expectTypeOf(client.live(queries.kysely()).rows).toEqualTypeOf<readonly { id: number }[]>();
    expectTypeOf(client.live(queries.typed('7')).rows).toEqualTypeOf<readonly { n: bigint }[]>();
    expectTypeOf(client.live(queries.later()).rows).toEqualTypeOf<readonly { n: bigint }[]>();
    expectTypeOf(client.live(queries.plain()).rows[0]?.['anything']).toBeUnknown();
    expectTypeOf(client.live(queries.rightFragment()).rows).toEqualTypeOf<readonly { n: number }[]>();
    expectTypeOf(client.live(queries.awaited()).rows).toEqualTypeOf<readonly never[]>();
    client.live(queries.text({ any: 1 }));
    client.live(queries.fn());

    // @ts-expect-error: it takes an argument
    queries.joined();
    // @ts-expect-error: of another name
    queries.joined({ autor: 1 });
    // @ts-expect-error: of another type
    queries.typed(7);
    // @ts-expect-error: it takes none
    queries.nested({ id: 1 });
    // @ts-expect-error: there is none of that name
    queries.nowhere();
    // @ts-expect-error: there is no such column
    void joined?.posts.titel;
    // @ts-expect-error: nobody is there when nothing was joined
    void joined?.users.name;
  });
});

test('what is no query is refused where it is written', () => {
  // @ts-expect-error: a function is needed
  expect(() => query(z.object({}))).toThrow(TypeError);
  // @ts-expect-error: only what `query` made
  void (() => defineQueries({ one: () => ({ sql: 'SELECT 1' }) }));
});

type Own<A> = A extends readonly (infer Row)[] ? Row : Exclude<A, undefined>;
type Builders = ReturnType<typeof drizzleBuilders>;
type Kyselys = ReturnType<typeof kyselyBuilders>;

test('of every builder that is compared with a live view, the row is what it gives itself', () => {
  type Drizzle = { [N in keyof Builders]: RowOf<ReturnType<Builders[N]>> };
  type DrizzleOwn = { [N in keyof Builders]: Own<Awaited<ReturnType<Builders[N]>>> };
  expectTypeOf<Drizzle>().toEqualTypeOf<DrizzleOwn>();
  type OfKysely = { [N in keyof Kyselys]: RowOf<ReturnType<Kyselys[N]>> };
  type KyselyOwn = { [N in keyof Kyselys]: Own<Awaited<ReturnType<ReturnType<Kyselys[N]>['execute']>>> };
  expectTypeOf<OfKysely>().toEqualTypeOf<KyselyOwn>();
});
