import { afterEach, beforeEach, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import {
  startViews,
  type FollowedView,
  type RunningViews,
  type RunningViewsOptions,
} from '../testing/views.js';
import type { ViewLimits } from './host-options.js';

// Queries of several tables through planner, source and views: what is not known is read, what only Postgres can tell is
// left to it.

const TRANSACTION_BYTES_MAX = 20_000;

let database: TestDatabase;
let views: RunningViews;
/** Waited for before values are bound. */
let binding: () => Promise<void>;

beforeEach(async () => {
  binding = () => Promise.resolve();
  database = await sharedDatabase(`
    CREATE TABLE project (id int PRIMARY KEY, team int, name text COLLATE "C");
    CREATE TABLE item (id int PRIMARY KEY, project int, rank int, title text COLLATE "C", body text);
    ALTER TABLE item ALTER body SET STORAGE EXTERNAL;
    INSERT INTO project VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
    INSERT INTO item VALUES (1, 1, 1, 'a'), (2, 2, 2, 'b'), (3, 3, 3, 'c');`);
  await start();
});
afterEach(async () => {
  await views.stop();
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await database.drop();
});

async function start(limits: Partial<ViewLimits> = {}): Promise<void> {
  const options: RunningViewsOptions = {
    source: { transactionBytesMax: TRANSACTION_BYTES_MAX },
    planned: () => binding(),
  };
  views = await startViews(database, { rowsPerViewMax: 100, ...limits }, options);
}

async function open(...args: Parameters<RunningViews['open']>): Promise<FollowedView> {
  const view = await views.open(...args);
  expect([view.gear, view.reason]).toEqual(['incremental', undefined]);
  return view;
}

const countOf = (kind: string): number => views.events.filter((event) => event.kind === kind).length;
const handOvers = (): unknown[] =>
  views.events.flatMap((event) => (event.kind === 'handed_over' ? [event.why] : []));

const JOIN = `SELECT p.name, i.id, i.title, i.body FROM project p JOIN item i ON i.project = p.id
  WHERE p.team = $1 ORDER BY p.id, i.id`;
const ONE = ['one', '1', 'a', null];
const TWO = ['two', '2', 'b', null];
const THREE = ['three', '3', 'c', null];
/** Postgres raises an error for a project of two items. */
const SCALAR = `SELECT p.id, (SELECT i.title FROM item i WHERE i.project = p.id) AS title
  FROM project p WHERE p.team = $1 ORDER BY p.id`;

test('C8: a value that was not sent is read when a row comes into a join, and kept while it is held', async () => {
  const long = 'x'.repeat(9000);
  await database.sql('UPDATE item SET body = $1 WHERE id = 3', [long]);
  const join = await open(JOIN, ['1']);
  await join.shows([ONE, TWO]);
  await database.sql('UPDATE item SET project = 2 WHERE id = 3');
  await join.shows([ONE, TWO, ['two', '3', 'c', long]]);
  expect(countOf('missed')).toBe(1);
  await database.sql(`UPDATE item SET title = 'new', project = 1 WHERE id = 3`);
  await join.shows([ONE, ['one', '3', 'new', long], TWO]);
  expect(countOf('missed')).toBe(1);
});

test('C12: a row that asks for rows that are not known is a miss; what nobody asks for any more is let go', async () => {
  const join = await open(JOIN, ['1']);
  await join.shows([ONE, TWO]);
  expect(views.host.status().heldRows).toBe(4);
  await database.sql('UPDATE project SET team = 1 WHERE id = 3');
  await join.shows([ONE, TWO, THREE]);
  expect([countOf('missed'), views.host.status().heldRows]).toEqual([1, 6]);
  await database.sql('UPDATE project SET team = 2 WHERE id <> 2');
  await join.shows([TWO]);
  expect(views.host.status().heldRows).toBe(2);
  // A row of a key that was let go, and its parent again, in one transaction.
  await database.sql(
    `BEGIN; INSERT INTO item VALUES (4, 1, 4, 'd'); UPDATE project SET team = 1 WHERE id = 1; COMMIT`,
  );
  await join.shows([ONE, ['one', '4', 'd', null], TWO]);
});

test('a table that is emptied, and a transaction too large to be told, are followed', async () => {
  const join = await open(JOIN, ['1']);
  const counts = await open(
    'SELECT p.team, count(i.id) FROM project p LEFT JOIN item i ON i.project = p.id GROUP BY 1',
  );
  await join.shows([ONE, TWO]);
  const size = TRANSACTION_BYTES_MAX / 100;
  await database.sql(
    `INSERT INTO item SELECT n, 1, n, repeat('y', 150) FROM generate_series(10, ${10 + size}) n; DELETE FROM item WHERE id > 10`,
  );
  await join.shows([ONE, ['one', '10', 'y'.repeat(150), null], TWO]);
  await counts.shows([
    ['1', '3'],
    ['2', '1'],
  ]);
  await database.sql('TRUNCATE item');
  await join.shows([]);
  await counts.shows([
    ['1', '0'],
    ['2', '0'],
  ]);
  await database.sql(
    `BEGIN; TRUNCATE project; INSERT INTO project VALUES (7, 1, 'seven'); INSERT INTO item VALUES (7, 7, 7, 'g'); COMMIT`,
  );
  await join.shows([['seven', '7', 'g', null]]);
  await counts.shows([['1', '1']]);
});

test('where Postgres raises an error its view alone is left to it, and goes on when the error is mended', async () => {
  const broken = await open(SCALAR, ['1']);
  const whole = await open(SCALAR, ['2']);
  await broken.shows([
    ['1', 'a'],
    ['2', 'b'],
  ]);
  await whole.shows([['3', 'c']]);
  await database.sql(`INSERT INTO item VALUES (5, 1, 5, 'e')`);
  await broken.until(() => broken.state === 'error');
  expect(broken.error?.detail).toContain('21000');
  expect(handOvers()).toEqual(['not_reproduced']);
  expect(views.host.status()).toMatchObject({ incremental: 1, rerun: 1, heldRows: 2 });
  await database.sql(
    `BEGIN; DELETE FROM item WHERE id = 1; DELETE FROM project WHERE id = 2; UPDATE item SET title = 'cc' WHERE id = 3; COMMIT`,
  );
  await broken.shows([['1', 'e']]);
  await whole.shows([['3', 'cc']]);
  // An error from the beginning, of a binding that nobody had.
  await database.sql(`INSERT INTO project VALUES (9, 3, 'nine'); INSERT INTO item VALUES (8, 9), (9, 9)`);
  const wrong = await open(SCALAR, ['3']);
  await wrong.until(() => wrong.state === 'error');
  await database.sql('DELETE FROM item WHERE id = 9');
  await wrong.shows([['9', null]]);
  expect(views.host.status()).toMatchObject({ incremental: 1, rerun: 2 });
  expect(wrong.state).toBe('valid');
});

test('positions: what is told of a view that was handed over is there when the batch says so', async () => {
  const view = await open(SCALAR, ['1']);
  await view.shows([
    ['1', 'a'],
    ['2', 'b'],
  ]);
  const token = async (sql: string): Promise<bigint> => {
    await database.sql(`BEGIN; ${sql}; SELECT pg_logical_emit_message(true, 'sluice.token', '1'); COMMIT`);
    await views.until(() => views.tokens.has('token-1'));
    return views.tokens.get('token-1') ?? 0n;
  };
  const broken = await token(`INSERT INTO item VALUES (5, 1, 5, 'e')`);
  await views.until((position) => position >= broken);
  // Not known, or an error: what it was before is not told of this position.
  expect(['gap', 'error']).toContain(view.state);
  await view.until(() => view.state === 'error');
  await database.sql('DELETE FROM item WHERE id = 5');
  await view.shows([
    ['1', 'a'],
    ['2', 'b'],
  ]);
});

test('a view that would hold too much is run again, and the others of its batch go on', async () => {
  await views.stop();
  await start({ rowsHeldPerViewMax: 10 });
  await database.sql(
    `INSERT INTO project SELECT n, 5, 'p' FROM generate_series(10, 30) n; INSERT INTO item SELECT n, n, 1, 't' FROM generate_series(10, 30) n`,
  );
  const sql = 'SELECT count(*), max(i.id) FROM project p JOIN item i ON i.project = p.id WHERE p.team = $1';
  const opened = await Promise.all(['5', '1', '2', '6'].map((team) => open(sql, [team])));
  const [large, first, second, none] = opened as [FollowedView, FollowedView, FollowedView, FollowedView];
  await large.shows([['21', '30']]);
  await first.shows([['2', '2']]);
  await second.shows([['1', '3']]);
  await none.shows([['0', null]]);
  expect(handOvers()).toEqual(['too_much']);
  expect(views.host.status()).toMatchObject({ incremental: 3, rerun: 1 });
  await database.sql('DELETE FROM item WHERE id IN (2, 30)');
  await large.shows([['20', '29']]);
  await first.shows([['1', '1']]);
});

test('a view that comes to hold too much by what is written is handed over, and who opens it then is told', async () => {
  await views.stop();
  await start({ rowsHeldPerViewMax: 20 });
  const counts =
    'SELECT p.name, count(*) AS n FROM project p JOIN item i ON i.project = p.id GROUP BY p.name';
  const held = await open(counts);
  await held.shows([
    ['one', '1'],
    ['two', '1'],
    ['three', '1'],
  ]);
  await database.sql('INSERT INTO item SELECT n, 1, n FROM generate_series(10, 22) AS n');
  await held.until(() => held.rows.some((row) => (row as string[])[1] === '14'));
  expect(handOvers()).toEqual([]);
  await database.sql('INSERT INTO item SELECT n, 1, n FROM generate_series(23, 40) AS n');
  await held.until(() => held.rows.some((row) => (row as string[])[1] === '32'));
  await expect.poll(handOvers).toEqual(['too_much']);
  await expect.poll(() => views.host.status().rerun).toBe(1);
  const again = await views.open(counts);
  expect([again.gear, again.reason]).toEqual(['rerun', expect.stringMatching(/hold more rows/)]);
  await database.sql('DELETE FROM item WHERE id = 40');
  await held.until(() => held.rows.some((row) => (row as string[])[1] === '31'));
});

test('two spellings of one template that are both handed over keep the constants of their own', async () => {
  const spelled = (n: number): string =>
    `SELECT i.id, 12 / (i.rank - ${n}) AS x FROM project p JOIN item i ON i.project = p.id WHERE p.team = 1`;
  const [one, two] = [await open(spelled(1)), await open(spelled(2))];
  await one.until(() => one.state === 'error');
  await two.until(() => two.state === 'error');
  expect(handOvers()).toEqual(['not_reproduced', 'not_reproduced']);
  await database.sql('UPDATE item SET rank = 4');
  await one.shows([
    ['1', '4'],
    ['2', '4'],
  ]);
  await two.shows([
    ['1', '6'],
    ['2', '6'],
  ]);
});

test('a view that is released, or opened again, while it is handed over', async () => {
  const view = await open(SCALAR, ['1']);
  await view.until(() => view.state === 'valid');
  let release = (): void => undefined;
  const paused = new Promise<void>((resolve) => (release = resolve));
  binding = () => paused;
  await database.sql(`INSERT INTO item VALUES (5, 1, 5, 'e')`);
  await expect.poll(handOvers).toEqual(['not_reproduced']);
  views.host.post({ kind: 'release', view: view.id });
  expect(views.host.status()).toMatchObject({ views: 0, heldRows: 0 });
  binding = () => Promise.resolve();
  const again = await open(SCALAR, ['1']);
  release();
  await again.until(() => again.state === 'error');
  await database.sql('DELETE FROM item WHERE id = 5');
  await again.shows([
    ['1', 'a'],
    ['2', 'b'],
  ]);
  expect(views.host.status()).toMatchObject({ views: 1, rerun: 1 });
  views.host.post({ kind: 'release', view: again.id });
  expect(views.host.status()).toMatchObject({ views: 0, rerun: 0, heldRows: 0 });

  // Nobody is there any more when its values are bound.
  const gone = await open(SCALAR, ['1']);
  await gone.until(() => gone.state === 'valid');
  let goOn = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (goOn = resolve));
  binding = () => waiting;
  await database.sql(`INSERT INTO item VALUES (6, 1, 5, 'e')`);
  await expect.poll(() => handOvers().length).toBe(3);
  views.host.post({ kind: 'release', view: gone.id });
  goOn();
  await (await open(JOIN, ['2'])).shows([THREE]);
  expect(views.host.status()).toMatchObject({ views: 1, rerun: 0, heldRows: 2 });
});

test('two principals with one binding are two views, and each goes on without the other', async () => {
  const as = (sub: string): Promise<FollowedView> =>
    open(JOIN, ['1'], { principal: { role: 'sluice_client', claims: { sub } } });
  const [one, two] = await Promise.all([as('one'), as('two')]);
  expect(one.id).not.toBe(two.id);
  await one.shows([ONE, TWO]);
  await two.shows([ONE, TWO]);
  await database.sql('UPDATE project SET team = 1 WHERE id = 3');
  await one.shows([ONE, TWO, THREE]);
  await two.shows([ONE, TWO, THREE]);
  views.host.post({ kind: 'release', view: one.id });
  await database.sql('DELETE FROM item WHERE id = 2');
  await two.shows([ONE, THREE]);
  expect(views.host.status()).toMatchObject({ views: 1, heldRows: 5 });
});

test('C16: columns that two rows come to agree in name rows no more', async () => {
  // A limit that is a parameter may be more than one: the planner cannot know.
  const sql = `SELECT p.id, l.title FROM project p CROSS JOIN LATERAL
    (SELECT i.title FROM item i WHERE i.project = p.id ORDER BY i.id LIMIT $1) l ORDER BY p.id, l.title`;
  const view = await open(sql, ['2']);
  await view.shows([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
  await database.sql(`INSERT INTO item VALUES (11, 1, 1, 'aa'), (0, 2, 1, 'zero'), (12, 1, 1, 'never')`);
  await view.shows([
    ['1', 'a'],
    ['1', 'aa'],
    ['2', 'b'],
    ['2', 'zero'],
    ['3', 'c'],
  ]);
  await database.sql('DELETE FROM item WHERE id IN (1, 2)');
  await view.shows([
    ['1', 'aa'],
    ['1', 'never'],
    ['2', 'zero'],
    ['3', 'c'],
  ]);
});

test('windows of ordered joins: rows move, tie, come in and go out', async () => {
  const sql = `SELECT i.title, p.name FROM project p JOIN item i ON i.project = p.id
    ORDER BY i.rank DESC NULLS LAST, i.id LIMIT $1 OFFSET $2`;
  const all = await open(sql, [null, null]);
  const some = await open(sql, ['3', '1']);
  const names = ['one', 'two', 'three'];
  await database.sql(`INSERT INTO item SELECT n, n % 3 + 1, n % 4, 't' || n FROM generate_series(20, 29) n`);
  let seed = 5;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  for (let turn = 0; turn < 40; turn++) {
    const id = 20 + random(10);
    const rank = random(5) === 0 ? 'NULL' : random(4);
    const writes = [
      `UPDATE item SET rank = ${rank} WHERE id = ${id}`,
      `DELETE FROM item WHERE id = ${id}`,
      `INSERT INTO item VALUES (${id}, ${1 + random(3)}, ${rank}, 't${id}') ON CONFLICT (id) DO UPDATE SET project = excluded.project`,
      `UPDATE project SET name = '${names[random(3)]}' WHERE id = ${1 + random(3)}`,
    ];
    await database.sql(`BEGIN; ${writes[random(4)]}; ${writes[random(4)]}; COMMIT`);
    const answer = async (bounds: string): Promise<unknown[]> => {
      const { rows } = await database.sql(sql.replace(/LIMIT.*/, bounds));
      return (rows as { title: string; name: string }[]).map(({ title, name }) => [title, name]);
    };
    await some.shows(await answer('LIMIT 3 OFFSET 1'));
    await all.shows(await answer(''));
  }
  expect(countOf('missed')).toBe(0);
});

test('rows are asked for by all columns of a join, whatever their types', async () => {
  await database.sql(`CREATE TABLE wide (id int PRIMARY KEY, item int8, title varchar(9), at timestamptz, mark bool);
    INSERT INTO wide VALUES (1, 1, 'a', '2020-01-01', true), (2, 3000000000, 'a', '2020-01-01', true), (3, 2, 'a', NULL, NULL)`);
  await database.publish();
  await views.schemaChanged();
  const sql = `SELECT w.id, i.id AS item FROM wide w LEFT JOIN item i ON i.id = w.item AND i.title = w.title ORDER BY w.id`;
  const view = await open(sql);
  await view.shows([
    ['1', '1'],
    ['2', null],
    ['3', null],
  ]);
  const pairs = await open(
    'SELECT a.id, b.id AS other FROM wide a JOIN wide b ON b.at = a.at AND b.mark = a.mark ORDER BY a.id, b.id',
  );
  const four = [
    ['1', '1'],
    ['1', '2'],
    ['2', '1'],
    ['2', '2'],
  ];
  await pairs.shows(four);
  await database.sql(
    `UPDATE wide SET title = 'b' WHERE id = 3; UPDATE wide SET at = '2020-01-01 00:00+00' WHERE id = 3`,
  );
  await view.shows([
    ['1', '1'],
    ['2', null],
    ['3', '2'],
  ]);
  await pairs.shows(four);
  expect([handOvers(), views.host.status().heldRows]).toEqual([[], 3 + 2 + 3 + 2]);
});

test('C20: leaves of a partitioned table are read and followed in a join', async () => {
  await database.sql(`CREATE TABLE part (id int, region text, project int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu'); CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
    INSERT INTO part VALUES (1, 'eu', 1), (2, 'us', 2)`);
  await database.publish();
  await views.schemaChanged();
  const view = await open(
    'SELECT p.name, l.id, l.region FROM project p JOIN part l ON l.project = p.id WHERE p.team = $1 ORDER BY p.id, l.id',
    ['1'],
  );
  await view.shows([
    ['one', '1', 'eu'],
    ['two', '2', 'us'],
  ]);
  await database.sql(`UPDATE part SET region = 'us' WHERE id = 1; INSERT INTO part VALUES (3, 'eu', 2)`);
  await view.shows([
    ['one', '1', 'us'],
    ['two', '2', 'us'],
    ['two', '3', 'eu'],
  ]);
  await database.sql('TRUNCATE part_us');
  await view.shows([['two', '3', 'eu']]);
});

test('a limit that Postgres refuses, and a constant that raises though no row is looked at, are errors', async () => {
  const sql = 'SELECT i.id FROM project p JOIN item i ON i.project = p.id ORDER BY i.id LIMIT $1';
  const [wrong, right] = await Promise.all([open(sql, ['-1']), open(sql, ['1'])]);
  await wrong.until(() => wrong.state === 'error');
  expect(wrong.error?.detail).toContain('2201W');
  await right.shows([['1']]);
  const division = await open(
    'SELECT i.id FROM project p JOIN item i ON i.project = p.id WHERE p.team = 77 AND i.rank > 10 / $1::int',
    ['0'],
  );
  await division.until(() => division.state === 'error');
  expect(division.error?.detail).toContain('22012');
});

test('C8: a row comes of whose key a part was not sent', async () => {
  const long = 'x'.repeat(9000);
  await database.sql('UPDATE item SET body = $1 WHERE id IN (1, 3)', [long]);
  const same = await open(
    'SELECT a.id, b.id AS other FROM item a JOIN item b ON b.project = a.project AND b.body = a.body WHERE a.id = 1 ORDER BY 1, 2',
  );
  await same.shows([['1', '1']]);
  await database.sql('UPDATE item SET project = 1 WHERE id = 3');
  await same.shows([
    ['1', '1'],
    ['1', '3'],
  ]);
});

test('what one statement may not ask for at once is asked for by several, and counts together', async () => {
  await database.sql(`
    INSERT INTO project SELECT n, 5, 'p' || n FROM generate_series(10, 16) n;
    INSERT INTO item SELECT n, n, n, 't' || n FROM generate_series(10, 16) n;`);
  await views.stop();
  await start({ keysPerStatementMax: 2 });
  const join = await open(JOIN, ['5']);
  const rows = Array.from({ length: 7 }, (_, at) => [`p${10 + at}`, String(10 + at), `t${10 + at}`, null]);
  await join.shows(rows);
  await database.sql(`UPDATE project SET team = 5 WHERE team IN (1, 2)`);
  await join.shows([ONE, TWO, THREE, ...rows]);
  expect(countOf('missed')).toBe(1);

  await views.stop();
  await start({ keysPerStatementMax: 2, rowsHeldPerViewMax: 12 });
  await (await views.open(JOIN, ['5'])).shows([ONE, TWO, THREE, ...rows]);
  expect(handOvers()).toEqual(['too_much']);
});
