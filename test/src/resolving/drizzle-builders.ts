import {
  and,
  asc,
  avg,
  between,
  count,
  countDistinct,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  ilike,
  inArray,
  isNotNull,
  lt,
  max,
  min,
  ne,
  sql,
  sum,
} from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { alias, except, intersect, QueryBuilder, union, unionAll } from 'drizzle-orm/pg-core';
import { comments, everything, posts, schema, titles, users } from './tables.js';

type Db = NodePgDatabase<typeof schema>;

const DAY = new Date('2024-02-29T12:34:56.789Z');

/** Every way of Drizzle to make rows. */
export const drizzleBuilders = (db: Db) => ({
  ...selects(db),
  ...joins(db),
  ...fragments(db),
  ...parameters(db),
  ...relational(db),
});

/** What Drizzle loses digits of. */
export const digits = (db: Db) =>
  db.query.users.findMany({
    where: eq(users.id, 2),
    columns: { id: true },
    with: { thing: { columns: { num: true, numBig: true, bigBig: true, bigs: true } } },
  });

const selects = (db: Db) => ({
  everything: () => db.select().from(everything),
  everythingOrdered: () => db.select().from(everything).orderBy(desc(everything.id)).limit(2),
  partial: () => db.select({ id: users.id, who: users.name }).from(users),
  nestedPartial: () => db.select({ key: users.id, user: { name: users.name, nick: users.nick } }).from(users),
  columns: () => {
    const { balance: _, ...rest } = getTableColumns(users);
    return db.select(rest).from(users);
  },
  distinct: () => db.selectDistinct({ boss: users.bossId }).from(users),
  distinctOn: () => db.selectDistinctOn([posts.authorId]).from(posts).orderBy(posts.authorId, desc(posts.at)),
  view: () => db.select().from(titles),
  dynamic: () => db.select().from(users).$dynamic().where(gt(users.id, 1)).limit(2).orderBy(users.id),
  withoutDatabase: () => db.select().from(users).where(lt(users.id, 3)),
  first: () => db.select().from(posts).where(eq(posts.id, 1)).limit(1),
});

const joins = (db: Db) => {
  const boss = alias(users, 'boss');
  return {
    inner: () => db.select().from(posts).innerJoin(users, eq(users.id, posts.authorId)),
    left: () => db.select().from(posts).leftJoin(users, eq(users.id, posts.authorId)),
    right: () => db.select().from(users).rightJoin(posts, eq(users.id, posts.authorId)),
    full: () => db.select().from(users).fullJoin(posts, eq(users.id, posts.authorId)),
    cross: () => db.select().from(users).crossJoin(titles),
    leftTwice: () =>
      db
        .select()
        .from(comments)
        .leftJoin(posts, eq(posts.id, comments.postId))
        .leftJoin(users, eq(users.id, comments.userId)),
    aliased: () => db.select().from(users).leftJoin(boss, eq(boss.id, users.bossId)),
    aliasedPartial: () =>
      db
        .select({
          name: users.name,
          boss: { id: boss.id, nick: boss.nick },
          mixed: { a: users.id, b: boss.id },
        })
        .from(users)
        .leftJoin(boss, eq(boss.id, users.bossId)),
    firstNull: () =>
      db
        .select({ id: posts.id, user: { nick: users.nick, name: users.name } })
        .from(posts)
        .leftJoin(users, eq(users.id, posts.authorId)),
    fragmentInObject: () =>
      db
        .select({ id: posts.id, user: { upper: sql<string | null>`upper(${users.name})`, name: users.name } })
        .from(posts)
        .leftJoin(users, eq(users.id, posts.authorId)),
    onlyFragments: () =>
      db
        .select({ id: posts.id, user: { upper: sql<string | null>`upper(${users.name})` } })
        .from(posts)
        .leftJoin(users, eq(users.id, posts.authorId)),
    wholeTable: () =>
      db.select({ post: posts, user: users }).from(posts).leftJoin(users, eq(users.id, posts.authorId)),
    subquery: () => {
      const counts = db
        .select({ postId: comments.postId, n: count().as('n'), last: max(comments.at).as('last') })
        .from(comments)
        .groupBy(comments.postId)
        .as('counts');
      return db.select().from(posts).leftJoin(counts, eq(counts.postId, posts.id));
    },
    fromSubquery: () => {
      const inner = db
        .select({ id: users.id, score: users.score, boss: users.bossId })
        .from(users)
        .as('inner');
      return db.select().from(inner).where(ne(inner.id, 2));
    },
    cte: () => {
      const busy = db.$with('busy').as(
        db
          .select({
            author: posts.authorId,
            total: sql<number>`sum(${posts.views})`.mapWith(Number).as('total'),
          })
          .from(posts)
          .groupBy(posts.authorId),
      );
      return db.with(busy).select().from(busy);
    },
    lateral: () => {
      const last = db
        .select({ body: comments.body, at: comments.at })
        .from(comments)
        .where(eq(comments.postId, posts.id))
        .orderBy(desc(comments.at))
        .limit(1)
        .as('last');
      return db
        .select({ id: posts.id, last: { at: last.at, body: last.body } })
        .from(posts)
        .leftJoinLateral(last, sql`true`);
    },
    viewJoin: () => db.select().from(titles).leftJoin(comments, eq(comments.postId, titles.id)),
  };
};

const fragments = (db: Db) => ({
  plain: () =>
    db
      .select({
        int: sql<number>`1`,
        big: sql<string>`9007199254740993::bigint`,
        num: sql<string>`1.50::numeric`,
        bool: sql<boolean>`true`,
        float: sql<number>`0.1::float8`,
        text: sql<string>`'x'::text`,
        at: sql<string>`timestamp '2024-02-29 12:34:56.789123'`,
        zone: sql<string>`timestamptz '2024-02-29 12:34:56+00'`,
        day: sql<string>`date '2024-02-29'`,
        span: sql<string>`interval '1 day 2 hours'`,
        json: sql<unknown>`'{"a": 1.50, "b": [1, "2"]}'::json`,
        jsonb: sql<unknown>`'{"a": 1.50, "b": [1, "2"]}'::jsonb`,
        bytes: sql<Uint8Array>`'\\x00ff'::bytea`,
        point: sql<{ x: number; y: number }>`point '(1,2)'`,
        circle: sql<unknown>`circle '<(1,2),3>'`,
        ints: sql<number[]>`ARRAY[1, NULL, 3]`,
        bigs: sql<string[]>`ARRAY[1, 2]::bigint[]`,
        nums: sql<string>`ARRAY[1.5, 2]::numeric[]`,
        texts: sql<string[]>`ARRAY['a', NULL, 'b c']`,
        bools: sql<boolean[]>`ARRAY[true, false]`,
        moods: sql<string>`ARRAY['sad', 'ok']::mood[]`,
        days: sql<string>`ARRAY['2024-02-29']::date[]`,
        uuids: sql<string[]>`ARRAY['00000000-0000-4000-8000-000000000001']::uuid[]`,
        jsons: sql<unknown[]>`ARRAY['{"a": 1}']::jsonb[]`,
        points: sql<unknown[]>`ARRAY[point '(1,2)']`,
        nothing: sql<null>`NULL`,
      })
      .from(users)
      .where(eq(users.id, 1)),
  mapped: () =>
    db
      .select({
        number: sql`${users.score}`.mapWith(Number),
        fromText: sql`'12.5'::text`.mapWith(Number),
        notNumber: sql`'x'::text`.mapWith(Number),
        string: sql`${users.score}`.mapWith(String),
        stringOfFloat: sql`1e20::float8`.mapWith(String),
        bigint: sql`${users.id}`.mapWith(BigInt),
        boolean: sql`${users.id} = 1`.mapWith(Boolean),
        column: sql`${users.score}`.mapWith(users.score),
        date: sql`timestamp '2024-02-29 00:00:00'`.mapWith(comments.at),
        aliased: sql`${users.balance}`.mapWith(Number).as('aliased'),
      })
      .from(users)
      .where(eq(users.id, 1)),
  mappedOtherwise: () =>
    db
      .select({
        truncated: sql`${users.id} * 2.5`.mapWith(users.id),
        text: sql`${users.id}`.mapWith(users.name),
        json: sql`${users.id}`.mapWith(posts.meta),
        numeric: sql`${users.id} * 1e20::float8`.mapWith(users.balance),
        boolean: sql`${users.id} > 1`.mapWith(users.nick),
        point: sql`point(${users.id}, 2)`.mapWith(comments.where),
        array: sql`ARRAY[${users.id}, NULL]`.mapWith(posts.tags),
        enums: sql`ARRAY['ok', 'a "quoted" one']::mood[]`.mapWith(everything.moods),
      })
      .from(users),
  aggregates: () =>
    db
      .select({
        author: posts.authorId,
        n: count(),
        distinct: countDistinct(posts.title),
        sum: sum(posts.views),
        avg: avg(posts.views),
        min: min(posts.at),
        max: max(posts.day),
        minExpression: min(sql`${posts.views} + 1`),
        sumOfReal: sql`sum(${posts.views}::float8)`.mapWith(String),
      })
      .from(posts)
      .groupBy(posts.authorId),
  countTable: () => db.select({ n: db.$count(posts) }).from(users),
  scalarSubquery: () =>
    db
      .select({
        id: users.id,
        n: sql<string>`(select count(*) from ${posts} where ${posts.authorId} = ${users.id})`,
      })
      .from(users),
  union: () =>
    union(
      db
        .select({ id: users.id, at: sql<Date>`timestamp '2024-01-01'`.mapWith(comments.at) })
        .from(users)
        .where(sql`false`),
      db.select({ id: comments.id, at: comments.at }).from(comments),
    ),
  unionAll: () => unionAll(db.select({ id: users.id }).from(users), db.select({ id: posts.id }).from(posts)),
  intersect: () =>
    intersect(db.select({ id: users.id }).from(users), db.select({ id: posts.id }).from(posts)),
  except: () =>
    except(
      db.select({ id: users.id }).from(users),
      db.select({ id: posts.id }).from(posts).where(gt(posts.id, 2)),
    ).orderBy(sql`1`),
});

const parameters = (db: Db) => ({
  whereText: () =>
    db
      .select()
      .from(users)
      .where(and(ilike(users.name, '%a%'), isNotNull(users.nick))),
  whereMany: () =>
    db
      .select()
      .from(users)
      .where(inArray(users.id, [1, 3])),
  whereBig: () => db.select().from(users).where(eq(users.score, 9007199254740991n)),
  whereNumeric: () => db.select().from(users).where(eq(users.balance, '0.25')),
  whereDate: () => db.select().from(posts).where(eq(posts.at, DAY)),
  whereBetween: () =>
    db
      .select()
      .from(posts)
      .where(between(posts.day, '2024-03-01', '2024-03-02')),
  whereArray: () =>
    db
      .select()
      .from(posts)
      .where(eq(posts.tags, ['a', 'b c'])),
  whereJson: () =>
    db
      .select()
      .from(posts)
      .where(eq(posts.meta, { n: 3 })),
  whereTimestamp: () => db.select().from(comments).where(gt(comments.at, DAY)),
  whereEnum: () =>
    db.select({ id: everything.id }).from(everything).where(eq(everything.mood, 'a "quoted" one')),
  whereBool: () => db.select({ id: everything.id }).from(everything).where(eq(everything.bool, true)),
  whereUuid: () =>
    db
      .select({ id: everything.id })
      .from(everything)
      .where(eq(everything.uuid, '00000000-0000-4000-8000-000000000001')),
  whereRaw: () =>
    db
      .select()
      .from(posts)
      .where(sql`${posts.at} > ${DAY}::timestamptz - interval '1 day'`),
  whereExists: () =>
    db
      .select()
      .from(users)
      .where(exists(db.select().from(posts).where(eq(posts.authorId, users.id)))),
  selectedParameter: () =>
    db
      .select({ id: users.id, given: sql<number>`${7}::int` })
      .from(users)
      .orderBy(asc(users.id)),
  pages: () => db.select().from(users).orderBy(users.name).limit(2).offset(1),
  queryBuilder: () => {
    const made = new QueryBuilder().select({ id: users.id }).from(users).as('made');
    return db.select().from(made);
  },
});

const relational = (db: Db) => ({
  many: () => db.query.users.findMany(),
  firstOne: () => db.query.users.findFirst({ where: eq(users.id, 2) }),
  none: () => db.query.users.findFirst({ where: eq(users.id, 99) }),
  allTypes: () => db.query.everything.findMany({ orderBy: asc(everything.id) }),
  // Without the columns of which Drizzle loses digits, or the class: see the test of digits, and differences.ts.
  nestedTypes: () =>
    db.query.users.findMany({
      columns: { id: true },
      with: {
        thing: {
          columns: { num: false, numBig: false, bigBig: false, bigs: false, bytes: false, blobs: false },
        },
      },
    }),
  withOne: () => db.query.posts.findMany({ with: { author: true } }),
  withMany: () => db.query.users.findMany({ with: { posts: true } }),
  threeLevels: () =>
    db.query.users.findMany({
      orderBy: (user, operators) => operators.desc(user.id),
      with: { boss: { with: { boss: true } }, posts: { with: { comments: { with: { user: true } } } } },
    }),
  limited: () =>
    db.query.users.findMany({
      columns: { id: true, name: true },
      where: (user, operators) => operators.lt(user.id, 4),
      limit: 3,
      offset: 0,
      orderBy: [asc(users.id)],
      with: {
        posts: {
          columns: { title: true, at: true },
          limit: 1,
          orderBy: desc(posts.at),
          where: gt(posts.views, 1),
        },
      },
    }),
  extras: () =>
    db.query.posts.findMany({
      columns: { meta: false },
      extras: {
        shout: sql<string>`upper(${posts.title})`.as('shout'),
        twice: sql`${posts.views} * 2`.mapWith(Number).as('twice'),
      },
      with: {
        comments: { extras: { length: sql<number>`length(${comments.body})`.as('length') } },
      },
    }),
  onlyRelations: () =>
    db.query.posts.findMany({ columns: {}, with: { author: { columns: { balance: true, score: true } } } }),
});
