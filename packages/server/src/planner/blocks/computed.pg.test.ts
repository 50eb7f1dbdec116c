import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

const INTS = ['int[]'];

const QUERIES: readonly FollowedQuery[] = [
  ['SELECT i.id, i.title FROM issues i JOIN unnest($1::int[]) AS x ON x = i.id', ['{1,2,5}'], INTS],
  [
    'SELECT x, i.id FROM unnest($1::int[]) AS x LEFT JOIN issues i ON i.project_id = x',
    ['{1,2,2,NULL}'],
    INTS,
  ],
  [
    'SELECT x, n, i.id FROM unnest($1::int[]) WITH ORDINALITY AS u(x, n) JOIN issues i ON i.id = x ORDER BY n',
    ['{3,1,2}'],
    INTS,
  ],
  [
    'SELECT v.a, v.b, u.name FROM (VALUES (1, $1::int), (2, 7), (3, NULL)) v(a, b) LEFT JOIN users u ON u.id = v.a',
    ['4'],
  ],
  ['SELECT u.id FROM users u WHERE (u.id, u.boss_id) IN (VALUES (1, 2), (2, 3), (3, $1::int))', ['1']],
  [
    'SELECT n, count(i.id) FROM generate_series(1, $1::int) AS n LEFT JOIN issues i ON i.priority = n GROUP BY n ORDER BY n',
    ['4'],
  ],
  ['SELECT i.id, n FROM issues i CROSS JOIN LATERAL generate_series(1, i.priority) AS n'],
  [
    'SELECT i.id, n FROM issues i LEFT JOIN LATERAL generate_series(i.priority, 4, 2) AS n ON true WHERE i.project_id = $1',
    ['1'],
  ],
  ['SELECT i.id, n FROM issues i, generate_series(3, 1, -1) AS n WHERE n = i.priority'],
  [
    `SELECT d::date AS day, count(i.id) FROM generate_series('2024-01-01'::timestamptz, '2024-01-05'::timestamptz, '1 day') AS d LEFT JOIN issues i ON i.at = d GROUP BY d`,
  ],
  [`SELECT i.id, s.part FROM issues i, LATERAL string_to_table(i.title, 'b') AS s(part)`],
  [
    `SELECT i.id, a, n FROM issues i, LATERAL unnest(ARRAY[i.priority, i.project_id]) WITH ORDINALITY AS u(a, n)`,
  ],
  [
    'SELECT i.id, u.a, u.b FROM issues i, LATERAL unnest(ARRAY[i.priority, i.project_id], ARRAY[i.title]) AS u(a, b)',
  ],
  [`SELECT x.value FROM jsonb_array_elements('[1, "a", {"b": null}]'::jsonb) AS x`],
  [
    `SELECT u.id, x.key, x.value FROM users u, jsonb_each_text('{"1": "a", "2": null, "3": {"b": 1}}'::jsonb) AS x WHERE x.key = u.id::text`,
  ],
  [
    `SELECT x, k FROM json_array_elements_text('["a", null, 2 ]'::json) AS x, json_object_keys('{"p":1,"q":2}'::json) AS k`,
  ],
  ['SELECT id, generate_series(1, priority) AS n FROM issues'],
  [
    'SELECT id, unnest(ARRAY[priority, 7]) AS x, generate_series(1, 3) AS n FROM issues WHERE project_id = $1',
    ['1'],
  ],
  [
    'SELECT u.id, x FROM issues i LEFT JOIN users u ON u.id = i.assignee_id, LATERAL unnest(ARRAY[u.id, u.boss_id, 5]) AS x',
  ],
  [
    'SELECT u.id, n FROM users u JOIN issues i ON i.assignee_id = u.id, LATERAL generate_series(u.id, i.priority) AS n',
  ],
  [
    'SELECT u.id, n FROM users u LEFT JOIN issues i ON i.assignee_id = u.id LEFT JOIN LATERAL generate_series(1, i.priority) AS n ON n > 1',
  ],
  [`SELECT x, i.id FROM upper('a') AS x JOIN issues i ON upper(i.title) = x`],
  [
    'SELECT id FROM issues i WHERE EXISTS (SELECT FROM generate_series(1, i.priority) AS n WHERE n = i.project_id)',
  ],
  ['SELECT id, (SELECT sum(n) FROM generate_series(1, i.priority) AS n) AS s FROM issues i'],
  ['SELECT id FROM issues WHERE priority IN (SELECT unnest($1::int[]))', ['{1,3}'], INTS],
  ['SELECT generate_subscripts($1::int[], 1) AS n', ['{4,5,6}'], INTS],
  ['VALUES (1, 2), (3, $1::int)', ['4']],
  ['VALUES (1), (2) UNION SELECT id FROM users ORDER BY 1'],
  // Where Postgres raises an error nothing is held.
  ['SELECT i.id, n FROM issues i, generate_series(1, 5, i.priority - 3) AS n'],
];

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

test('VALUES and functions that return sets stay equal to Postgres', async () => {
  const { changed, told, reasons } = await follower.follow(QUERIES, 60);
  expect(reasons).toEqual({});
  expect(changed).toBeGreaterThan(300);
  expect(told).toBeGreaterThan(changed / 2);
}, 120_000);

test('functions that are not computed are run again', async () => {
  const { reasons } = await follower.follow(
    [
      [`SELECT * FROM regexp_split_to_table('a b', ' ')`],
      [`SELECT * FROM jsonb_to_recordset('[{"a":1}]') AS x(a int)`],
      ['SELECT * FROM generate_series(1, (SELECT count(*)::int FROM users))'],
    ],
    0,
  );
  expect(Object.values(reasons)).toEqual([
    'It reads from a function that Sluice does not compute. (regexp_split_to_table)',
    'It reads from a function that Sluice does not compute. (jsonb_to_recordset)',
    'It has a subquery within VALUES, or within a function in FROM.',
  ]);
});
