import { afterAll, beforeAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

let follower: QueryFollower;

beforeAll(async () => {
  follower = await QueryFollower.start();
});
afterAll(() => follower.stop());

/** Of no rows, so that only what Postgres works out before can raise an error. */
const NOBODY = 'FROM issues WHERE id = -1';

/** What is an error with 0, and none with 1. */
const FOLDED: readonly string[] = [
  `SELECT 1 / $1::int ${NOBODY}`,
  `SELECT 1 / CASE WHEN $1::int = 0 THEN 0 ELSE priority END ${NOBODY}`,
  `SELECT 1 / CASE WHEN $1::int = 1 THEN priority ELSE 0 END ${NOBODY}`,
  `SELECT 1 / CASE WHEN $1::int = 1 THEN priority WHEN $1 = 0 THEN $1 ELSE id END ${NOBODY}`,
  `SELECT 1 / CASE WHEN $1::int = 1 OR priority > 1 AND $1 <> 0 THEN priority ELSE 0 END ${NOBODY}`,
  `SELECT 1 / coalesce(nullif($1::int, 1), priority) ${NOBODY}`,
  `SELECT 1 / coalesce(NULL, nullif($1::int, 1), priority, 0) ${NOBODY}`,
  `SELECT 1 / (priority > 1 AND $1::int = 1)::int ${NOBODY}`,
  `SELECT 1 / (NOT (priority > 1 OR $1::int = 0))::int ${NOBODY}`,
  `SELECT 1 / (1 - CASE WHEN $1::int = 1 THEN priority ELSE 1 + coalesce($1, priority) END) ${NOBODY}`,
  `SELECT id FROM issues WHERE id = -1 AND 1 / CASE WHEN $1::int = 0 THEN 0 ELSE priority END = 1`,
  `SELECT u.id FROM users u WHERE u.id = -1 AND EXISTS (SELECT FROM issues i WHERE i.id = u.id AND 1 / coalesce(nullif($1::int, 1), i.id) = 1)`,
  `SELECT sum(1 / CASE WHEN $1::int = 0 THEN 0 ELSE priority END) ${NOBODY}`,
  `SELECT id ${NOBODY} ORDER BY 1 / CASE WHEN $1::int = 0 THEN 0 ELSE priority END`,
  // Of what a CASE does not come to nothing is worked out.
  `SELECT CASE WHEN $1::int = 1 THEN 1 / 2 ELSE 1 / CASE WHEN $1::int = 0 THEN 0 ELSE priority END END ${NOBODY}`,
];

test('an error that Postgres raises before it looks at a row is raised, whatever a CASE has beside it', async () => {
  const queries = FOLDED.flatMap((sql): FollowedQuery[] => [
    [sql, ['0']],
    [sql, ['1']],
  ]);
  const { reasons, untold } = await follower.follow(queries, 1);
  expect(reasons).toEqual({});
  expect(untold).toBe(FOLDED.length);
});

test('what is chosen by parameters, and raises nothing, is followed', async () => {
  const { reasons, untold } = await follower.follow(
    [
      [`SELECT id, coalesce($1::int, priority) * 2 FROM issues`, [null]],
      [`SELECT id FROM issues ORDER BY CASE WHEN $1::int = 1 THEN priority ELSE id END, id`, ['1']],
      [`SELECT id, CASE WHEN $1::int = 0 THEN 1 / $1 ELSE priority END FROM issues`, ['1']],
    ],
    20,
  );
  expect([reasons, untold]).toEqual([{}, 0]);
});

test('of what there is too much to work out the reason is told', async () => {
  const deep = Array.from({ length: 40 }).reduce<string>(
    (inner) =>
      `CASE WHEN $1::int = 0 THEN 1 + ${inner} WHEN $1 = 1 THEN 2 + ${inner.length > 900 ? '1' : inner} ELSE priority END`,
    'coalesce($1, priority)',
  );
  const { reasons } = await follower.follow([[`SELECT ${deep} FROM issues`, ['2']]], 0);
  expect(Object.values(reasons)).toEqual([expect.stringContaining('Sluice does not follow it')]);
});
