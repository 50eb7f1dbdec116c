import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const QUERIES: readonly FollowedQuery[] = [
  // Outer joins in every association.
  [
    'SELECT u.id, i.id, p.name FROM users u LEFT JOIN (issues i JOIN projects p ON p.id = i.project_id) ON i.assignee_id = u.id',
  ],
  [
    'SELECT u.id, i.id, p.id FROM users u LEFT JOIN (issues i LEFT JOIN projects p ON p.id = i.project_id AND p.team_id = $1) ON i.assignee_id = u.id AND p.id IS NULL',
    ['1'],
  ],
  [
    'SELECT i.id, u.id, b.id FROM (issues i LEFT JOIN users u ON u.id = i.assignee_id) LEFT JOIN users b ON b.id = u.boss_id',
  ],
  [
    'SELECT i.id, u.id, c.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id LEFT JOIN comments c ON c.issue_id = i.id AND c.user_id = u.id',
  ],
  [
    'SELECT i.id, p.id, c.id FROM comments c RIGHT JOIN (issues i RIGHT JOIN projects p ON p.id = i.project_id) ON c.issue_id = i.id',
  ],
  [
    'SELECT i.id, c.id, u.name FROM issues i LEFT JOIN (comments c LEFT JOIN users u ON u.id = c.user_id) ON c.issue_id = i.id WHERE i.project_id = $1',
    ['1'],
  ],
  [
    'SELECT p.id, x.id, x.n FROM projects p LEFT JOIN (SELECT i.id, i.project_id, count(c.id) AS n FROM issues i LEFT JOIN comments c ON c.issue_id = i.id GROUP BY i.id, i.project_id) x ON x.project_id = p.id',
  ],
  [
    'SELECT t.id, p.id, i.id FROM teams t LEFT JOIN projects p ON p.team_id = t.id LEFT JOIN issues i ON i.project_id = p.id AND i.priority > t.id',
  ],
  // Made inner by what is above.
  ['SELECT i.id, u.name FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE u.active'],
  [
    'SELECT i.id, u.id, b.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id LEFT JOIN users b ON b.id = u.boss_id WHERE b.id > 1',
  ],
  ['SELECT i.id, p.id FROM issues i FULL JOIN projects p ON p.id = i.project_id WHERE i.priority > 1'],
  ['SELECT i.id, p.id FROM issues i FULL JOIN projects p ON p.id = i.project_id WHERE p.team_id = $1', ['1']],
  [
    'SELECT i.id, u.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE u.boss_id IS NOT NULL OR u.active',
  ],
  [
    'SELECT i.id, u.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE coalesce(u.boss_id, 1) = 1',
  ],
  // FULL JOIN.
  ['SELECT i.id, u.id FROM issues i FULL JOIN users u ON u.id = i.assignee_id'],
  ['SELECT id, i.title, p.name FROM issues i FULL JOIN projects p USING (id)'],
  [
    'SELECT coalesce(i.id, u.id) AS x, count(*) FROM issues i FULL JOIN users u ON u.id = i.assignee_id AND i.priority > 1 GROUP BY 1',
  ],
  [
    'SELECT u.id, x.i, x.p FROM users u LEFT JOIN (SELECT i.id AS i, p.id AS p, i.assignee_id AS a FROM issues i FULL JOIN projects p ON p.id = i.project_id) x ON x.a = u.id',
  ],
  [
    'SELECT i.id, u.id, c.id FROM (issues i FULL JOIN users u ON u.id = i.assignee_id) FULL JOIN comments c ON c.issue_id = i.id',
  ],
  // Joined by anything.
  ['SELECT a.id, b.id FROM issues a JOIN issues b ON a.priority < b.priority AND a.project_id = $1', ['1']],
  ['SELECT a.id, b.id FROM users a LEFT JOIN users b ON b.boss_id > a.id'],
  ['SELECT t.id, p.id FROM teams t CROSS JOIN projects p'],
  ['SELECT t.id, p.id FROM teams t LEFT JOIN projects p ON true'],
  ['SELECT t.id, p.id FROM teams t LEFT JOIN projects p ON p.team_id = $1', ['1']],
  ['SELECT u.id, i.id FROM users u, issues i WHERE i.priority + u.id = 4'],
  ['SELECT u.id, i.id FROM users u JOIN issues i ON i.assignee_id = u.id OR i.priority = u.id'],
  // Subqueries that depend on several relations, or on one that may be absent.
  [
    'SELECT i.id, u.id, (SELECT count(*) FROM comments c WHERE c.issue_id = i.id AND c.user_id = u.id) AS n FROM issues i JOIN users u ON u.id = i.assignee_id',
  ],
  [
    'SELECT i.id, u.id, (SELECT count(*) FROM comments c WHERE c.user_id = u.id) AS n FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE i.project_id = $1',
    ['1'],
  ],
  [
    'SELECT i.id, l.n FROM issues i LEFT JOIN users u ON u.id = i.assignee_id CROSS JOIN LATERAL (SELECT count(*) AS n FROM comments c WHERE c.user_id = u.id) l',
  ],
  [
    'SELECT i.id, l.id FROM issues i JOIN projects p ON p.id = i.project_id LEFT JOIN LATERAL (SELECT c.id FROM comments c WHERE c.issue_id = i.id AND c.user_id >= p.team_id ORDER BY c.id LIMIT 1) l ON true',
  ],
  [
    'SELECT i.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id AND c.user_id IS NOT DISTINCT FROM u.id)',
  ],
  [
    'SELECT i.id FROM issues i, users u WHERE u.id = i.assignee_id AND i.priority NOT IN (SELECT c.id FROM comments c WHERE c.issue_id = i.id AND c.user_id = u.id)',
  ],
  [
    'SELECT p.id, sum((SELECT count(*) FROM comments c WHERE c.issue_id = i.id AND c.user_id = p.team_id)::int) FROM projects p JOIN issues i ON i.project_id = p.id GROUP BY p.id',
  ],
  // Subqueries in ON.
  [
    'SELECT u.id, i.id FROM users u LEFT JOIN issues i ON i.assignee_id = u.id AND EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id AND c.user_id = u.id)',
  ],
  [
    'SELECT u.id, i.id FROM users u LEFT JOIN issues i ON i.assignee_id = u.id AND i.project_id IN (SELECT id FROM projects WHERE team_id = $1)',
    ['1'],
  ],
  [
    'SELECT u.id, i.id FROM users u LEFT JOIN issues i ON i.assignee_id = u.id AND u.id NOT IN (SELECT user_id FROM comments WHERE id = $1)',
    ['1'],
  ],
  [
    'SELECT i.id, u.id FROM issues i JOIN users u ON u.id = i.assignee_id OR EXISTS (SELECT FROM labels l WHERE l.issue_id = i.id)',
  ],
  ['SELECT $1::int AS a, (SELECT count(*) FROM issues) AS n', ['1']],
  ['SELECT u.id, x.a FROM users u LEFT JOIN (SELECT $1::int AS a) x ON x.a = u.id', ['1']],
];

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('joins of every kind stay equal to Postgres', async () => {
  const { changed, told, reasons } = await follower.follow(QUERIES, 80);
  expect(reasons).toEqual({});
  expect(told).toBeGreaterThan(changed / 2);
  expect(changed).toBeGreaterThan(500);
}, 120_000);
