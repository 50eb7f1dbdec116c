import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const QUERIES: readonly FollowedQuery[] = [
  ['SELECT id, assignee_id IN (SELECT boss_id FROM users) AS x FROM issues'],
  ['SELECT id, assignee_id NOT IN (SELECT boss_id FROM users) AS x FROM issues'],
  ['SELECT id, assignee_id NOT IN (SELECT id FROM users WHERE active) AS x FROM issues'],
  ['SELECT id, (priority > ANY (SELECT boss_id FROM users)) AS x FROM issues'],
  ['SELECT id, (priority > ALL (SELECT boss_id FROM users)) AS x FROM issues'],
  ['SELECT id, (priority <> ALL (SELECT boss_id FROM users)) AS x FROM issues'],
  ['SELECT id, (priority = ALL (SELECT boss_id FROM users WHERE id = $1)) AS x FROM issues', ['2']],
  ['SELECT id FROM issues WHERE priority <= ALL (SELECT priority FROM issues WHERE project_id = $1)', ['1']],
  ['SELECT id FROM issues WHERE NOT (priority <= ALL (SELECT boss_id FROM users))'],
  ['SELECT id FROM issues WHERE NOT (priority < ANY (SELECT boss_id FROM users))'],
  ['SELECT id FROM issues WHERE priority = 1 OR assignee_id IN (SELECT id FROM users WHERE active)'],
  ['SELECT id FROM issues WHERE priority = 1 OR assignee_id NOT IN (SELECT boss_id FROM users)'],
  [
    `SELECT id FROM issues WHERE CASE WHEN assignee_id IN (SELECT boss_id FROM users) THEN priority > 1 ELSE status = 'open' END`,
  ],
  ['SELECT id FROM issues WHERE (assignee_id IN (SELECT boss_id FROM users)) IS UNKNOWN'],
  ['SELECT id, coalesce(priority, 2) IN (SELECT id FROM projects) AS x FROM issues'],
  [
    'SELECT i.id, i.priority IN (SELECT c.user_id FROM comments c WHERE c.issue_id = i.id) AS x FROM issues i',
  ],
  [
    'SELECT i.id FROM issues i WHERE i.priority NOT IN (SELECT c.user_id FROM comments c WHERE c.issue_id = i.id)',
  ],
  [
    'SELECT i.id, EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id) OR i.priority > 2 AS x FROM issues i',
  ],
  [
    'SELECT i.id FROM issues i WHERE EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id) OR NOT EXISTS (SELECT FROM labels l WHERE l.issue_id = i.id)',
  ],
  [
    'SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id)), count(*) FROM issues i',
  ],
  // Rows.
  ['SELECT id FROM comments WHERE (issue_id, user_id) IN (SELECT id, assignee_id FROM issues)'],
  ['SELECT id, (issue_id, user_id) IN (SELECT id, assignee_id FROM issues) AS x FROM comments'],
  ['SELECT id, (issue_id, user_id) NOT IN (SELECT id, assignee_id FROM issues) AS x FROM comments'],
  [
    'SELECT id, (issue_id, user_id) = (SELECT id, assignee_id FROM issues WHERE id = $1) AS x FROM comments',
    ['1'],
  ],
  [
    'SELECT id, (issue_id, user_id) < (SELECT id, assignee_id FROM issues WHERE id = $1) AS x FROM comments',
    ['2'],
  ],
  [
    'SELECT id, (priority, project_id) < (assignee_id, 2) AS x, (priority, id) >= ($1, 3) AS y FROM issues',
    ['2'],
  ],
  [
    'SELECT id FROM issues WHERE (priority, assignee_id, id) > (project_id, 1, 2) AND (priority, id) <= (3, 4)',
  ],
  ['SELECT id FROM issues WHERE (priority, assignee_id) = ($1, $2)', ['1', '2']],
  ['SELECT id, (priority, project_id) <> (assignee_id, 2) AS x FROM issues'],
  // What an operand is may itself be a subquery.
  [
    'SELECT u.id, (SELECT max(i.priority) FROM issues i WHERE i.assignee_id = u.id) NOT IN (SELECT boss_id FROM users) AS x FROM users u',
  ],
  ['SELECT id FROM issues WHERE (priority IN (SELECT boss_id FROM users)) IN (SELECT active FROM users)'],
  [
    'SELECT u.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE u.boss_id IN (SELECT id FROM users)',
  ],
  [
    'SELECT i.id, coalesce(u.boss_id, 1) IN (SELECT id FROM users) AS x FROM issues i LEFT JOIN users u ON u.id = i.assignee_id',
  ],
  ['SELECT id, (SELECT u.name FROM users u WHERE u.boss_id = i.assignee_id) AS n FROM issues i'],
];

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('IN, ANY and ALL of subqueries, also as values, stay equal to Postgres', async () => {
  const { changed, told, reasons } = await follower.follow(QUERIES, 80);
  expect(reasons).toEqual({});
  expect(told).toBeGreaterThan(changed / 2);
  expect(changed).toBeGreaterThan(400);
}, 120_000);
