import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explain } from '../explain/explanation.js';
import { readRegistry } from '../registry/read-registry.js';
import type { Registry } from '../registry/registry.js';
import { runOn } from '../source/run-on.js';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { startViews, type FollowedView, type RunningViews } from '../testing/views.js';
import type { ViewLimits } from './host-options.js';

// Aggregates of tables whose changes bring whole rows: none of the rows is held, and the answers are Postgres's.

let database: TestDatabase;
let views: RunningViews;
/** Reads answers as texts, under the settings that views have. */
let judge: pg.Client;
/** Of reads that take a while. */
let proxy: TcpProxy | null = null;

beforeEach(async () => {
  database = await sharedDatabase(`
    CREATE COLLATION plain (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE item (id int PRIMARY KEY, project int, status text COLLATE "C", size numeric, points int,
      mark bool, label text COLLATE plain, weight float8, body text);
    ALTER TABLE item ALTER body SET STORAGE EXTERNAL;
    ALTER TABLE item REPLICA IDENTITY FULL;
    CREATE TABLE project (id int PRIMARY KEY, team int, name text COLLATE "C");
    INSERT INTO project SELECT n, n % 2, 'project ' || n FROM generate_series(1, 4) n;`);
  judge = new pg.Client({
    connectionString: database.adminUrl,
    types: { getTypeParser: () => (text: string) => text },
  });
  await judge.connect();
  await judge.query(`SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 1`);
});
afterEach(async () => {
  await judge.end();
  await views.stop();
  await proxy?.close();
  proxy = null;
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await database.drop();
});

async function start(limits: Partial<ViewLimits> = {}): Promise<void> {
  views = await startViews(database, limits);
}

async function open(sql: string, params: readonly (string | null)[] = []): Promise<FollowedView> {
  const view = await views.open(sql, params);
  expect([view.gear, view.reason], sql).toEqual(['incremental', undefined]);
  return view;
}

/** What Postgres answers. */
async function answer(sql: string, params: readonly (string | null)[]): Promise<unknown[][]> {
  return (await judge.query<unknown[]>({ text: sql, values: [...params], rowMode: 'array' })).rows;
}

test('100,000 rows are counted, and none is held', async () => {
  await database.sql(
    `INSERT INTO item SELECT n, n % 3, 's' || n % 5, n % 7, n FROM generate_series(1, 100000) n`,
  );
  await start({ rowsHeldPerViewMax: 1000 });
  const all = await open('SELECT count(*), count(size), sum(size) FROM item');
  await all.shows([['100000', '100000', '300000']]);
  const byStatus = 'SELECT status, count(*) AS items FROM item WHERE project = $1 GROUP BY status ORDER BY 1';
  const view = await open(byStatus, ['1']);
  await view.shows(await answer(byStatus, ['1']));
  expect(views.host.status().heldRows).toBe(0);
  expect(views.host.status().heldBytes).toBeLessThan(10_000);
  await database.sql(`UPDATE item SET status = 's9', project = 1 WHERE id <= 100`);
  await view.until(() => view.rows.length === 6);
  expect(views.host.status().heldRows).toBe(0);
  expect(views.events.filter(({ kind }) => kind === 'missed')).toEqual([]);
  for (const { id } of [all, view]) views.host.post({ kind: 'release', view: id });
  expect(views.host.status()).toMatchObject({ heldRows: 0, heldBytes: 0 });
});

const QUERIES: readonly (readonly [string, readonly (string | null)[]])[] = [
  ['SELECT count(*), count(size), sum(size), avg(size), sum(points), avg(points) FROM item', []],
  ['SELECT status, count(*), sum(points) FROM item WHERE project = $1 GROUP BY status ORDER BY 1', ['1']],
  ['SELECT status, count(*), sum(points) FROM item WHERE project = $1 GROUP BY status ORDER BY 1', ['2']],
  ['SELECT status, count(*), sum(points) FROM item WHERE project = $1 GROUP BY status ORDER BY 1', [null]],
  [
    'SELECT project, min(points), max(points), bool_and(mark), bool_or(mark), bit_xor(points) FROM item GROUP BY 1 ORDER BY 1',
    [],
  ],
  [
    'SELECT project, count(DISTINCT points), count(DISTINCT label COLLATE "C"), count(*) FILTER (WHERE mark) FROM item GROUP BY 1 ORDER BY 1',
    [],
  ],
  [
    'SELECT project, status, count(*) FROM item GROUP BY ROLLUP (project, status) HAVING count(*) > 1 ORDER BY 1, 2, grouping(project, status)',
    [],
  ],
  [
    "SELECT CASE WHEN points > $1 THEN 'many' ELSE 'few' END AS class, count(*), count(DISTINCT weight), count(length(body)) FROM item WHERE length(label COLLATE \"C\") = 1 GROUP BY 1 ORDER BY 1",
    ['2'],
  ],
  [
    'SELECT p.name, (SELECT count(*) FROM item i WHERE i.project = p.id), (SELECT sum(i.size) FROM item i WHERE i.project = p.id AND i.mark) FROM project p WHERE p.team = $1 ORDER BY p.id',
    ['1'],
  ],
  [
    'SELECT p.name, t.n FROM project p JOIN (SELECT project, count(*) AS n FROM item GROUP BY project) t ON t.project = p.id ORDER BY p.id',
    [],
  ],
];

test('after each of many transactions they are what Postgres answers, and nothing of the table is held', async () => {
  await start();
  const random = new Random(7);
  for (let at = 0; at < 40; at++) await database.sql(`BEGIN; ${statement(random)}; COMMIT`);
  const followed = await Promise.all(QUERIES.map(([sql, params]) => open(sql, params)));
  for (let turn = 0; turn < 60; turn++) {
    await database.sql(
      `BEGIN; ${Array.from({ length: 1 + random.below(4) }, () => statement(random)).join('; ')}; COMMIT`,
    );
    for (const [at, [sql, params]] of QUERIES.entries()) await followed[at]?.shows(await answer(sql, params));
  }
  expect(views.events.filter(({ kind }) => kind === 'missed' || kind === 'handed_over')).toEqual([]);
});

test('what is equal and prints differently is read apart', async () => {
  await database.sql(`INSERT INTO item (id, size, label, weight) VALUES
    (1, 1.0, 'a', 0), (2, 1.00, 'A', '-0'), (3, 1.00, 'A', '-0')`);
  await start();
  const numbers = await open('SELECT sum(size), count(*) FROM item');
  const labels = await open('SELECT count(DISTINCT label COLLATE "C"), count(DISTINCT weight) FROM item');
  await numbers.shows([['3.00', '3']]);
  await labels.shows([['2', '1']]);
  await database.sql('DELETE FROM item WHERE id > 1');
  await numbers.shows([['1.0', '1']]);
  await labels.shows([['1', '1']]);
});

test('C5: what is opened while others write has each change once', async () => {
  const url = new URL(database.url);
  // While what was read is on its way others go on writing.
  proxy = await TcpProxy.start(Number(url.port), 15);
  url.port = String(proxy.port);
  views = await startViews(database, {}, { readUrl: url.toString() });
  const random = new Random(11);
  for (let at = 0; at < 20; at++) await database.sql(`BEGIN; ${statement(random)}; COMMIT`);
  let isOver = false;
  const writers = Array.from({ length: 3 }, async (_, seed) => {
    const own = new Random(seed);
    const client = new pg.Client({ connectionString: database.adminUrl });
    await client.connect();
    while (!isOver)
      await client
        .query(`BEGIN; ${statement(own)}; ${statement(own)}; COMMIT`)
        .catch(async (error: unknown) => {
          if (!isConflict(error)) throw error;
          await client.query('ROLLBACK');
        });
    await client.end();
  });
  for (let round = 0; round < 5; round++) {
    const opened = await Promise.all(QUERIES.map(([sql, params]) => open(sql, params)));
    await Promise.all(opened.map((view) => view.until(() => view.state === 'valid')));
    if (round < 4) for (const { id } of opened) views.host.post({ kind: 'release', view: id });
  }
  isOver = true;
  await Promise.all(writers);
  for (const [sql, params] of QUERIES) await (await open(sql, params)).shows(await answer(sql, params));
});

test('a replica identity that changes makes plans that hold rows, and plans that do not', async () => {
  await database.sql(`INSERT INTO item SELECT n, 1 + n % 2, 's' || n % 3 FROM generate_series(1, 300) n`);
  await start();
  const sql = 'SELECT status, count(*) FROM item WHERE project = $1 GROUP BY status ORDER BY 1';
  for (const [identity, heldRows] of [
    ['FULL', 0],
    ['DEFAULT', 150],
    ['FULL', 0],
  ] as const) {
    await database.sql(`ALTER TABLE item REPLICA IDENTITY ${identity}`);
    await views.schemaChanged();
    const view = await open(sql, ['1']);
    await view.shows(await answer(sql, ['1']));
    const { gaps } = view;
    expect(views.host.status()).toMatchObject({ views: 1, heldRows });
    await database.sql(
      `UPDATE item SET status = 's1' WHERE id % 2 = 0 AND id < 50; DELETE FROM item WHERE id = 100`,
    );
    await view.shows(await answer(sql, ['1']));
    await database.sql(`UPDATE item SET status = 's' || id % 3; INSERT INTO item VALUES (100, 1, 's1')`);
    await view.shows(await answer(sql, ['1']));
    expect([view.state, view.gaps]).toEqual(['valid', gaps]);
    // What was kept under it goes on exactly until its plan is known to be another.
    const other = identity === 'FULL' ? 'DEFAULT' : 'FULL';
    await database.sql(`ALTER TABLE item REPLICA IDENTITY ${other}; DELETE FROM item WHERE id = 102`);
    await view.shows(await answer(sql, ['1']));
    await database.sql(`INSERT INTO item VALUES (102, 1, 's0')`);
    await view.shows(await answer(sql, ['1']));
    await views.schemaChanged();
    await view.until(() => view.state === 'ended');
  }
});

test('explain says where rows are held, and what would make it hold none', async () => {
  await start();
  const run = runOn(judge);
  const sql = 'SELECT status, count(*) FROM item GROUP BY status';
  const registry = async (): Promise<Registry> => readRegistry(run, 'sluice');
  const whole = await explain(await views.plan(sql), await registry(), run, null);
  expect([whole.tree.at(-1), whole.hints]).toEqual([expect.stringContaining('holding no rows'), []]);
  await database.sql('ALTER TABLE item REPLICA IDENTITY DEFAULT');
  await views.schemaChanged();
  const held = await explain(await views.plan(sql), await registry(), run, null);
  expect([held.tree.at(-1), held.hints]).toEqual([
    expect.not.stringContaining('holding no rows'),
    [expect.stringContaining('public.item REPLICA IDENTITY FULL')],
  ]);
});

test('C20: of a partitioned table all leaves have to bring whole rows', async () => {
  await database.sql(`CREATE TABLE part (id int, region text, n int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu'); CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
    ALTER TABLE part_eu REPLICA IDENTITY FULL; ALTER TABLE part_us REPLICA IDENTITY FULL;
    INSERT INTO part SELECT n, CASE n % 2 WHEN 0 THEN 'eu' ELSE 'us' END, n % 5 FROM generate_series(1, 100) n`);
  await database.publish();
  await start();
  const sql = 'SELECT n, count(*), min(region) FROM part GROUP BY n ORDER BY n';
  const view = await open(sql);
  await view.shows(await answer(sql, []));
  expect(views.host.status().heldRows).toBe(0);
  await database.sql(
    `UPDATE part SET region = 'us' WHERE id = 2; DELETE FROM part WHERE id < 2; INSERT INTO part VALUES (200, 'eu', 1)`,
  );
  await view.shows(await answer(sql, []));
  await database.sql('TRUNCATE part_us');
  await view.shows(await answer(sql, []));
  expect(views.events.filter(({ kind }) => kind === 'missed')).toHaveLength(1);
  await database.sql('ALTER TABLE part_eu REPLICA IDENTITY DEFAULT');
  await views.schemaChanged();
  await view.until(() => view.state === 'ended');
  const held = await open(sql);
  await held.shows(await answer(sql, []));
  expect(views.host.status().heldRows).toBe(50);
});

test('P6: what is held of values is counted, and what holds too much is run again', async () => {
  await database.sql(`INSERT INTO item SELECT n, 1, 's', n, n FROM generate_series(1, 400) n`);
  await start({ heldBytesMax: 200_000 });
  const sql = 'SELECT count(DISTINCT size), max(points) FROM item WHERE project = $1';
  const view = await open(sql, ['1']);
  await view.shows([['400', '400']]);
  const { heldRows, heldBytes } = views.host.status();
  expect([heldRows, heldBytes > 400 * 200]).toEqual([0, true]);
  await database.sql('DELETE FROM item WHERE id <= 300');
  await view.shows([['100', '400']]);
  expect(views.host.status().heldBytes).toBeLessThan(heldBytes / 3);
  await database.sql(`INSERT INTO item SELECT n, 1, 's', n, n FROM generate_series(401, 1400) n`);
  const handOvers = (): unknown[] =>
    views.events.flatMap((event) => (event.kind === 'handed_over' ? [event.why] : []));
  await view.until(() => view.state === 'valid' && handOvers().length > 0);
  await view.shows([['1100', '1400']]);
  const held = views.host.status();
  expect([handOvers(), held.heldBytes - held.keptBytes]).toEqual([['memory'], 0]);
});

test('where Postgres raises an error a view is left to it', async () => {
  await database.sql(`INSERT INTO item VALUES (1, 1, 's', 1, 1), (2, 2, 's', 1, 1)`);
  await start();
  const sql = 'SELECT sum(10 / points) FROM item WHERE project = $1';
  const view = await open(sql, ['1']);
  const other = await open(sql, ['2']);
  await view.shows([['10']]);
  await database.sql(
    `BEGIN; INSERT INTO item VALUES (3, 1, 's', 1, 0); DELETE FROM item WHERE id = 3; COMMIT`,
  );
  await database.sql(`INSERT INTO item VALUES (4, 1, 's', 1, 5)`);
  await view.shows([['12']]);
  expect(views.events.filter(({ kind }) => kind === 'missed')).toEqual([]);
  await database.sql(`UPDATE item SET points = 0 WHERE id = 4`);
  await view.until(() => view.state === 'error');
  expect(view.error?.detail).toContain('22012');
  await database.sql(`UPDATE item SET points = 2 WHERE id IN (2, 4)`);
  await view.shows([['15']]);
  await other.shows([['5']]);
});

/** Two writers waited for each other, or moved a row to the same place. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '23505');
}

/** Rows come, move between groups and bindings, come back to what they were, and go. */
function statement(random: Random): string {
  const id = random.below(30);
  switch (random.below(8)) {
    case 0:
      return `DELETE FROM item WHERE id = ${id}`;
    case 1:
      return `UPDATE item SET id = id + 100, project = ${1 + random.below(4)} WHERE id = ${id} AND NOT EXISTS (SELECT FROM item WHERE id = ${id + 100})`;
    case 2:
      return `UPDATE item SET size = size + 0.10, status = 's${random.below(3)}' WHERE id % 3 = ${random.below(3)}`;
    case 3:
      return `UPDATE item SET points = points + 1 WHERE id = ${id}; UPDATE item SET points = points - 1 WHERE id = ${id}`;
    case 4:
      return `SAVEPOINT s; DELETE FROM item WHERE project = 1; ROLLBACK TO s; UPDATE item SET mark = NOT mark WHERE id = ${id}`;
    default:
      return `INSERT INTO item VALUES (${id}, ${random.of(['1', '2', '3', 'NULL'])}, 's${random.below(3)}',
        ${random.of(['1', '1.0', '1.00', 'NULL', "'NaN'", '-2.5'])}, ${random.of(['0', '3', '-4', 'NULL', '7'])}, ${random.of(['true', 'false', 'NULL'])},
        ${random.of(["'a'", "'A'", "'b'", 'NULL'])}, ${random.of(["'-0'", '0', '1.5', 'NULL'])}, repeat('x', ${random.of(['10', '9000'])}))
        ON CONFLICT (id) DO UPDATE SET project = excluded.project, size = excluded.size, label = excluded.label, points = excluded.points`;
  }
}

/** A small generator of its own: the same on every run. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed + 1;
  }

  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) & 0x7fffffff;
    return (this.#state >>> 8) % bound;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
