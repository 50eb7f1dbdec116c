import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const ISSUES: readonly FollowedQuery[] = [
  ['SELECT count(*), count(title), count(DISTINCT project_id), avg(priority), sum(priority) FROM issues'],
  [
    'SELECT project_id, avg(priority), avg(DISTINCT priority), sum(DISTINCT priority) FROM issues GROUP BY project_id',
  ],
  [
    'SELECT min(title), max(title), min(status), max(at), max(at::date) FROM issues WHERE project_id = $1',
    ['1'],
  ],
  ['SELECT every(active), bool_or(active), bool_and(id > 1) FROM users'],
  ['SELECT bit_and(priority), bit_or(priority), bit_xor(priority), bit_xor(DISTINCT -id) FROM issues'],
  ['SELECT project_id, array_agg(id ORDER BY id DESC) FROM issues GROUP BY project_id'],
  ['SELECT array_agg(title ORDER BY title NULLS FIRST, id), array_agg(DISTINCT title) FROM issues'],
  ["SELECT string_agg(title, ', ' ORDER BY at DESC NULLS LAST, id) FROM issues WHERE project_id = $1", ['1']],
  ["SELECT string_agg(DISTINCT title, '-'), string_agg(title, title ORDER BY id) FROM issues"],
  ['SELECT json_agg(id ORDER BY id), json_agg(title ORDER BY id), json_agg(status ORDER BY id) FROM issues'],
  ['SELECT json_agg(at ORDER BY id), jsonb_agg(at ORDER BY id), jsonb_agg(DISTINCT title) FROM issues'],
  ['SELECT json_agg(i ORDER BY i.id), jsonb_agg(i ORDER BY i.id) FROM issues i WHERE project_id = $1', ['1']],
  ['SELECT json_object_agg(id, title ORDER BY id), jsonb_object_agg(id, title) FROM issues'],
  ["SELECT jsonb_object_agg(coalesce(title, ''), id ORDER BY id DESC) FROM issues"],
  [
    'SELECT json_agg(id ORDER BY id) FILTER (WHERE priority > 1), count(*) FILTER (WHERE title IS NULL) FROM issues',
  ],
  [
    'SELECT p.id, p.name, json_agg(i ORDER BY i.id) FROM projects p LEFT JOIN issues i ON i.project_id = p.id GROUP BY p.id',
  ],
  ['SELECT u.id, count(i) FROM users u LEFT JOIN issues i ON i.assignee_id = u.id GROUP BY u.id'],
  ['SELECT upper(title), count(*) FROM issues GROUP BY upper(title) HAVING min(id) > 2'],
  ['SELECT priority % 2 = 0 AS even, count(*) * 2 + 1 FROM issues GROUP BY priority % 2 = 0 ORDER BY even'],
  ['SELECT status, count(*) FROM issues GROUP BY status HAVING count(*) > 1 AND bool_or(title IS NOT NULL)'],
  ['SELECT json_agg(id), array_agg(title), string_agg(title, $1) FROM issues', [','], ['text']],
  ['SELECT json_object_agg(coalesce(title, $1), id) FROM issues', ['-'], ['text']],
  [
    'SELECT i.id, (SELECT json_agg(c.body ORDER BY c.id) FROM comments c WHERE c.issue_id = i.id) FROM issues i',
  ],
  ['SELECT json_agg(x) FROM (SELECT id, title FROM issues ORDER BY at, id) x'],
  ['SELECT json_agg(x.id) FROM (SELECT id FROM issues ORDER BY at DESC, id LIMIT 3) x'],
  ['SELECT row_to_json(i), to_jsonb(i), json_build_object($1::text, i) FROM issues i', ['it'], ['text']],
  ['SELECT to_json(ROW(id, title)), ROW(id, title, NULL, project_id) FROM issues'],
  ['SELECT row_to_json(v) FROM open_issues v WHERE assignee_id = $1', ['1']],
  ['SELECT count(DISTINCT (project_id, assignee_id)), count(DISTINCT ROW(title, id % 2)) FROM issues'],
  [
    'SELECT project_id, assignee_id, count(*), grouping(project_id, assignee_id) FROM issues GROUP BY ROLLUP (project_id, assignee_id)',
  ],
  [
    'SELECT status, priority, sum(id) FROM issues GROUP BY CUBE (status, priority) HAVING grouping(status) = 0 OR count(*) > 1',
  ],
  [
    'SELECT project_id, status, count(*) FROM issues GROUP BY GROUPING SETS ((project_id), (status), (), (project_id))',
  ],
  [
    'SELECT p.id, p.name, i.status, count(i.id) FROM projects p JOIN issues i ON i.project_id = p.id GROUP BY GROUPING SETS ((p.id, i.status), (p.id))',
  ],
];

/** Subqueries beside groups. */
const APART: readonly FollowedQuery[] = [
  [
    'SELECT project_id, count(*), (SELECT name FROM projects p WHERE p.id = i.project_id) FROM issues i GROUP BY project_id',
  ],
  [
    'SELECT p.id, p.name, count(i.id) AS n FROM projects p LEFT JOIN issues i ON i.project_id = p.id GROUP BY p.id HAVING count(i.id) >= (SELECT count(*) FROM labels) ORDER BY n, p.id',
  ],
  [
    'SELECT assignee_id, max(priority) FROM issues i GROUP BY assignee_id HAVING EXISTS (SELECT FROM comments c WHERE c.user_id = i.assignee_id) AND count(*) > $1',
    ['1'],
  ],
  ['SELECT priority % 2, (SELECT count(*) FROM users) - priority % 2 FROM issues GROUP BY priority % 2'],
  [
    'SELECT project_id, count(*) FROM issues GROUP BY project_id HAVING project_id IN (SELECT id FROM projects WHERE team_id = $1)',
    ['1'],
  ],
  [
    'SELECT status, (SELECT count(*) FROM issues o WHERE o.priority >= max(i.priority)), count(*) + (SELECT count(*) FROM users) FROM issues i GROUP BY status',
  ],
  [
    'SELECT project_id, rank() OVER (ORDER BY count(*)), (SELECT min(name COLLATE "C") FROM projects p WHERE p.id = i.project_id) FROM issues i GROUP BY project_id',
  ],
  [
    'SELECT project_id, status, grouping(status), (SELECT count(*) FROM projects p WHERE p.id = i.project_id) FROM issues i GROUP BY ROLLUP (project_id, status)',
  ],
];

const AMOUNTS: readonly FollowedQuery[] = [
  [
    'SELECT sum(small), sum(big), sum(exact), sum(price), avg(small), avg(big), avg(exact), avg(price) FROM amounts',
  ],
  ['SELECT issue_id, sum(exact), avg(exact), count(DISTINCT exact) FROM amounts GROUP BY issue_id'],
  ['SELECT min(exact), max(exact), min(span), max(span) FROM amounts', [], [], 'left'],
  ['SELECT min(price), max(price), min(ratio), max(ratio), min(big), max(small), max(tags) FROM amounts'],
  ['SELECT exact, count(*) FROM amounts GROUP BY exact', [], [], 'left'],
  ['SELECT price, data, count(*) FROM amounts GROUP BY price, data'],
  ['SELECT sum(ratio ORDER BY ratio, id), sum(ratio::float4 ORDER BY id) FROM amounts', [], [], 'left'],
  ['SELECT bit_and(small), bit_or(big), bit_xor(big) FROM amounts'],
  ['SELECT json_agg(a ORDER BY id), jsonb_agg(a ORDER BY id) FROM amounts a WHERE issue_id = $1', ['1']],
  [
    'SELECT json_agg(tags ORDER BY id), jsonb_agg(tags ORDER BY id), array_agg(data ORDER BY id) FROM amounts',
  ],
  [
    'SELECT json_agg(data ORDER BY id), jsonb_agg(data ORDER BY id), json_agg(exact ORDER BY id) FROM amounts',
  ],
  [
    'SELECT json_agg(ratio ORDER BY id), jsonb_agg(ratio ORDER BY id), json_agg(span ORDER BY id) FROM amounts',
  ],
  [
    "SELECT string_agg(bytes, '\\x2c'::bytea ORDER BY id), array_agg(bytes ORDER BY id), array_agg(tags ORDER BY id) FILTER (WHERE tags <> '{}') FROM amounts",
    [],
    [],
    'left',
  ],
  ['SELECT json_object_agg(price, exact ORDER BY id) FILTER (WHERE price IS NOT NULL) FROM amounts'],
  [
    'SELECT sum(DISTINCT exact), avg(DISTINCT price), json_agg(DISTINCT price), array_agg(DISTINCT span) FROM amounts',
    [],
    [],
    'left',
  ],
  [
    'SELECT count(DISTINCT span), count(DISTINCT data), count(DISTINCT tags), sum(DISTINCT price) FROM amounts',
  ],
  ['SELECT jsonb_object_agg(span, data ORDER BY id) FROM amounts'],
];

const REFUSED: Readonly<Record<string, string>> = {
  'SELECT stddev(priority) FROM issues': 'It has an aggregate that Sluice does not maintain. (stddev)',
  'SELECT sum(ratio) FROM amounts':
    'It adds floating-point numbers, whose sum depends on the order in which Postgres reads them.',
  'SELECT sum(ratio ORDER BY issue_id) FROM amounts':
    'It adds floating-point numbers, whose sum depends on the order in which Postgres reads them.',
  'SELECT avg(ratio) FROM amounts':
    'It adds floating-point numbers, whose sum depends on the order in which Postgres reads them.',
  'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY priority) FROM issues':
    'It has an aggregate that Sluice does not maintain. (percentile_cont)',
};

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('aggregates stay equal to Postgres', async () => {
  const { changed, untold, reasons } = await follower.follow([...ISSUES, ...APART, ...AMOUNTS], 80);
  expect(reasons).toEqual({});
  expect(changed).toBeGreaterThan(300);
  expect(untold).toBeLessThan(500);
}, 240_000);

test('what is not maintained is re-run, with the reason', async () => {
  for (const [sql, reason] of Object.entries(REFUSED)) expect(await follower.plan([sql])).toBe(reason);
});
