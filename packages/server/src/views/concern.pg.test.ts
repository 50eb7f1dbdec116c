import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { startViews, type FollowedView, type RunningViews } from '../testing/views.js';

// C9: a change re-runs the views that it may concern, and no others. (That a view which is not re-run is right, for any
// query, is the business of test/src/fuzz/concern.pg.test.ts.)

let database: TestDatabase;
let views: RunningViews;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE project (id int PRIMARY KEY, team int, name text);
    CREATE TABLE issue (id int PRIMARY KEY, project int, state text, title text, body text);
    ALTER TABLE issue REPLICA IDENTITY FULL; ALTER TABLE issue ALTER body SET STORAGE EXTERNAL;
    CREATE TABLE note (id int PRIMARY KEY, issue int, body text);
    INSERT INTO project SELECT n, n % 3, 'p' || n FROM generate_series(1, 6) n;
    INSERT INTO issue SELECT n, 1 + n % 6, 'open', 'issue ' || n, NULL FROM generate_series(1, 60) n;
    INSERT INTO note SELECT n, n % 10, 'note' FROM generate_series(1, 30) n;
    CREATE TABLE amount (id int PRIMARY KEY, v numeric, what text);
    INSERT INTO amount VALUES (1, 1.0, 'a'), (2, 2.0, 'b');
    CREATE VIEW plain AS SELECT i.*, p.team FROM issue i JOIN project p ON p.id = i.project;
    CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM issue;`);
  views = await startViews(database);
});
afterAll(async () => {
  await views.stop();
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await database.drop();
});

/** Which of the views are run again for a statement: those that have a gap in its transaction. */
async function concernedBy(sql: string, all: readonly FollowedView[]): Promise<readonly number[]> {
  for (const view of all) await view.until(() => view.state === 'valid' || view.state === 'error');
  const before = all.map((view) => view.gaps);
  await database.sql(sql);
  const token = await database.sql(
    `SELECT pg_current_wal_insert_lsn() - '0/0' AS lsn FROM pg_logical_emit_message(true, 'sluice.test', '')`,
  );
  const { lsn } = (token.rows as { lsn: string }[])[0] ?? { lsn: '0' };
  await views.until((position) => position >= BigInt(lsn));
  return all.flatMap((view, at) => (view.gaps > (before[at] ?? 0) ? [at] : []));
}

/** Regular expressions are Postgres's to match. */
const BY_PROJECT = `SELECT count(*) FROM issue WHERE project = $1 AND title ~ '^issue'`;

const openAll = (sql: string, ...values: string[]): Promise<FollowedView[]> =>
  Promise.all(values.map((value) => views.open(sql, [value])));

test('a change concerns the bindings that its old or its new row may meet', async () => {
  const all = await openAll(BY_PROJECT, '1', '2', '3', '4');
  expect(all.map(({ gear }) => gear)).toEqual(['rerun', 'rerun', 'rerun', 'rerun']);
  expect(await concernedBy(`INSERT INTO issue VALUES (100, 2, 'open', 'issue')`, all)).toEqual([1]);
  expect(await concernedBy('UPDATE issue SET project = 4 WHERE id = 100', all)).toEqual([1, 3]);
  expect(await concernedBy('DELETE FROM issue WHERE id = 100', all)).toEqual([3]);
  expect(await concernedBy(`INSERT INTO issue VALUES (101, NULL, 'open', 'issue')`, all)).toEqual([]);
  expect(await concernedBy('DELETE FROM issue WHERE id = 101', all)).toEqual([]);
  await Promise.all(all.map((view) => view.shows([['10']])));
  expect(await concernedBy('BEGIN; TRUNCATE issue; ROLLBACK', all)).toEqual([]);
});

test('an old row of which only the key is sent may have been any', async () => {
  const sql = `SELECT count(*) FROM note WHERE issue = $1 AND body ~ 'note'`;
  const all = await openAll(sql, '1', '2', '3');
  expect(await concernedBy(`INSERT INTO note VALUES (100, 2, 'note')`, all)).toEqual([1]);
  expect(await concernedBy('UPDATE note SET issue = 3 WHERE id = 100', all)).toEqual([0, 1, 2]);
  expect(await concernedBy('DELETE FROM note WHERE id = 100', all)).toEqual([0, 1, 2]);
  const ofKey = await openAll(`SELECT count(*) FROM note WHERE id = $1 AND body ~ 'note'`, '1', '2', '3');
  expect(await concernedBy('UPDATE note SET issue = 3 WHERE id = 2', ofKey)).toEqual([1]);
  expect(await concernedBy('UPDATE note SET id = 200 WHERE id = 3', ofKey)).toEqual([2]);
});

test('an equality reaches through joins, views and subqueries', async () => {
  const notes = `(SELECT count(*) FROM note n WHERE n.issue = i.id)`;
  const joined = `SELECT i.id, p.name, ${notes} FROM issue i JOIN project p ON p.id = i.project
    WHERE i.project = $1 AND i.title ~ '7$' ORDER BY i.id`;
  const through = `SELECT count(*) FROM plain WHERE project = $1 AND title ~ ''`;
  const has = `SELECT name FROM project p WHERE p.id = $1 AND p.name ~ '' AND EXISTS (SELECT FROM issue i WHERE i.project = p.id)`;
  const all = [
    ...(await openAll(joined, '1', '2')),
    ...(await openAll(through, '1', '2')),
    ...(await openAll(has, '1', '2')),
  ];
  expect(all.map(({ gear }) => gear)).toEqual(Array.from(all, () => 'rerun'));
  expect(await concernedBy(`INSERT INTO issue VALUES (102, 2, 'open', 'issue')`, all)).toEqual([1, 3, 5]);
  expect(await concernedBy(`INSERT INTO project VALUES (102, 2, 'new')`, all)).toEqual([]);
  expect(await concernedBy(`INSERT INTO note VALUES (102, 2, 'new')`, all)).toEqual([0, 1]);
});

test('what is asked of the side that an outer join fills up is not asked of its rows', async () => {
  const without = `SELECT p.id FROM project p LEFT JOIN issue i ON i.project = p.id AND i.state = $1 AND p.name ~ ''
    WHERE i.id IS NULL ORDER BY p.id`;
  const all = await openAll(without, 'open', 'closed');
  const [, closed] = all;
  await closed?.until(() => closed.rows.length > 0);
  const before = closed?.rows.length ?? 0;
  expect(await concernedBy(`INSERT INTO issue VALUES (103, 3, 'closed', 'issue')`, all)).toEqual([1]);
  await closed?.until(() => closed.state === 'valid' && closed.rows.length === before - 1);
  expect(await concernedBy(`INSERT INTO project VALUES (103, 3, 'new')`, all)).toEqual([0, 1]);
});

test('what a group is made of matters, however it prints', async () => {
  const sql = `SELECT v, n FROM (SELECT v, count(*) FILTER (WHERE what ~ '') AS n FROM amount GROUP BY v) AS g WHERE v::text = $1`;
  const all = await openAll(sql, '1.0', '2.0');
  expect(await concernedBy(`INSERT INTO amount VALUES (3, 1.00, 'a')`, all)).toEqual([0, 1]);
  const equal = sql.replace('v::text = $1', 'v = $1');
  const some = await openAll(equal, '1.0', '2.0');
  expect(await concernedBy(`INSERT INTO amount VALUES (4, 1.00, 'a')`, some)).toEqual([0]);
  await some[0]?.shows([['1.0', '3']]);
});

test('an aggregate of no rows has a row, beside which a subquery matters', async () => {
  const sql = `SELECT count(*) FILTER (WHERE title ~ ''), (SELECT count(*) FROM amount) FROM issue WHERE project = $1 AND $1 > 100`;
  const all = await openAll(sql, '1', '101');
  expect(await concernedBy(`INSERT INTO amount VALUES (5, 5, 'a')`, all)).toEqual([0, 1]);
  expect(await concernedBy(`INSERT INTO issue VALUES (107, 1, 'open', 'issue')`, all)).toEqual([]);
});

test('within a view with a barrier nothing of the query is evaluated', async () => {
  const all = await openAll(`SELECT count(*) FROM barrier WHERE project = $1 AND title ~ ''`, '1', '2');
  expect(await concernedBy(`INSERT INTO issue VALUES (104, 2, 'open', 'issue')`, all)).toEqual([0, 1]);
});

test('a value out of line that is not sent is the old one', async () => {
  const long = 'x'.repeat(9000);
  await database.sql(`INSERT INTO issue VALUES (105, 5, 'open', 'issue', $1)`, [long]);
  const all = await openAll(`SELECT count(*) FROM issue WHERE body = $1 AND title ~ ''`, long, 'y');
  expect(await concernedBy(`UPDATE issue SET state = 'closed' WHERE id = 105`, all)).toEqual([0]);
});

test('where the answer is an error any change of its tables may mend it', async () => {
  const sql = `SELECT count(*) FROM issue WHERE project = $1 AND 10 / (60 - id) > 0 AND title ~ ''`;
  const all = await openAll(sql, '1', '2');
  await all[0]?.until(() => all[0]?.state === 'error');
  expect(await concernedBy(`INSERT INTO issue VALUES (106, 3, 'open', 'issue')`, all)).toEqual([0]);
  await database.sql('DELETE FROM issue WHERE id = 60');
  await all[0]?.until(() => all[0]?.state === 'valid');
});

test('a view is not run again for what concerns another, however much that is', async () => {
  const [quiet, busy] = await openAll(BY_PROJECT, '5', '6');
  await quiet?.until(() => quiet.state === 'valid');
  const gaps = quiet?.gaps;
  for (let id = 1000; id < 1040; id++)
    await database.sql(`INSERT INTO issue VALUES (${id}, 6, 'open', 'issue')`);
  await busy?.shows([['50']]);
  expect(quiet?.gaps).toBe(gaps);
  expect(quiet?.state).toBe('valid');
});
