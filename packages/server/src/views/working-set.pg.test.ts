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
