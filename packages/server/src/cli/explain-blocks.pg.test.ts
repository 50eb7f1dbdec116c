import { afterAll, beforeAll, expect, test } from 'vitest';
import { sluice } from '../testing/cli.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';

const TABLES = `
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, state text NOT NULL, title text COLLATE "C", assignee int);
  CREATE INDEX issue_project ON issue (project_id, state);
  CREATE TABLE person (id int PRIMARY KEY, name text COLLATE "C");
  CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL, body text)`;

let database: TestDatabase;
beforeAll(async () => {
  database = await sharedDatabase(TABLES);
});
afterAll(() => database.drop());

const explain = async (sql: string): Promise<string> => {
  const { out, err } = await sluice(['explain', sql, '--database-url', database.url]);
  return err === '' ? out : err;
};

const tree = async (sql: string): Promise<string[]> => {
  const lines = (await explain(sql)).split('\nplan\n')[1] ?? expect.fail('no plan');
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(2));
};

test('a join shows what each row is looked up by, with which index', async () => {
  expect(
    await tree(`SELECT i.title, p.name AS who FROM issue i LEFT JOIN person p ON p.id = i.assignee AND p.name LIKE 'a%'
      WHERE i.project_id = $1 AND (i.state = 'open' OR i.title IS NULL) ORDER BY i.title DESC LIMIT 5`),
  ).toEqual([
    'limit 5',
    '  order by issue.title DESC',
    '    project issue.title, person.name AS who',
    "      filter (issue.state = 'open' OR issue.title IS NULL)",
    '        table public.issue by project_id = $1 (index issue_project)',
    "          left table public.person by id = issue.assignee (index person_pkey) where person.name LIKE 'a%'",
  ]);
});

test('groups, subqueries, windows, sets and rows of VALUES have lines of their own', async () => {
  expect(
    await tree(
      `SELECT state, count(*), max(id) FROM issue WHERE project_id = $1 GROUP BY state HAVING count(*) > 2`,
    ),
  ).toEqual([
    'project issue.state, count(*) AS count, max(issue.id) AS max',
    '  having count(*) > 2',
    '    group by issue.state: count(*), max(issue.id)',
    '      table public.issue by project_id = $1 (index issue_project)',
  ]);
  expect(
    await tree(`SELECT id, row_number() OVER (PARTITION BY state ORDER BY id) AS n FROM issue i WHERE project_id = 4
      AND EXISTS (SELECT FROM comment c WHERE c.issue_id = i.id AND c.body ILIKE $1) AND assignee + 1 <> 7::int8`),
  ).toEqual([
    'project issue.id, row_number() OVER (PARTITION BY issue.state ORDER BY issue.id) AS n',
    '  window PARTITION BY issue.state ORDER BY issue.id',
    '    filter EXISTS subquery AND issue.assignee + 1 <> 7::bigint',
    '      table public.issue by project_id = 4 (index issue_project)',
    '        exists subquery for each issue.id',
    '          project nothing',
    '            filter comment.body ILIKE $1',
    '              table public.comment by issue_id = issue.id (no index)',
  ]);
  expect(
    await tree(`SELECT id FROM issue WHERE state = 'a' UNION ALL SELECT issue_id FROM comment WHERE id = $1`),
  ).toEqual([
    'project column1 AS id',
    '  #1 union all #2',
    '    subquery',
    '      project issue.id',
    "        table public.issue by state = 'a' (no index)",
    '    subquery_2',
    '      project comment.issue_id',
    '        table public.comment by id = $1 (index comment_pkey)',
  ]);
  const values = await tree(
    'SELECT v.a, i.id FROM (VALUES (1), (2)) v(a) JOIN issue i ON i.project_id = v.a',
  );
  expect(values.join('\n')).toMatch(
    /rows from values \(1\), \(2\)\n +table public.issue by project_id = subquery/,
  );
});

test('an index that would help is named, once the table is not small', async () => {
  const sql = `SELECT i.id, c.id AS comment FROM issue i JOIN comment c ON c.issue_id = i.id WHERE i.id = $1`;
  const hint =
    'CREATE INDEX ON public.comment (issue_id): its rows are looked up by that, and no index begins with it.';
  expect(await explain(sql)).toContain(`hint        ${hint}`);
  const { out } = await sluice(['explain', sql, '--json', '--database-url', database.url]);
  expect(JSON.parse(out)).toMatchObject({
    gear: 'incremental',
    hints: [hint],
    lookups: [
      { table: 'public.issue', columns: ['id'], index: 'issue_pkey' },
      { table: 'public.comment', columns: ['issue_id'], index: null },
    ],
    plan: { kind: 'blocks' },
  });
  await database.sql('INSERT INTO comment VALUES (1, 1, $$a$$)');
  await database.sql('ANALYZE comment');
  expect(await explain(sql)).not.toContain('hint');
  await database.sql('INSERT INTO comment SELECT i, i, $$a$$ FROM generate_series(2, 2000) i');
  await database.sql('ANALYZE comment');
  expect(await explain(sql)).toContain(hint);
  await database.sql('CREATE INDEX ON comment (issue_id)');
  expect(await explain(sql)).not.toContain('hint');
});

test('a reason that somebody can do something about comes with a remedy', async () => {
  const said = await explain('SELECT state, sum(id::float8) FROM issue GROUP BY state');
  expect(said).toMatch(/^gear +rerun\nreason .*floating-point.*\nremedy .*numeric/);
});
