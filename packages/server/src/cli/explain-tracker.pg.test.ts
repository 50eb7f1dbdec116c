import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExplainedPlan } from '../explain/explanation.js';
import { sluice } from '../testing/cli.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';

// The queries that an issue tracker stands on, as Drizzle's relational queries and its builder write them.

const TABLES = `
  CREATE TYPE status AS ENUM ('todo', 'doing', 'done');
  CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE member (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE team_member (team_id int REFERENCES team, member_id int REFERENCES member, PRIMARY KEY (team_id, member_id));
  CREATE INDEX team_member_of ON team_member (member_id);
  CREATE TABLE project (id int PRIMARY KEY, team_id int NOT NULL REFERENCES team, name text NOT NULL);
  CREATE INDEX project_of ON project (team_id);
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL REFERENCES project, assignee_id int REFERENCES member,
    title text NOT NULL, status status NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX issue_of ON issue (project_id);
  CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue, author_id int NOT NULL REFERENCES member,
    body text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX comment_of ON comment (issue_id);
  CREATE TABLE label (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE issue_label (issue_id int REFERENCES issue, label_id int REFERENCES label, PRIMARY KEY (issue_id, label_id))`;

const ISSUE = `
  select "issue"."id", "issue"."title", "issue"."status", "issue_comments"."data" as "comments",
    "issue_labels"."data" as "labels", "issue_assignee"."data" as "assignee"
  from "issue" "issue"
  left join lateral (select coalesce(json_agg(json_build_array("issue_comments"."id", "issue_comments"."body",
        "issue_comments_author"."data") order by "issue_comments"."created_at" asc, "issue_comments"."id" asc), '[]'::json) as "data"
    from (select * from "comment" "issue_comments" where "issue_comments"."issue_id" = "issue"."id"
      order by "issue_comments"."created_at" asc, "issue_comments"."id" asc) "issue_comments"
    left join lateral (select json_build_array("issue_comments_author"."id", "issue_comments_author"."name") as "data"
      from (select * from "member" "issue_comments_author" where "issue_comments_author"."id" = "issue_comments"."author_id"
        limit 1) "issue_comments_author") "issue_comments_author" on true) "issue_comments" on true
  left join lateral (select coalesce(json_agg(json_build_array("issue_labels_label"."data") order by "issue_labels"."label_id"), '[]'::json) as "data"
    from "issue_label" "issue_labels"
    left join lateral (select json_build_array("issue_labels_label"."id", "issue_labels_label"."name") as "data"
      from (select * from "label" "issue_labels_label" where "issue_labels_label"."id" = "issue_labels"."label_id"
        limit 1) "issue_labels_label") "issue_labels_label" on true
    where "issue_labels"."issue_id" = "issue"."id") "issue_labels" on true
  left join lateral (select json_build_array("issue_assignee"."id", "issue_assignee"."name") as "data"
    from (select * from "member" "issue_assignee" where "issue_assignee"."id" = "issue"."assignee_id" limit 1) "issue_assignee"
    ) "issue_assignee" on true
  where "issue"."id" = $1 limit 1`;

const COUNTS = `select "project_id", "status", count(*) from "issue" where "project_id" = $1
  group by "project_id", "status" order by "status"`;

const MINE = `
  select "issue"."id", "issue"."title", "project"."name", "issue"."status" from "issue"
  inner join "project" on "project"."id" = "issue"."project_id"
  inner join "team_member" on "team_member"."team_id" = "project"."team_id"
  where ("team_member"."member_id" = $1 and "issue"."assignee_id" = $1 and "issue"."status" <> 'done')
  order by "issue"."created_at" desc, "issue"."id" desc limit 50`;

let database: TestDatabase;
beforeAll(async () => {
  database = await sharedDatabase(TABLES);
});
afterAll(() => database.drop());

const explained = async (sql: string): Promise<ExplainedPlan> => {
  const { out, err } = await sluice(['explain', sql, '--json', '--database-url', database.url]);
  expect(err).toBe('');
  return JSON.parse(out) as ExplainedPlan;
};

test('an issue with comments, labels and assignee is incremental, each level looked up by an index', async () => {
  const { gear, reason, remedy, lookups, tree } = await explained(ISSUE);
  expect({ gear, reason, remedy }).toEqual({ gear: 'incremental', reason: null, remedy: null });
  expect(lookups.map(({ table, columns, index }) => `${table} by ${columns.join()}: ${index}`)).toEqual([
    'public.issue by id: issue_pkey',
    'public.comment by issue_id: comment_of',
    'public.member by id: member_pkey',
    'public.issue_label by issue_id: issue_label_pkey',
    'public.label by id: label_pkey',
  ]);
  // What is looked up by nothing but ON true says so by saying nothing.
  expect(tree.filter((line) => /\b(true|'t')/.test(line))).toEqual([]);
  expect(tree.map((line) => line.trim())).toContain('left subquery for each issue.id');
});

test('counts by status of a project are incremental', async () => {
  const { gear, reason, tree } = await explained(COUNTS);
  expect({ gear, reason }).toEqual({ gear: 'incremental', reason: null });
  expect(tree).toEqual([
    'order by issue.status',
    '  project issue.project_id, issue.status, count(*) AS count',
    '    group by issue.project_id, issue.status: count(*)',
    '      table public.issue by project_id = $1 (index issue_of)',
  ]);
});

test('my open issues of all my teams are incremental, found through the membership', async () => {
  const { gear, reason, reads, lookups } = await explained(MINE);
  expect({ gear, reason }).toEqual({ gear: 'incremental', reason: null });
  expect(reads).toEqual(expect.arrayContaining(['public.issue', 'public.project', 'public.team_member']));
  expect(lookups.filter(({ columns }) => columns.length === 0)).toEqual([]);
});
