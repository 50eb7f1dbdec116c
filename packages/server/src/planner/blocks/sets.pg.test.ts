import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const QUERIES: readonly FollowedQuery[] = [
  ['SELECT id FROM users UNION ALL SELECT assignee_id FROM issues'],
  ['SELECT id FROM users UNION SELECT assignee_id FROM issues'],
  ['SELECT id FROM users INTERSECT SELECT assignee_id FROM issues'],
  ['SELECT assignee_id FROM issues INTERSECT ALL SELECT user_id FROM comments'],
  ['SELECT id FROM users EXCEPT SELECT assignee_id FROM issues'],
  ['SELECT assignee_id FROM issues EXCEPT ALL SELECT user_id FROM comments'],
  [
    'SELECT id, title FROM issues WHERE project_id = $1 UNION SELECT c.id, c.body FROM comments c WHERE c.user_id = $2',
    ['1', '2'],
  ],
  [`(SELECT id FROM users UNION SELECT id FROM teams) EXCEPT SELECT id FROM projects ORDER BY 1 DESC`],
  [
    `SELECT id FROM users UNION ALL (SELECT id FROM teams INTERSECT SELECT id FROM projects) ORDER BY id LIMIT 3 OFFSET 1`,
  ],
  [
    `(SELECT id, 'i' AS kind FROM issues ORDER BY priority, id LIMIT 2) UNION ALL (SELECT id, 'c' FROM comments ORDER BY id LIMIT 2) ORDER BY id, kind`,
  ],
  // Of several types, told apart before they are cast.
  ['SELECT id FROM users UNION SELECT priority::int8 FROM issues'],
  ['SELECT id::int2 FROM users UNION ALL SELECT id FROM issues UNION ALL SELECT priority::int8 FROM issues'],
  ['(SELECT assignee_id FROM issues EXCEPT ALL SELECT 1 FROM teams) UNION ALL SELECT id::int8 FROM users'],
  [`SELECT name FROM teams UNION SELECT status::text FROM issues`],
  // Within other queries.
  [
    'SELECT s.id, u.name FROM (SELECT assignee_id AS id FROM issues UNION SELECT user_id FROM comments) s JOIN users u ON u.id = s.id',
  ],
  [
    'SELECT count(*), max(s.x) FROM (SELECT priority AS x FROM issues WHERE project_id = $1 UNION ALL SELECT user_id FROM comments) s',
    ['1'],
  ],
  [
    'SELECT u.id FROM users u WHERE EXISTS (SELECT FROM issues i WHERE i.assignee_id = u.id UNION ALL SELECT FROM comments c WHERE c.user_id = u.id)',
  ],
  [
    'SELECT id FROM users WHERE id IN (SELECT assignee_id FROM issues INTERSECT SELECT user_id FROM comments)',
  ],
  [
    'SELECT id FROM users WHERE id NOT IN (SELECT assignee_id FROM issues UNION SELECT user_id FROM comments)',
  ],
  [
    'SELECT * FROM (SELECT id, project_id AS p FROM issues UNION ALL SELECT id, team_id FROM projects) s WHERE s.p = $1',
    ['1'],
  ],
  [
    'SELECT u.id, l.n FROM users u CROSS JOIN LATERAL (SELECT i.id AS n FROM issues i WHERE i.assignee_id = u.id EXCEPT SELECT c.issue_id FROM comments c WHERE c.user_id = u.id) l',
  ],
  [
    'WITH s AS (SELECT id FROM issues WHERE priority > $1 UNION SELECT issue_id FROM labels) SELECT s.id, i.title FROM s LEFT JOIN issues i ON i.id = s.id',
    ['1'],
  ],
  // LIMIT.
  ['SELECT priority FROM issues ORDER BY priority DESC NULLS LAST FETCH FIRST 3 ROWS WITH TIES'],
  [
    'SELECT priority FROM issues WHERE project_id = $1 ORDER BY priority OFFSET $2 FETCH FIRST 1 ROW WITH TIES',
    ['1', '1'],
  ],
  [
    'SELECT p.id, l.priority FROM projects p, LATERAL (SELECT i.priority FROM issues i WHERE i.project_id = p.id ORDER BY i.priority FETCH FIRST ROW WITH TIES) l',
  ],
  ['SELECT id FROM users UNION ALL SELECT priority FROM issues ORDER BY id LIMIT $1 OFFSET $2', ['4', '2']],
  ['SELECT id FROM issues ORDER BY id LIMIT NULL OFFSET $1', ['2']],
  ['SELECT id FROM issues ORDER BY id LIMIT $1', ['-1']],
];

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('set operations stay equal to Postgres', async () => {
  const { changed, told, reasons } = await follower.follow(QUERIES, 60);
  expect(reasons).toEqual({});
  expect(told).toBeGreaterThan(changed / 2);
  expect(changed).toBeGreaterThan(200);
}, 120_000);

test('where equal rows print differently only Postgres tells which is shown', async () => {
  const { changed, untold, reasons } = await follower.follow(
    [
      ['SELECT 1.0 AS n UNION SELECT priority FROM issues WHERE id < 4'],
      ['SELECT priority::numeric FROM issues EXCEPT SELECT 1.00'],
      ['SELECT exact FROM amounts INTERSECT SELECT price FROM amounts'],
      ['SELECT exact, span FROM amounts UNION SELECT price, span FROM amounts WHERE price > $1', ['1']],
      ['SELECT DISTINCT exact FROM amounts'],
      ['SELECT DISTINCT ROW(span), data FROM amounts'],
    ],
    60,
    { mayBeUntold: true },
  );
  expect(reasons).toEqual({});
  expect(untold).toBeGreaterThan(20);
  expect(changed).toBeGreaterThan(50);
});
