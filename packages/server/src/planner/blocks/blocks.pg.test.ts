import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const QUERIES: readonly FollowedQuery[] = [
  ['SELECT id, title FROM issues WHERE project_id = $1', ['1']],
  [
    `SELECT id, upper(title) AS t, priority * 2 + 1 AS p FROM issues WHERE status = 'open' AND priority > $1`,
    ['1'],
  ],
  ['SELECT i.id, u.name FROM issues i JOIN users u ON u.id = i.assignee_id WHERE i.project_id = $1', ['1']],
  [
    'SELECT i.id, u.name FROM issues i LEFT JOIN users u ON u.id = i.assignee_id AND u.active WHERE i.project_id = $1',
    ['1'],
  ],
  ['SELECT i.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE u.id IS NULL'],
  ['SELECT u.name, b.name FROM users u LEFT JOIN users b ON b.id = u.boss_id'],
  [
    'SELECT p.name, i.title, u.name FROM projects p, issues i, users u WHERE i.project_id = p.id AND u.id = i.assignee_id AND p.team_id = $1',
    ['1'],
  ],
  ['SELECT i.id FROM issues i RIGHT JOIN projects p ON p.id = i.project_id WHERE p.team_id = 1'],
  [
    `SELECT id FROM issues i WHERE EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id AND c.user_id = $1)`,
    ['1'],
  ],
  ['SELECT id FROM issues i WHERE NOT EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id)'],
  [`SELECT id FROM issues WHERE project_id IN (SELECT id FROM projects WHERE team_id = $1)`, ['1']],
  [`SELECT id FROM issues WHERE assignee_id NOT IN (SELECT id FROM users WHERE active)`],
  [`SELECT id FROM users WHERE id NOT IN (SELECT assignee_id FROM issues)`],
  [
    `SELECT id FROM issues WHERE project_id = ANY (SELECT p.id FROM projects p JOIN members m ON m.team_id = p.team_id WHERE m.user_id = $1)`,
    ['1'],
  ],
  ['SELECT status, count(*) FROM issues WHERE project_id = $1 GROUP BY status', ['1']],
  ['SELECT count(*), sum(priority), min(at), max(priority), bool_and(priority > 0) FROM issues'],
  [
    `SELECT p.name, count(i.id) FILTER (WHERE i.status = 'open') AS open, count(DISTINCT i.assignee_id) FROM projects p LEFT JOIN issues i ON i.project_id = p.id GROUP BY p.id`,
  ],
  ['SELECT assignee_id, count(*) AS n FROM issues GROUP BY assignee_id HAVING count(*) > 1'],
  ['SELECT DISTINCT status, priority FROM issues'],
  ['SELECT DISTINCT i.project_id FROM issues i JOIN comments c ON c.issue_id = i.id'],
  ['SELECT id, priority FROM issues ORDER BY priority DESC NULLS LAST, id LIMIT 3'],
  ['SELECT id FROM issues WHERE project_id = $1 ORDER BY at, title, id LIMIT 2 OFFSET 1', ['1']],
  ['SELECT u.name, (SELECT count(*) FROM issues i WHERE i.assignee_id = u.id) AS n FROM users u'],
  [
    'SELECT u.name, (SELECT max(priority) FROM issues i WHERE i.assignee_id = u.id AND i.project_id = $1) AS top FROM users u',
    ['1'],
  ],
  [
    'SELECT t.name, s.n FROM teams t JOIN (SELECT team_id, count(*) AS n FROM projects GROUP BY team_id) s ON s.team_id = t.id',
  ],
  [
    'SELECT i.id, l.body FROM issues i CROSS JOIN LATERAL (SELECT c.body FROM comments c WHERE c.issue_id = i.id ORDER BY c.id DESC LIMIT 1) l',
  ],
  [
    'SELECT i.id, l.body FROM issues i LEFT JOIN LATERAL (SELECT c.body FROM comments c WHERE c.issue_id = i.id ORDER BY c.id DESC LIMIT 1) l ON true WHERE i.project_id = $1',
    ['1'],
  ],
  ['SELECT id, project FROM open_issues WHERE assignee_id = $1', ['1']],
  [
    'WITH mine AS (SELECT * FROM issues WHERE assignee_id = $1) SELECT m.id, p.name FROM mine m JOIN projects p ON p.id = m.project_id',
    ['1'],
  ],
  [
    'SELECT i.id FROM issues i JOIN projects p ON p.id = i.project_id JOIN members m ON m.team_id = p.team_id WHERE m.user_id = $1',
    ['1'],
  ],
  [
    `SELECT CASE WHEN priority > 2 THEN 'high' ELSE coalesce(title, '-') END AS c, id FROM issues WHERE title LIKE 'a%' OR priority IN (1, 2)`,
  ],
  [
    'SELECT a.id, b.id FROM issues a JOIN issues b ON a.priority = b.priority AND a.id < b.id WHERE a.project_id = $1',
    ['1'],
  ],
  [
    'SELECT count(*) FROM issues i WHERE i.priority > (SELECT count(*) FROM comments c WHERE c.issue_id = i.id)',
  ],
  [
    'SELECT u.id FROM users u WHERE (SELECT count(*) FROM issues i WHERE i.assignee_id = u.id) > (SELECT count(*) FROM comments c WHERE c.user_id = u.id)',
  ],
];

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('queries of an application are blocks, and stay equal to Postgres', async () => {
  const { changed, reasons } = await follower.follow(QUERIES, 60);
  expect(reasons).toEqual({});
  expect(changed).toBeGreaterThan(200);
}, 120_000);
