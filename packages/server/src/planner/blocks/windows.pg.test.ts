import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

/** Orders that leave nothing open, functions to which peers are the same, and DISTINCT ON. */
const QUERIES: readonly FollowedQuery[] = [
  ['SELECT id, row_number() OVER (ORDER BY id) FROM issues'],
  ['SELECT id, row_number() OVER (PARTITION BY project_id ORDER BY priority DESC, id) FROM issues'],
  ['SELECT id, rank() OVER (ORDER BY priority), dense_rank() OVER (ORDER BY priority DESC) FROM issues'],
  [
    'SELECT id, percent_rank() OVER w, cume_dist() OVER w FROM issues WINDOW w AS (PARTITION BY status ORDER BY priority NULLS FIRST)',
  ],
  ['SELECT id, ntile(3) OVER (ORDER BY at DESC, id) FROM issues'],
  ['SELECT id, ntile(priority) OVER (ORDER BY id) FROM issues WHERE priority > 0'],
  [
    'SELECT id, lag(title) OVER w, lead(title, 2, $1) OVER w FROM issues WINDOW w AS (ORDER BY id)',
    ['none'],
    ['text'],
  ],
  ['SELECT id, lag(priority, priority, -1) OVER (PARTITION BY project_id ORDER BY id) FROM issues'],
  [
    'SELECT id, first_value(title) OVER w, last_value(title) OVER w, nth_value(title, 2) OVER w FROM issues WINDOW w AS (PARTITION BY project_id ORDER BY id)',
  ],
  [
    'SELECT id, first_value(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM issues',
  ],
  [
    'SELECT id, nth_value(id, 2) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE GROUP) FROM issues',
  ],
  ['SELECT id, count(*) OVER (), sum(priority) OVER (PARTITION BY project_id), max(at) OVER () FROM issues'],
  ['SELECT id, sum(priority) OVER (ORDER BY priority), count(title) OVER (ORDER BY status) FROM issues'],
  ['SELECT id, sum(priority) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM issues'],
  [
    'SELECT id, count(*) OVER (ORDER BY priority RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM issues',
  ],
  [
    'SELECT id, sum(id) OVER (ORDER BY priority DESC NULLS LAST RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM issues',
    ['2'],
  ],
  [
    `SELECT id, count(*) OVER (ORDER BY at RANGE BETWEEN '2 days' PRECEDING AND '1 day' FOLLOWING) FROM issues`,
  ],
  [
    `SELECT id, count(*) OVER (PARTITION BY project_id ORDER BY at::date DESC RANGE BETWEEN '36:00' PRECEDING AND CURRENT ROW) FROM issues`,
  ],
  [
    `SELECT id, min(id) OVER (ORDER BY priority / 2.0 RANGE BETWEEN 0.5 PRECEDING AND 0.5 FOLLOWING) FROM issues`,
  ],
  [
    'SELECT id, max(id) OVER (ORDER BY priority GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM issues',
  ],
  [
    'SELECT id, count(*) OVER (ORDER BY priority RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) FROM issues',
  ],
  [
    `SELECT id, count(*) FILTER (WHERE status = 'open') OVER (PARTITION BY project_id), bool_and(priority > 1) OVER (PARTITION BY status) FROM issues`,
  ],
  [
    'SELECT project_id, count(*), rank() OVER (ORDER BY count(*) DESC), sum(count(*)) OVER () FROM issues GROUP BY project_id',
  ],
  [
    'SELECT assignee_id, max(priority) AS top, row_number() OVER (ORDER BY max(priority) DESC, assignee_id) FROM issues GROUP BY assignee_id HAVING count(*) > 1',
  ],
  [
    'SELECT * FROM (SELECT id, project_id, row_number() OVER (PARTITION BY project_id ORDER BY at DESC NULLS LAST, id DESC) AS n FROM issues) s WHERE n <= 2',
  ],
  [
    'SELECT id, n FROM (SELECT id, project_id, rank() OVER (PARTITION BY project_id ORDER BY priority) AS n FROM issues) s WHERE project_id = $1',
    ['1'],
  ],
  [
    'SELECT u.name, s.title FROM users u LEFT JOIN (SELECT assignee_id, title, row_number() OVER (PARTITION BY assignee_id ORDER BY id DESC) AS n FROM issues) s ON s.assignee_id = u.id AND s.n = 1',
  ],
  [
    'SELECT i.id, p.name, count(*) OVER (PARTITION BY p.id) FROM issues i JOIN projects p ON p.id = i.project_id WHERE p.team_id = $1',
    ['1'],
  ],
  ['SELECT id, rank() OVER (ORDER BY priority DESC) AS r FROM issues ORDER BY r, id LIMIT 3'],
  ['SELECT DISTINCT status, count(*) OVER (PARTITION BY status) FROM issues'],
  [
    'SELECT id, priority - lag(priority) OVER (ORDER BY id) AS step, sum(priority) OVER (ORDER BY id) * 2 FROM issues',
  ],
  [
    'SELECT t.id, l.id, l.n FROM teams t CROSS JOIN LATERAL (SELECT p.id, row_number() OVER (ORDER BY p.id) AS n FROM projects p WHERE p.team_id = t.id) l',
  ],
  [
    'SELECT id FROM issues i WHERE id IN (SELECT first_value(c.issue_id) OVER (PARTITION BY c.user_id ORDER BY c.id) FROM comments c)',
  ],
  [
    'SELECT DISTINCT ON (project_id) project_id, id, title FROM issues ORDER BY project_id, priority DESC NULLS LAST, id',
  ],
  [
    'SELECT DISTINCT ON (i.assignee_id) u.name, i.id FROM issues i JOIN users u ON u.id = i.assignee_id ORDER BY i.assignee_id, i.id DESC',
  ],
  ['SELECT DISTINCT ON (status) status FROM issues'],
  [
    'SELECT * FROM (SELECT DISTINCT ON (project_id) id, project_id FROM issues ORDER BY project_id, id) s WHERE project_id = $1',
    ['2'],
  ],
  [
    'SELECT DISTINCT ON (status, priority) id, priority FROM issues ORDER BY status DESC, priority, id LIMIT 2 OFFSET 1',
  ],
  [
    'SELECT DISTINCT ON (project_id) project_id, count(*) AS n, status FROM issues GROUP BY project_id, status ORDER BY project_id, n DESC, status',
  ],
  ['SELECT DISTINCT count(*) FROM issues GROUP BY project_id'],
  [
    `SELECT id, avg(priority) OVER (PARTITION BY project_id), string_agg(title, ',') OVER (PARTITION BY status ORDER BY id) FROM issues`,
  ],
  [
    'SELECT id, array_agg(priority) OVER (ORDER BY id ROWS BETWEEN 12 PRECEDING AND 1 PRECEDING EXCLUDE CURRENT ROW), json_agg(id) OVER (ORDER BY id DESC) FROM issues',
  ],
];

/** With ties, of which Postgres decides: where they are there, nothing is held. */
const OPEN: readonly FollowedQuery[] = [
  ['SELECT id, row_number() OVER (PARTITION BY project_id ORDER BY priority) FROM issues'],
  ['SELECT id, first_value(title) OVER (ORDER BY priority) FROM issues'],
  ['SELECT id, last_value(priority) OVER (PARTITION BY status ORDER BY at) FROM issues'],
  [
    'SELECT id, sum(priority) OVER (PARTITION BY assignee_id ORDER BY at ROWS UNBOUNDED PRECEDING) FROM issues',
  ],
  ['SELECT DISTINCT ON (project_id) project_id, title FROM issues ORDER BY project_id, priority'],
];

const REASONS: Readonly<Record<string, string>> = {
  'SELECT id, row_number() OVER () FROM issues':
    'It has a window function whose value depends on the order of rows that its window does not order. (row_number)',
  'SELECT id, lag(id) OVER (PARTITION BY project_id) FROM issues':
    'It has a window function whose value depends on the order of rows that its window does not order. (lag)',
  'SELECT id, sum(priority) OVER (ROWS UNBOUNDED PRECEDING) FROM issues':
    'It has a window function whose value depends on the order of rows that its window does not order. (sum)',
  [`SELECT id, count(*) OVER (ORDER BY at::time RANGE '1 hour' PRECEDING) FROM issues`]:
    'It has a window whose frame is a RANGE of a type that Sluice does not reckon with.',
  'SELECT DISTINCT ON (project_id) project_id, id FROM issues ORDER BY project_id':
    'It has DISTINCT ON without an ORDER BY that says which row is the first.',
};

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('window functions and DISTINCT ON stay equal to Postgres', async () => {
  const { changed, reasons } = await follower.follow(QUERIES, 60);
  expect(reasons).toEqual({});
  expect(changed).toBeGreaterThan(300);
}, 120_000);

test('where the order of peers decides, nothing is told, and otherwise what Postgres says', async () => {
  const { changed, untold, reasons } = await follower.follow(OPEN, 60, { mayBeUntold: true });
  expect(reasons).toEqual({});
  expect(untold).toBeGreaterThan(50);
  expect(changed).toBeGreaterThan(50);
}, 120_000);

test('what a window leaves open is no block, with its reason', async () => {
  for (const [sql, reason] of Object.entries(REASONS))
    expect([sql, await follower.plan([sql])]).toEqual([sql, reason]);
});
