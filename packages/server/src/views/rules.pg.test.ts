import { afterEach, beforeEach, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { startViews, type RunningViews } from '../testing/views.js';

// The rules that views keep, each where only that rule makes the difference.

let database: TestDatabase;
let views: RunningViews;

beforeEach(async () => {
  database = await sharedDatabase(`
    CREATE TABLE issue (id int PRIMARY KEY, project int, rank int, body text);
    ALTER TABLE issue ALTER body SET STORAGE EXTERNAL;
    INSERT INTO issue SELECT n, n % 3, n, NULL FROM generate_series(90, 1, -1) n;
    CREATE TABLE part (id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
    CREATE TABLE part_us (v int, region text NOT NULL, id int NOT NULL, PRIMARY KEY (id, region));
    ALTER TABLE part ATTACH PARTITION part_us FOR VALUES IN ('us');
    CREATE TABLE part_as (v int, region text NOT NULL, id int NOT NULL, PRIMARY KEY (id, region));
    INSERT INTO part_as VALUES (30, 'as', 3);
    INSERT INTO part VALUES (1, 'eu', 10), (2, 'us', 20);
    CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM part';
    CREATE FUNCTION built() RETURNS bigint LANGUAGE plpgsql STABLE
      AS $$DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM part' INTO n; RETURN n; END$$;`);
  views = await startViews(database);
});
afterEach(async () => {
  await views.stop();
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await database.drop();
});

test('C6: what no longer stands is run again, with every change', async () => {
  const counts = await views.open(`SELECT count(*) FROM issue WHERE id::text ~ ''`);
  expect(counts.gear).toBe('rerun');
  await counts.shows([['90']]);
  for (let left = 89; left > 85; left--) {
    await database.sql('DELETE FROM issue WHERE id = $1', [left]);
    await counts.shows([[String(left)]]);
  }
  const runs = views.events.filter((event) => event.kind === 'reran').length;
  await database.sql('DELETE FROM part WHERE id = 1');
  await database.sql('DELETE FROM issue WHERE id = 1');
  await counts.shows([['85']]);
  // Once for each change, and not for ever.
  expect(views.events.filter((event) => event.kind === 'reran').length - runs).toBeLessThanOrEqual(2);
});

test('C6: the re-runs of one round share a snapshot', async () => {
  // now() is when the transaction began: the same in two results exactly if one transaction gave both.
  const tick = { tick: '1h' };
  const one = await views.open('SELECT now()::text, count(*) FROM issue', [], tick);
  const two = await views.open('SELECT now()::text, sum(rank) FROM issue', [], tick);
  for (const view of [one, two]) await view.until(() => view.state === 'valid');
  await expect
    .poll(async () => {
      const before = [one.operations, two.operations];
      await database.sql('UPDATE issue SET rank = rank + 1 WHERE id = 1');
      await one.until(() => one.state === 'valid' && one.operations > (before[0] ?? 0));
      await two.until(() => two.state === 'valid' && two.operations > (before[1] ?? 0));
      return (one.rows[0] as string[])[0] === (two.rows[0] as string[])[0];
    })
    .toBe(true);
});

test('C8: under DEFAULT identity no ghost stays, however a row leaves', async () => {
  const view = await views.open('SELECT id FROM issue WHERE project = $1 AND id <= 12 ORDER BY id', ['0']);
  const unordered = await views.open('SELECT id FROM issue WHERE project = $1 AND id <= 12', ['0']);
  const sorted = (): unknown[] => unordered.rows.toSorted((a, b) => Number(a) - Number(b));
  const shows = async (...ids: string[]): Promise<void> => {
    const rows = ids.map((id) => [id]);
    await view.shows(rows);
    await unordered.until(() => JSON.stringify(sorted()) === JSON.stringify(rows));
  };
  await shows('3', '6', '9', '12');
  await database.sql('DELETE FROM issue WHERE id = 3');
  await shows('6', '9', '12');
  await database.sql('UPDATE issue SET project = 1 WHERE id = 6');
  await shows('9', '12');
  await database.sql('UPDATE issue SET id = 900 WHERE id = 9');
  await shows('12');
  await database.sql('UPDATE issue SET id = 0 WHERE id = 12');
  await shows('0');
});

test('C9: a row whose condition cannot be decided is a miss', async () => {
  const long = 'x'.repeat(9000);
  await database.sql('UPDATE issue SET body = $1 WHERE id IN (4, 5)', [long]);
  const view = await views.open('SELECT id FROM issue WHERE body = $1 AND rank >= 1000', [long]);
  expect(view.gear).toBe('incremental');
  await view.shows([]);
  await database.sql('UPDATE issue SET rank = 1000 WHERE id = 4'); // body is not sent
  await view.shows([['4']]);
});

test('C9: a delete of which only the key is known may have matched anything', async () => {
  // A regular expression is Postgres's to match.
  const count = await views.open(`SELECT count(*) FROM issue WHERE project = 0 AND project::text ~ ''`);
  expect(count.gear).toBe('rerun');
  await count.shows([['30']]);
  await database.sql('DELETE FROM issue WHERE id = 3');
  await count.shows([['29']]);
});

test('C11: a window that runs dry is read again, and what was told before counts', async () => {
  const window = await views.open('SELECT id, rank FROM issue ORDER BY id LIMIT 3');
  await window.shows([
    ['1', '1'],
    ['2', '2'],
    ['3', '3'],
  ]);
  await database.sql(
    'BEGIN; DELETE FROM issue WHERE id BETWEEN 2 AND 40; UPDATE issue SET rank = 7 WHERE id = 1; COMMIT',
  );
  await window.shows([
    ['1', '7'],
    ['41', '41'],
    ['42', '42'],
  ]);
});

test('C16: ties are broken by the key, in what is read and in what is followed', async () => {
  const ties = 'SELECT id, project FROM issue WHERE id < 40 ORDER BY project LIMIT 3 OFFSET 1';
  const first = await views.open(ties);
  const shows = (...ids: number[]): Promise<void> => first.shows(ids.map((id) => [String(id), '0']));
  await shows(6, 9, 12);
  await database.sql('DELETE FROM issue WHERE id = 6');
  await shows(9, 12, 15);
  await database.sql('INSERT INTO issue VALUES (6, 0, 6)');
  await shows(6, 9, 12);
});

test('C16: an answer that is the same tells nothing', async () => {
  const distinct = await views.open(
    `SELECT DISTINCT project FROM issue WHERE id::text ~ '' ORDER BY project`,
  );
  await distinct.shows([['0'], ['1'], ['2']]);
  const { operations } = distinct;
  // Both may be over before we hear that the statement is done.
  const over = distinct.until(() => distinct.state === 'gap');
  await database.sql('DELETE FROM issue WHERE id = 90');
  await over;
  await distinct.until(() => distinct.state === 'valid');
  expect(distinct.operations).toBe(operations);
});

test('C17: an error of one binding is not that of the others', async () => {
  const sql = `SELECT 10 / (rank - $1::int) AS x, count(*) FROM issue WHERE id = 5 AND id::text ~ '' GROUP BY 1`;
  const [wrong, right] = await Promise.all([views.open(sql, ['5']), views.open(sql, ['3'])]);
  expect(wrong.gear).toBe('rerun');
  await wrong.until(() => wrong.state === 'error');
  await right.shows([['5', '1']]);
  await database.sql('UPDATE issue SET rank = 4 WHERE id = 5');
  await wrong.shows([['-10', '1']]);
  await right.shows([['10', '1']]);
});

test('C17: an answer that is again what it was before the error is told', async () => {
  const division = await views.open(
    `SELECT 10 / rank AS x, count(*) FROM issue WHERE id = 5 AND id::text ~ '' GROUP BY 1`,
  );
  expect(division.gear).toBe('rerun');
  await division.shows([['2', '1']]);
  await database.sql('UPDATE issue SET rank = 0 WHERE id = 5');
  await division.until(() => division.state === 'error');
  await database.sql('UPDATE issue SET rank = 5 WHERE id = 5');
  await division.shows([['2', '1']]);
});

test('C20: a leaf with its columns in another order is read by name', async () => {
  const all = await views.open('SELECT id, region, v FROM part ORDER BY id LIMIT 10');
  expect(all.gear).toBe('incremental');
  await all.shows([
    ['1', 'eu', '10'],
    ['2', 'us', '20'],
  ]);
  await database.sql(`INSERT INTO part VALUES (4, 'us', 40); UPDATE part SET v = 21 WHERE id = 2`);
  await all.shows([
    ['1', 'eu', '10'],
    ['2', 'us', '21'],
    ['4', 'us', '40'],
  ]);
});

test('C20: a leaf that is attached or detached brings and takes its rows', async () => {
  const sql = 'SELECT id, v FROM part ORDER BY id LIMIT 10';
  const shows = async (...rows: string[][]): Promise<void> => {
    const view = await views.open(sql);
    const sum = await views.open('SELECT count(*) FROM part');
    await view.shows(rows);
    await sum.shows([[String(rows.length)]]);
  };
  await shows(['1', '10'], ['2', '20']);
  await database.sql(`ALTER TABLE part ATTACH PARTITION part_as FOR VALUES IN ('as')`);
  await views.schemaChanged();
  await shows(['1', '10'], ['2', '20'], ['3', '30']);
  await database.sql('ALTER TABLE part DETACH PARTITION part_us');
  await views.schemaChanged();
  await shows(['1', '10'], ['3', '30']);
  await database.sql('DROP TABLE part_eu');
  await views.schemaChanged();
  await shows(['3', '30']);
  await database.sql(`CREATE TABLE part_af PARTITION OF part FOR VALUES IN ('af')`);
  await database.publish();
  await database.sql(`INSERT INTO part VALUES (5, 'af', 50)`); // told before anybody knows whose it is
  await views.schemaChanged();
  await shows(['3', '30'], ['5', '50']);
});

test('C21, C22: what is re-run is run as the client, under its role and all of its claims', async () => {
  const sql = `SELECT current_setting('role'), current_setting('request.jwt.claims')::json->>'sub', count(*) FROM issue`;
  const as = (sub: string): Promise<Awaited<ReturnType<RunningViews['open']>>> =>
    views.open(sql, [], { principal: { role: 'sluice_client', claims: { sub } } });
  const [one, two] = [await as('one'), await as('two')];
  await one.shows([['sluice_client', 'one', '90']]);
  await two.shows([['sluice_client', 'two', '90']]);
  await database.sql('DELETE FROM issue WHERE id = 1');
  await one.shows([['sluice_client', 'one', '89']]);
  await two.shows([['sluice_client', 'two', '89']]);
});

test('C22: a function depends on what its body reads', async () => {
  const view = await views.open('SELECT id, counted() FROM issue WHERE id = 1');
  await view.shows([['1', '2']]);
  await database.sql(`INSERT INTO part VALUES (5, 'eu', 50)`);
  await view.shows([['1', '3']]);
});

test('C22: a function that cannot be seen into depends on every transaction', async () => {
  const view = await views.open('SELECT id, built() FROM issue WHERE id = 1');
  expect(view.reason).toContain('EXECUTE');
  await view.shows([['1', '2']]);
  await database.sql(`INSERT INTO part VALUES (5, 'eu', 50)`);
  await view.shows([['1', '3']]);
});
