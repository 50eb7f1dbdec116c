import { sql, type Generated, type Kysely } from 'kysely';
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/postgres';

/** The tables as `kysely-codegen` would type them, for the driver `pg`. */
export interface KyselyTables {
  users: {
    id: number;
    name: string;
    nick: string | null;
    balance: string;
    score: string;
    boss_id: number | null;
  };
  posts: {
    id: number;
    author_id: number | null;
    title: string;
    at: Date;
    day: Date;
    tags: string[];
    meta: { n: number } | null;
    views: string;
  };
  comments: {
    id: number;
    post_id: number;
    user_id: number | null;
    body: string;
    at: Date;
    where: { x: number; y: number } | null;
  };
  everything: {
    id: Generated<number>;
    bool: boolean | null;
    bytes: Uint8Array | null;
    ints: number[] | null;
    nums: number[] | null;
    bigs: string[] | null;
    ats: Date[] | null;
    days: Date[] | null;
    jsons: unknown[] | null;
    moods: string | null;
    json: unknown;
    double: number | null;
    time: string | null;
    uuid: string | null;
  };
}

type Db = Kysely<KyselyTables>;

/** Every way of Kysely to make rows. */
export const kyselyBuilders = (db: Db) => ({
  kyselyAll: () => db.selectFrom('posts').selectAll(),
  kyselyTypes: () =>
    db
      .selectFrom('everything')
      .select([
        'id',
        'bool',
        'bytes',
        'ints',
        'nums',
        'bigs',
        'ats',
        'days',
        'jsons',
        'moods',
        'json',
        'double',
        'time',
        'uuid',
      ])
      .where('id', '<', 3),
  kyselyJoin: () =>
    db
      .selectFrom('posts')
      .leftJoin('users', 'users.id', 'posts.author_id')
      .select(['posts.id', 'users.name as author', 'users.score', 'posts.at'])
      .orderBy('posts.id', 'desc'),
  kyselySameNames: () =>
    db
      .selectFrom('posts')
      .innerJoin('users', 'users.id', 'posts.author_id')
      .select(['posts.id', 'users.id as id']),
  kyselyAggregates: () =>
    db
      .selectFrom('posts')
      .select((eb) => [
        'author_id',
        eb.fn.countAll<string>().as('n'),
        eb.fn.sum<string>('views').as('views'),
        eb.fn.max('at').as('last'),
      ])
      .groupBy('author_id'),
  kyselyNested: () =>
    db.selectFrom('users').select((eb) => [
      'users.id',
      jsonArrayFrom(
        eb
          .selectFrom('posts')
          .select((inner) => [
            'posts.id',
            'posts.at',
            'posts.views',
            jsonArrayFrom(
              inner
                .selectFrom('comments')
                .select(['body'])
                .whereRef('post_id', '=', 'posts.id')
                .orderBy('comments.id'),
            ).as('comments'),
          ])
          .whereRef('author_id', '=', 'users.id')
          .orderBy('posts.id'),
      ).as('posts'),
      jsonObjectFrom(
        eb
          .selectFrom('users as boss')
          .select(['boss.name', 'boss.balance'])
          .whereRef('boss.id', '=', 'users.boss_id'),
      ).as('boss'),
      jsonBuildObject({ name: eb.ref('users.name'), score: eb.ref('users.score') }).as('card'),
    ]),
  kyselyParameters: () =>
    db
      .selectFrom('posts')
      .select(['id', sql<string>`${'given'}::text`.as('given')])
      .where('at', '>', new Date('2024-02-29T12:34:56.000Z'))
      .where('id', 'in', [1, 2, 3])
      .where(sql<boolean>`tags && ${['a', 'z']}::text[]`),
  kyselyUnion: () =>
    db.selectFrom('users').select('id').union(db.selectFrom('posts').select('id')).orderBy('id'),
  kyselyCte: () =>
    db
      .with('busy', (cte) => cte.selectFrom('posts').select(['author_id']).distinct())
      .selectFrom('busy')
      .selectAll(),
  kyselyWindow: () =>
    db.selectFrom('posts').select((eb) => [
      'id',
      eb.fn
        .agg<string>('row_number')
        .over((ob) => ob.orderBy('at'))
        .as('n'),
    ]),
});
