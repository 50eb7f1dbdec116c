import { asc, avg, count, desc, eq, gt, max, relations, sql, sum } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { boolean, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Compilable,
} from 'kysely';
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/postgres';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

// The nested shapes that builders of queries make, as these versions of them make them.

const users = pgTable('users', {
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  active: boolean('active').notNull(),
  bossId: integer('boss_id'),
});
const projects = pgTable('projects', {
  id: integer('id').primaryKey(),
  teamId: integer('team_id'),
  name: text('name'),
});
const issues = pgTable('issues', {
  id: integer('id').primaryKey(),
  projectId: integer('project_id'),
  title: text('title'),
  status: text('status'),
  priority: integer('priority'),
  assigneeId: integer('assignee_id'),
  at: timestamp('at', { withTimezone: true }),
});
const comments = pgTable('comments', {
  id: integer('id').primaryKey(),
  issueId: integer('issue_id'),
  userId: integer('user_id'),
  body: text('body'),
});
const labels = pgTable('labels', { issueId: integer('issue_id'), label: text('label') });
const db = drizzle(new pg.Pool(), {
  schema: {
    users,
    projects,
    issues,
    comments,
    labels,
    ofUsers: relations(users, ({ many, one }) => ({
      issues: many(issues),
      comments: many(comments),
      boss: one(users, { fields: [users.bossId], references: [users.id] }),
    })),
    ofProjects: relations(projects, ({ many }) => ({ issues: many(issues) })),
    ofIssues: relations(issues, ({ many, one }) => ({
      comments: many(comments),
      labels: many(labels),
      project: one(projects, { fields: [issues.projectId], references: [projects.id] }),
      assignee: one(users, { fields: [issues.assigneeId], references: [users.id] }),
    })),
    ofComments: relations(comments, ({ one }) => ({
      issue: one(issues, { fields: [comments.issueId], references: [issues.id] }),
      user: one(users, { fields: [comments.userId], references: [users.id] }),
    })),
    ofLabels: relations(labels, ({ one }) => ({
      issue: one(issues, { fields: [labels.issueId], references: [issues.id] }),
    })),
  },
});

const byComment = { orderBy: [asc(comments.id)] };
const DRIZZLE: readonly { toSQL(): { sql: string; params: unknown[] } }[] = [
  db.query.issues.findMany({ where: eq(issues.projectId, 1) }),
  db.query.issues.findMany({ with: { comments: byComment } }),
  db.query.issues.findMany({ with: { comments: true } }),
  db.query.issues.findMany({
    columns: { id: true, title: true },
    with: { comments: { ...byComment, columns: { id: true, body: true } }, assignee: true },
    orderBy: [desc(issues.id)],
    limit: 3,
  }),
  db.query.projects.findMany({
    with: {
      issues: {
        orderBy: [asc(issues.priority), asc(issues.id)],
        with: {
          comments: { ...byComment, with: { user: true } },
          labels: { orderBy: [desc(labels.label)] },
          assignee: { columns: { name: true }, with: { boss: true } },
        },
      },
    },
  }),
  db.query.issues.findMany({
    with: { comments: { limit: 2, offset: 1, orderBy: [desc(comments.id)], where: gt(comments.id, 1) } },
  }),
  db.query.issues.findFirst({
    where: eq(issues.id, 1),
    with: { project: true, comments: { with: { user: { columns: { name: true } } } } },
  }),
  // As the tracker asks for one issue.
  db.query.issues.findFirst({
    where: eq(issues.id, 2),
    with: {
      assignee: true,
      comments: { with: { user: true }, orderBy: [asc(comments.body), asc(comments.id)] },
    },
  }),
  db.query.users.findMany({
    columns: { id: true },
    extras: { upper: sql<string>`lower(${users.name} || '!')`.as('upper') },
    with: {
      issues: {
        columns: { id: true },
        orderBy: [asc(issues.id)],
        extras: { n: sql<number>`(select count(*) from comments)`.as('n') },
      },
    },
  }),
  db.query.users.findMany({
    where: (_, { exists }) => exists(db.select().from(issues).where(eq(issues.assigneeId, users.id))),
    with: { boss: true },
  }),
  db
    .select({
      id: users.id,
      n: count(issues.id),
      sum: sum(issues.priority),
      avg: avg(issues.priority),
      last: max(issues.at),
    })
    .from(users)
    .leftJoin(issues, eq(issues.assigneeId, users.id))
    .groupBy(users.id),
  db.select({ id: users.id, n: db.$count(issues, eq(issues.assigneeId, users.id)) }).from(users),
  db.select({ total: count() }).from(issues).where(eq(issues.projectId, 1)),
  db
    .select({ status: issues.status, total: count() })
    .from(issues)
    .groupBy(issues.status)
    .orderBy(issues.status),
];

interface Tables {
  readonly users: { id: number; name: string; active: boolean; boss_id: number | null };
  readonly projects: { id: number; team_id: number | null; name: string | null };
  readonly issues: {
    id: number;
    project_id: number | null;
    title: string | null;
    priority: number | null;
    assignee_id: number | null;
    at: Date | null;
  };
  readonly comments: { id: number; issue_id: number | null; user_id: number | null; body: string | null };
}

const kysely = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

const KYSELY: readonly Compilable[] = [
  kysely
    .selectFrom('issues')
    .select((eb) => [
      'id',
      jsonArrayFrom(
        eb
          .selectFrom('comments')
          .select(['comments.id as number', 'comments.body'])
          .whereRef('comments.issue_id', '=', 'issues.id')
          .orderBy('comments.id'),
      ).as('comments'),
    ]),
  kysely
    .selectFrom('issues')
    .select((eb) => [
      'id',
      jsonArrayFrom(
        eb
          .selectFrom('comments')
          .select('body')
          .whereRef('comments.issue_id', '=', 'issues.id')
          .orderBy('comments.body')
          .orderBy('comments.id', 'desc')
          .limit(2),
      ).as('comments'),
    ]),
  kysely
    .selectFrom('issues')
    .select((eb) => [
      'id',
      jsonObjectFrom(
        eb
          .selectFrom('users')
          .select(['users.id', 'users.name'])
          .whereRef('users.id', '=', 'issues.assignee_id'),
      ).as('assignee'),
    ]),
  kysely
    .selectFrom('issues')
    .select((eb) => ['id', jsonBuildObject({ title: eb.ref('title'), at: eb.ref('at') }).as('it')]),
  kysely
    .selectFrom('projects')
    .where('team_id', '=', 1)
    .select((eb) => [
      'id',
      jsonArrayFrom(
        eb
          .selectFrom('issues')
          .whereRef('issues.project_id', '=', 'projects.id')
          .orderBy('issues.id')
          .select((inner) => [
            'issues.id',
            'issues.title',
            jsonArrayFrom(
              inner
                .selectFrom('comments')
                .selectAll()
                .whereRef('comments.issue_id', '=', 'issues.id')
                .orderBy('comments.id', 'desc'),
            ).as('comments'),
            jsonObjectFrom(
              inner.selectFrom('users').select('name').whereRef('users.id', '=', 'issues.assignee_id'),
            ).as('assignee'),
          ]),
      ).as('issues'),
    ]),
  kysely
    .selectFrom('issues')
    .innerJoin('comments', 'comments.issue_id', 'issues.id')
    .groupBy('issues.id')
    .select(({ fn }) => [
      'issues.id',
      fn.count('comments.id').as('n'),
      fn.jsonAgg('comments').as('all'),
      fn.agg('array_agg', ['comments.id']).orderBy('comments.id').as('ids'),
    ]),
  kysely
    .selectFrom('issues')
    .select((eb) => [
      'id',
      jsonArrayFrom(eb.selectFrom('comments').selectAll().whereRef('comments.issue_id', '=', 'issues.id')).as(
        'open',
      ),
    ]),
];

const QUERIES: readonly FollowedQuery[] = [
  ...DRIZZLE.map((query) => query.toSQL()),
  ...KYSELY.map((query) => query.compile()).map((query) => ({ sql: query.sql, params: query.parameters })),
].map(({ sql: statement, params }) => [statement, params.map(String), params.map(typeOf)] as const);

function typeOf(param: unknown): string {
  return typeof param === 'number' ? 'int' : 'text';
}

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('what builders make is incremental, and stays equal to Postgres', async () => {
  const { changed, untold, reasons } = await follower.follow(QUERIES, 80);
  expect(reasons).toEqual({});
  expect(changed).toBeGreaterThan(300);
  expect(untold).toBe(0);
}, 240_000);

test('only where the order of elements is not given is it noted that Sluice gives one', async () => {
  const open = await Promise.all(QUERIES.map(async (query) => follower.plan(query)));
  const noted = open.flatMap((plan, at) => (typeof plan === 'string' || plan.open.length === 0 ? [] : [at]));
  expect(noted).toEqual([2, 6, DRIZZLE.length + 5, DRIZZLE.length + 6]);
});
