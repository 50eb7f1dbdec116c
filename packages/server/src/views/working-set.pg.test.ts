import { afterEach, beforeEach, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { startViews, type RunningViews } from '../testing/views.js';
import type { ViewLimits } from './host-options.js';

// What views hold in memory: counted, and bounded.

let database: TestDatabase;
let views: RunningViews;

beforeEach(async () => {
  database = await sharedDatabase(`
    CREATE TABLE project (id int PRIMARY KEY, team int, name text COLLATE "C");
    CREATE TABLE item (id int PRIMARY KEY, project int, title text COLLATE "C", body text);
    ALTER TABLE item ALTER body SET STORAGE EXTERNAL;
    INSERT INTO project VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
    INSERT INTO item VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');`);
});
afterEach(async () => {
  await views.stop();
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await database.drop();
});

async function start(limits: Partial<ViewLimits> = {}): Promise<void> {
  views = await startViews(database, { rowsPerViewMax: 1000, ...limits });
}

const TABLE = 'SELECT id, title, body FROM item WHERE project = $1';
const JOIN = `SELECT p.name, i.title, i.body FROM project p JOIN item i ON i.project = p.id
  WHERE p.team = $1 ORDER BY p.id, i.id`;

test.each([
  ['one table', TABLE],
  ['a join', JOIN],
])('what is held grows with what comes, and is nothing when nobody looks: %s', async (_, sql) => {
  await start();
  const view = await views.open(sql, ['1']);
  await view.until(() => view.state === 'valid' && view.rows.length > 0);
  const before = views.host.status();
  expect(before.heldRows).toBeGreaterThan(0);
  expect(before.heldBytes).toBeGreaterThan(100 * before.heldRows);
  await database.sql(`INSERT INTO item VALUES (4, 1, 'd', repeat('y', 50000))`);
  await view.until(() => view.operations > 0);
  const after = views.host.status();
  expect(after.heldRows).toBe(before.heldRows + 1);
  expect(after.heldBytes - before.heldBytes).toBeGreaterThan(50_000);
  views.host.post({ kind: 'release', view: view.id });
  expect(views.host.status()).toMatchObject({ heldRows: 0, heldBytes: 0 });
});

test('a template says what it holds', async () => {
  await start();
  const [one, two] = [await views.open(JOIN, ['1']), await views.open(JOIN, ['2'])];
  await one.until(() => one.rows.length === 2);
  await two.until(() => two.rows.length === 1);
  const planned = await views.plan(JOIN, ['1']);
  const { heldBytes } = views.host.status();
  expect(views.host.observed(planned)).toMatchObject({ views: 2, heldRows: 6, heldBytes, misses: 0 });
  await database.sql(
    `BEGIN; INSERT INTO project VALUES (4, 2, 'four'); INSERT INTO item VALUES (4, 4, 'd'); COMMIT`,
  );
  await two.until(() => two.state === 'valid' && two.rows.length === 2);
  const later = views.host.observed(planned);
  expect(later).toMatchObject({ views: 2, heldRows: 8, misses: 1 });
  expect(later?.heldBytes).toBeGreaterThan(heldBytes);
});

const TOTALS = `SELECT p.id, count(i.id) AS items FROM project p JOIN item i ON i.project = p.id
  WHERE p.team = $1 GROUP BY p.id ORDER BY p.id`;
const handOvers = (): unknown[] =>
  views.events.flatMap((event) => (event.kind === 'handed_over' ? [event.why] : []));

test('P6: what holds most is run again when all hold too much together, and the others go on', async () => {
  await start({ heldBytesMax: 100_000 });
  const [large, small] = [await views.open(TOTALS, ['1']), await views.open(JOIN, ['2'])];
  await large.shows([
    ['1', '1'],
    ['2', '1'],
  ]);
  await small.shows([['three', 'c', null]]);
  expect(views.events.filter(({ kind }) => kind === 'full')).toEqual([]);
  await database.sql(`INSERT INTO item SELECT n, 1, repeat('x', 200) FROM generate_series(10, 509) n`);
  await large.shows([
    ['1', '501'],
    ['2', '1'],
  ]);
  expect(views.events.filter(({ kind }) => kind === 'full')).toHaveLength(1);
  expect(handOvers()).toEqual(['memory']);
  expect(views.host.status()).toMatchObject({ incremental: 1, rerun: 1, heldRows: 2 });
  expect(views.host.status().heldBytes).toBeLessThan(100_000);
  await database.sql(
    `BEGIN; DELETE FROM item WHERE id = 10; UPDATE item SET title = 'cc' WHERE id = 3; COMMIT`,
  );
  await large.shows([
    ['1', '500'],
    ['2', '1'],
  ]);
  await small.shows([['three', 'cc', null]]);
  expect(handOvers()).toEqual(['memory']);
});

test('P6: the same where it is too much as soon as it is read; who cannot be run again is told so', async () => {
  await database.sql(`INSERT INTO item SELECT n, 1, repeat('x', 200) FROM generate_series(10, 509) n`);
  await start({ heldBytesMax: 100_000 });
  const small = await views.open(JOIN, ['2']);
  await small.shows([['three', 'c', null]]);
  const large = await views.open(TOTALS, ['1']);
  await large.shows([
    ['1', '501'],
    ['2', '1'],
  ]);
  expect(handOvers()).toEqual(['memory']);
  const table = await views.open(TABLE, ['1']);
  await table.until(() => table.state === 'ended');
  expect(table.error?.code).toBe('memory_full');
  expect(views.host.status()).toMatchObject({ views: 2, incremental: 1, rerun: 1, heldRows: 2 });
  await database.sql(`UPDATE item SET title = 'cc' WHERE id = 3`);
  await small.shows([['three', 'cc', null]]);
});

const RERUN = `SELECT id, title FROM item WHERE title ~ '' AND project = $1 ORDER BY id`;
const LARGE = 65_000;

async function large(): Promise<unknown[]> {
  const { rows } = await database.sql(`SELECT id::text, title FROM item WHERE project = 1 ORDER BY item.id`);
  return rows.map(({ id, title }) => [id, title]);
}

test('P6: the largest answer of a re-run view is let go, and is told exactly all the same', async () => {
  await database.sql(`INSERT INTO item SELECT n, 1, repeat('x', 80) FROM generate_series(10, 509) n`);
  await start({ heldBytesMax: LARGE });
  const [followed, small] = [await views.open(JOIN, ['2']), await views.open(RERUN, ['2'])];
  await followed.shows([['three', 'c', null]]);
  await small.shows([['2', 'b']]);
  expect(views.host.status()).toMatchObject({ incremental: 1, rerun: 1, unkept: 0 });
  expect(views.host.status().keptBytes).toBeGreaterThan(0);
  const { heldBytes: before, keptBytes } = views.host.status();
  const view = await views.open(RERUN, ['1']);
  await view.shows(await large());
  expect(views.events.filter(({ kind }) => kind === 'full')).toHaveLength(1);
  expect(views.host.status()).toMatchObject({ heldBytes: before, keptBytes, incremental: 1, unkept: 1 });

  // Nothing changes any more: who comes later gets what a run gives.
  views.host.post({ kind: 'snapshot', ref: 1, view: view.id });
  await view.until(() => view.wholes === 2);
  await view.shows(await large());
  expect([view.gaps, view.operations]).toEqual([1, 0]);

  // What alters nothing of the answer is not told.
  await database.sql(`UPDATE item SET body = 'y' WHERE id = 20`);
  await view.until(() => view.gaps === 2 && view.state === 'valid');
  expect(view.wholes).toBe(2);
  await database.sql(`BEGIN; UPDATE item SET title = 'z' WHERE id = 20; DELETE FROM item WHERE id = 21;
    UPDATE item SET title = 'bb' WHERE id = 2; COMMIT`);
  await small.shows([['2', 'bb']]);
  await view.shows(await large());
  expect([view.wholes, view.operations, small.wholes, small.operations]).toEqual([3, 0, 1, 1]);
  expect(views.host.status().heldBytes).toBeLessThan(LARGE);

  // It is kept again once it fits.
  await database.sql(`DELETE FROM item WHERE id > 100`);
  await view.shows(await large());
  expect(views.host.status()).toMatchObject({ unkept: 0 });
  await database.sql(`UPDATE item SET title = 'zz' WHERE id = 20`);
  await view.shows(await large());
  expect([view.wholes, view.operations]).toEqual([4, 1]);
  expect(handOvers()).toEqual([]);
  expect(views.events.filter(({ kind }) => kind === 'full')).toHaveLength(1);
  for (const { id } of [followed, small, view]) views.host.post({ kind: 'release', view: id });
  expect(views.host.status()).toMatchObject({ heldBytes: 0, keptBytes: 0, unkept: 0 });
});

test('P6: answers that are kept go before a view is handed over, and its own answer goes after that', async () => {
  await start({ heldBytesMax: LARGE });
  const [followed, kept] = [await views.open(JOIN, ['1']), await views.open(RERUN, ['1'])];
  await kept.shows([['1', 'a']]);
  await followed.until(() => followed.rows.length === 2);
  await database.sql(`INSERT INTO item SELECT n, 1, repeat('x', 60) FROM generate_series(10, 509) n`);
  const { rows } = await database.sql(
    `SELECT p.name, i.title, i.body FROM project p JOIN item i ON i.project = p.id WHERE p.team = 1 ORDER BY p.id, i.id`,
  );
  const joined = rows.map(({ name, title, body }) => [name, title, body]);
  await followed.shows(joined);
  await kept.shows(await large());
  expect(handOvers()).toEqual(['memory']);
  expect(views.host.status()).toMatchObject({ incremental: 0, rerun: 2, unkept: 2, heldBytes: 0 });
  await database.sql(`UPDATE item SET title = 'z' WHERE id = 20`);
  await kept.shows(await large());
  const place = joined.findIndex(([, title]) => title === 'x'.repeat(60)) + 10;
  await followed.shows(joined.with(place, ['one', 'z', null]));
});
