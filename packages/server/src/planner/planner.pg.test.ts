import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRegistry } from '../registry/read-registry.js';
import type { Registry } from '../registry/registry.js';
import { CLIENT_ROLE, type TestDatabase } from '../testing/postgres.js';
import { runOn } from '../source/run-on.js';
import { sharedDatabase } from '../testing/shared.js';
import type { Planned } from './planned.js';
import { Planner, type PlanRequest } from './planner.js';

const SETUP = `
CREATE TYPE status AS ENUM ('open', 'closed', 'gone');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE project (id int PRIMARY KEY, name text NOT NULL UNIQUE, due date);
CREATE TABLE issue (
  id bigint PRIMARY KEY, project_id int NOT NULL, title text, code text COLLATE "C", status status, rank float8,
  amount numeric, active bool, at timestamptz, day date, mail email, tags text[], data jsonb, kind varchar(10),
  small smallint, ref uuid, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE nokey (a int, b text);
CREATE TABLE fullkey (a int NOT NULL UNIQUE, b text); ALTER TABLE fullkey REPLICA IDENTITY FULL;
CREATE TABLE part (id int, day date, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE part_a PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
CREATE UNLOGGED TABLE scratch (id int);
CREATE TABLE secret (id int PRIMARY KEY); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE COLLATION nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE word (id int PRIMARY KEY, en text COLLATE "en-x-icu", nd text COLLATE nd, big text COLLATE "C");
CREATE SEQUENCE seq;
CREATE VIEW open_issue AS SELECT i.id, i.title, p.name FROM issue i JOIN project p ON p.id = i.project_id WHERE i.status = 'open';
CREATE VIEW due_now AS SELECT * FROM project WHERE due <= current_date;
CREATE VIEW of_secret AS SELECT * FROM secret;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM issue;
CREATE FUNCTION total(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM issue WHERE project_id = $1';
CREATE FUNCTION total_atomic(p int) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM issue WHERE project_id = p);
CREATE FUNCTION total_plpgsql(p int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
  DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM issue WHERE project_id = p; IF n > 5 THEN RETURN total(p); END IF; RETURN n; END $$;
CREATE FUNCTION dynamic() RETURNS bigint LANGUAGE plpgsql STABLE AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT 1' INTO n; RETURN n; END $$;
CREATE FUNCTION definer() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT id FROM secret LIMIT 1';
CREATE FUNCTION roll() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION hidden_roll() RETURNS float8 LANGUAGE sql STABLE AS 'SELECT random()';
CREATE FUNCTION shout(project) RETURNS text LANGUAGE sql STABLE AS 'SELECT upper($1.name) || (SELECT count(*) FROM issue)';
CREATE FUNCTION double_it(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';`;

let database: TestDatabase;
let pool: pg.Pool;
let registry: Registry;
let planner: Planner;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  registry = await readRegistry(runOn(pool), 'sluice');
  planner = new Planner({ connections: pool, registry: () => registry });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const REQUEST: PlanRequest = { principal: { role: CLIENT_ROLE, claims: {} }, adHoc: false, params: [] };

function plan(sql: string, options: Partial<PlanRequest> = {}): Promise<Planned> {
  const count = new Set(sql.match(/\$\d+/g)).size;
  const params = Array.from({ length: count }, () => null);
  return planner.plan(sql, { ...REQUEST, params, ...options });
}

function names(oids: readonly number[]): readonly string[] {
  return oids.map((oid) => registry.tables.get(oid)?.name ?? '?').toSorted();
}

function reasonOf(planned: Planned): string | null {
  return planned.gear.kind === 'rerun' ? planned.gear.reason : null;
}

describe('incremental', () => {
  test.each([
    'SELECT * FROM project',
    'SELECT id, name AS "the name", p.id FROM public.project AS p WHERE p.id = $1',
    'SELECT id, title FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 20',
    'SELECT id FROM issue WHERE project_id = $1 AND status IN ($2, $3) ORDER BY 1 DESC LIMIT $4 OFFSET $5',
    `SELECT id FROM issue WHERE status = 'open' OR NOT active OR title IS DISTINCT FROM 'x'`,
    `SELECT id FROM issue WHERE project_id IN (1, 2, 3) AND kind NOT IN ('a', 'b') AND small = 70000`,
    'SELECT id FROM issue WHERE id = ANY ($1) AND title <> ALL ($2)',
    `SELECT id FROM issue WHERE amount BETWEEN 1.5 AND $1 AND id NOT BETWEEN SYMMETRIC 9 AND 2`,
    `SELECT id FROM issue WHERE (active AND amount > 5) IS NOT TRUE AND tags IS NOT NULL AND data IS NULL`,
    `SELECT id FROM issue WHERE day >= '2020-01-01' AND at < timestamptz '2020-01-01 10:00+02'`,
    `SELECT id FROM issue WHERE code < 'm' ORDER BY code DESC NULLS LAST`,
    `SELECT id FROM issue WHERE title > 'm' COLLATE "C" OR title COLLATE "C" >= 'm'`,
    `SELECT id FROM issue WHERE mail = 'a@b' AND ref = '00000000-0000-0000-0000-000000000001'`,
    'SELECT id AS x FROM issue ORDER BY x, issue.title COLLATE "C"',
    'SELECT b FROM fullkey WHERE a > 3',
    `SELECT id FROM word WHERE en = 'a' OR en > 'b' COLLATE "C" OR nd IS NOT NULL OR big < 'x' ORDER BY big`,
    `SELECT id, nd, en FROM word WHERE en IN ('a', 'b') AND en <> ALL ($1) ORDER BY en COLLATE "C"`,
    'SELECT id FROM part WHERE day = $1',
    'SELECT id FROM issue WHERE $1 OR project_id = $2::int',
    'SELECT id FROM issue WHERE rank > 5 FETCH FIRST 3 ROWS ONLY',
  ])('%s', async (sql) => {
    // The shared server's default collation is C; `title` is ordered there as anywhere.
    const planned = await plan(sql);
    expect(reasonOf(planned)).toBeNull();
    expect(planned.reads).toHaveLength(1);
  });

  test('the plan of the example of the manual', async () => {
    const planned = await plan(
      'SELECT id, title FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 20',
    );
    expect(planned).toMatchObject({
      shape: {
        columns: [
          { name: 'id', type: 'bigint', decoder: 'bigint' },
          { name: 'title', type: 'text', decoder: 'text' },
        ],
        ordered: true,
      },
      paramTypes: [{ oid: 23, name: 'pg_catalog.int4' }],
      keyColumns: [0],
      readsClock: false,
      gear: {
        kind: 'incremental',
        plan: {
          kind: 'table',
          columns: [
            { name: 'id', type: { kind: 'int' } },
            { name: 'title', type: { kind: 'text' } },
            { name: 'project_id', type: { kind: 'int' } },
            { name: 'rank', type: { kind: 'float' } },
          ],
          where: { op: 'eq', left: { column: 2 }, right: { param: 0 }, type: { kind: 'int' } },
          project: [0, 1],
          order: [
            { column: 3, descending: false, nullsFirst: false },
            { column: 0, descending: false, nullsFirst: false },
          ],
          key: [0],
          limit: { param: 1 },
          offset: null,
        },
        params: [
          { kind: 'param', index: 0 },
          { kind: 'constant', value: '20' },
        ],
      },
    });
  });

  test('spellings of one query share a template; other queries do not', async () => {
    const template = async (sql: string): Promise<string> => (await plan(sql)).template;
    const base = await template('SELECT id, title FROM issue WHERE project_id = $1');
    expect(
      await template(
        'select i.id , "title" as t from public.issue i where 5 = 5 and true or i.project_id = 7',
      ),
    ).not.toBe(base);
    for (const same of [
      'SELECT id, title FROM issue WHERE project_id = 5',
      'select i.id, i.title as other /* x */ from public.issue as i where i.project_id=77',
      `SELECT id, title FROM issue WHERE project_id = '5'`,
    ])
      expect(await template(same)).toBe(base);
    for (const other of [
      'SELECT id FROM issue WHERE project_id = $1',
      'SELECT id, title FROM issue WHERE project_id <> $1',
      'SELECT id, title FROM issue WHERE project_id IN (5, 6)',
      'SELECT id, title FROM issue WHERE small = $1',
    ])
      expect(await template(other)).not.toBe(base);
    expect(await template('SELECT id FROM issue WHERE project_id IN (1, 2)')).toBe(
      await template('SELECT id FROM issue WHERE project_id IN (1, 2, 3)'),
    );
  });
});

describe('more than one table, or more of it than columns: blocks', () => {
  test.each([
    ['SELECT i.id, p.name FROM issue i JOIN project p ON p.id = i.project_id', ['issue', 'project']],
    ['SELECT id, title FROM open_issue', ['issue', 'project']],
    ['WITH issue AS (SELECT * FROM project) SELECT * FROM issue', ['project']],
    ['SELECT id FROM project UNION SELECT id FROM issue', ['issue', 'project']],
    ['SELECT DISTINCT name FROM project', ['project']],
    ['SELECT project_id, count(*) FROM issue GROUP BY 1', ['issue']],
    ['SELECT max(id) FROM issue', ['issue']],
    ['SELECT id + 1 FROM issue', ['issue']],
    ['SELECT id FROM issue ORDER BY id + 1', ['issue']],
    [`SELECT id FROM issue WHERE title LIKE 'a%'`, ['issue']],
    ['SELECT id FROM issue WHERE rank = amount', ['issue']],
    [`SELECT id FROM issue WHERE tags = '{a}'`, ['issue']],
    ['SELECT id FROM issue WHERE title = NULL', ['issue']],
    ['SELECT id FROM issue ORDER BY id FETCH FIRST 3 ROWS WITH TIES', ['issue']],
    [`SELECT id FROM word WHERE en > 'a'`, ['word']],
    [`SELECT id FROM word WHERE 'a' <= en`, ['word']],
    [`SELECT id FROM word WHERE en BETWEEN 'a' AND 'b'`, ['word']],
    ['SELECT id FROM word ORDER BY en', ['word']],
    ['SELECT id FROM word ORDER BY big COLLATE "en-x-icu"', ['word']],
  ])('%s', async (sql, reads) => {
    const planned = await plan(sql);
    expect(reasonOf(planned)).toBeNull();
    expect(planned.gear).toMatchObject({ kind: 'incremental', plan: { kind: 'blocks' } });
    expect(names(planned.reads)).toEqual(reads);
  });
});

describe('re-run, with the reason', () => {
  test.each([
    ['SELECT 1', /no table/, []],
    ['SELECT id, row_number() OVER () FROM issue', /window/, ['issue']],
    ['SELECT id FROM issue WHERE xmin IS NULL', /at hand/, ['issue']],
    ['SELECT issue FROM issue', /generated|row/, ['issue']],
    ['SELECT id FROM issue LIMIT 2 + 3', /LIMIT/, ['issue']],
    ['SELECT * FROM issue', /generated/, ['issue']],
    ['SELECT * FROM parent', /inherit/, ['child', 'parent']],
    ['SELECT id FROM ONLY part', /root/, ['part']],
    [`SELECT id FROM word WHERE nd = 'a'`, /non-deterministic/, ['word']],
    [`SELECT id FROM word WHERE nd IN ('a', 'b')`, /non-deterministic/, ['word']],
    ['SELECT id FROM word WHERE nd = ANY ($1)', /non-deterministic/, ['word']],
    ['SELECT id FROM word WHERE en = big', /./, ['word']],
    ['SELECT * FROM nokey', /no primary key/, ['nokey']],
    ['SELECT id FROM issue WHERE id = 1/0', /./, ['issue']],
    ['SELECT id, total(id) FROM project', /application/, ['issue', 'project']],
    ['SELECT total_atomic(1)', /application/, ['issue']],
    ['SELECT total_plpgsql(1)', /application/, ['issue']],
    ['SELECT p.shout FROM project p', /./, ['issue', 'project']],
    ['SELECT (p).shout FROM project p', /./, ['issue', 'project']],
    ['SELECT id FROM project WHERE double_it(id) = 4', /./, ['project']],
  ])('%s', async (sql, reason, reads) => {
    const planned = await plan(sql);
    expect(reasonOf(planned)).toMatch(reason);
    expect(names(planned.reads)).toEqual(reads);
    expect(planned.readsAnything).toBe(false);
  });

  test('dynamic SQL reads anything', async () => {
    const planned = await plan('SELECT dynamic()');
    expect(planned.readsAnything).toBe(true);
    expect(reasonOf(planned)).toMatch(/EXECUTE/);
  });
});

test.each([
  ['SELECT project_id, count(*) FROM issue GROUP BY project_id', [0]],
  ['SELECT count(*), p.name FROM issue i JOIN project p ON p.id = i.project_id GROUP BY p.name', [1]],
  ['SELECT count(*) FROM issue GROUP BY project_id', null],
  ['SELECT count(*) FROM issue', []],
  ['SELECT DISTINCT title, kind FROM issue', [0, 1]],
  ['SELECT id FROM issue UNION SELECT id FROM project', [0]],
  ['SELECT id FROM issue UNION ALL SELECT id FROM project', null],
  ['SELECT i.id, p.id FROM issue i LEFT JOIN project p ON p.id = i.project_id', [0, 1]],
  ['SELECT i.id FROM issue i JOIN project p ON p.id = i.project_id', null],
  ['SELECT a.id, b.id FROM issue a JOIN issue b ON a.id = b.id', [0, 1]],
  ['SELECT b.id, a.title, a.id FROM issue a LEFT JOIN issue b ON b.project_id = a.project_id', [0, 2]],
  ['SELECT a.id, a.id AS again FROM issue a JOIN issue b ON a.id = b.id', null],
  ['SELECT b.id, p.name FROM issue a, issue b, project p', null],
  ['SELECT a.*, b.id FROM project a CROSS JOIN project b', [0, 3]],
  ['SELECT * FROM project a CROSS JOIN project b', [0, 3]],
  ['SELECT * FROM project a JOIN project b USING (id)', null],
  ['SELECT a.id, b.id FROM project a FULL JOIN project b ON a.due = b.due', null],
  ['SELECT id, b.name FROM project a JOIN project b USING (id)', null],
  ['SELECT a.id + 1, b.id FROM project a, project b', null],
  ['SELECT x, y FROM project a (x, n), project b (y, m)', [0, 1]],
  ['SELECT s.title, s.id FROM (SELECT id, title FROM issue WHERE id > 1 LIMIT 5) s', [1]],
  ['SELECT title FROM (SELECT id, title FROM issue) s', null],
  ['SELECT s.* FROM (SELECT * FROM issue) s', [0]],
  ['SELECT n, s.k FROM (SELECT name, id FROM project) s (n, k)', [1]],
  ['SELECT a.id, s.id FROM issue a JOIN (SELECT id FROM issue WHERE id < 9) s ON s.id <> a.id', [0, 1]],
  ['SELECT id, n FROM (SELECT project_id AS id, count(*) AS n FROM issue GROUP BY 1) s', [0]],
  ['SELECT n, i.id FROM issue i, (SELECT count(*) AS n FROM project) s', [1]],
  [
    'SELECT i.id, n FROM issue i, LATERAL (SELECT count(*) AS n FROM project p WHERE p.id = i.project_id) s',
    [0],
  ],
  [
    'SELECT i.id, s.id FROM issue i, LATERAL (SELECT p.id FROM project p WHERE p.id < i.id LIMIT 2) s',
    [0, 1],
  ],
  ['SELECT t FROM (SELECT DISTINCT title FROM issue) s (t)', [0]],
  ['SELECT id FROM (SELECT id FROM issue UNION SELECT id FROM project) s', [0]],
  ['SELECT id FROM (SELECT id FROM issue UNION ALL SELECT id FROM project) s', null],
  ['SELECT id, u FROM (SELECT id, unnest(tags) AS u FROM issue) s', null],
  ['WITH project AS (SELECT 1 AS id FROM issue) SELECT id FROM (SELECT id FROM project) s', null],
  ['SELECT a.id FROM (SELECT * FROM (SELECT id FROM project) x) a', [0]],
  ['SELECT s.id, s.k FROM (SELECT a.id, b.id AS k FROM issue a, issue b) s', [0, 1]],
  ['SELECT s.id FROM (SELECT a.id, b.id AS k FROM issue a, issue b) s', null],
  ['SELECT id, unnest(tags) FROM issue', null],
  ['SELECT name FROM project', [0]],
  ['SELECT title FROM issue', null],
  ['SELECT id FROM issue, generate_series(1, 2)', null],
  ['VALUES (1)', []],
  ['VALUES (1), (1)', null],
  ['SELECT p.id, n.n FROM project p LEFT JOIN LATERAL (SELECT count(*) AS n FROM issue) n ON true', [0]],
  ['SELECT p.id, t.* FROM project p CROSS JOIN LATERAL (SELECT title FROM issue LIMIT 1) t', [0]],
  ['SELECT p.id, t.* FROM project p CROSS JOIN LATERAL (SELECT title FROM issue LIMIT 2) t', null],
  [
    'SELECT p.id, t.* FROM project p JOIN (SELECT i.title FROM (SELECT * FROM issue LIMIT 1) i) t ON true',
    [0],
  ],
  ['SELECT p.id, t.* FROM project p CROSS JOIN (SELECT unnest(tags) FROM issue LIMIT 3) t', null],
  ['SELECT p.id, t.n FROM project p CROSS JOIN (SELECT count(*) AS n FROM issue GROUP BY kind) t', null],
])('key columns: %s', async (sql, key) => {
  expect((await plan(sql)).keyColumns).toEqual(key);
});

describe('refused', () => {
  test.each([
    ['', 'one_statement_only'],
    ['SELECT 1; SELECT 2', 'one_statement_only'],
    ['selec 1', 'syntax_error'],
    ['DELETE FROM issue', 'select_only'],
    ['WITH d AS (DELETE FROM issue RETURNING *) SELECT * FROM d', 'select_only'],
    ['SELECT * FROM (WITH d AS (UPDATE issue SET id = 1 RETURNING *) SELECT * FROM d) x', 'select_only'],
    ['SELECT * INTO copy FROM issue', 'select_only'],
    ['EXPLAIN SELECT 1', 'select_only'],
    ['TABLE issue FOR UPDATE', 'locking_refused'],
    ['SELECT * FROM (SELECT * FROM issue FOR SHARE) x', 'locking_refused'],
    ['SELECT * FROM issue TABLESAMPLE SYSTEM (10)', 'sample_refused'],
    ['SELECT * FROM nothing', 'table_unknown'],
    ['SELECT * FROM other.nothing', 'table_unknown'],
    ['SELECT nothing FROM issue', 'column_unknown'],
    ['SELECT nothing(1)', 'function_unknown'],
    ['SELECT id FROM issue WHERE title = 5', 'function_unknown'],
    [`SELECT id FROM issue WHERE project_id = 'x'`, 'query_invalid'],
    ['SELECT CASE WHEN true THEN 1 ELSE true END', 'type_mismatch'],
    ['SELECT * FROM scratch', 'relation_not_replicated'],
    ['SELECT * FROM counted', 'relation_not_replicated'],
    ['SELECT * FROM seq', 'relation_not_replicated'],
    ['SELECT * FROM pg_class', 'relation_not_replicated'],
    ['SELECT * FROM information_schema.tables', 'relation_not_replicated'],
    ['SELECT * FROM secret', 'row_security_refused'],
    ['SELECT id FROM issue WHERE EXISTS (SELECT FROM of_secret)', 'row_security_refused'],
    ['SELECT random()', 'function_volatile'],
    ['SELECT roll()', 'function_volatile'],
    ['SELECT hidden_roll()', 'function_volatile'],
    ['SELECT nextval($$seq$$)', 'function_volatile'],
    ['SELECT definer()', 'function_security_definer'],
    ['SELECT now()', 'tick_missing'],
    ['SELECT * FROM project WHERE due = current_date', 'tick_missing'],
    [`SELECT * FROM project WHERE due < 'today'`, 'tick_missing'],
    ['SELECT * FROM due_now', 'tick_missing'],
    [`SELECT age(timestamp '2020-01-01')`, 'tick_missing'],
  ])('%s', async (sql, code) => {
    await expect(plan(sql)).rejects.toMatchObject({ code });
  });

  test('time is one more input with a tick', async () => {
    expect(await plan('SELECT * FROM due_now', { tick: '1m' })).toMatchObject({ readsClock: true });
    expect((await plan(`SELECT id FROM issue WHERE title = 'today'`)).readsClock).toBe(false);
    await expect(plan('SELECT now()', { tick: 'often' })).rejects.toMatchObject({ code: 'tick_invalid' });
  });

  test('no rights, no plan', async () => {
    await database.sql(
      'CREATE TABLE closed (id int PRIMARY KEY, open int); ALTER PUBLICATION sluice ADD TABLE closed',
    );
    await database.sql(`GRANT SELECT (open) ON closed TO ${CLIENT_ROLE}`);
    registry = await readRegistry(runOn(pool), 'sluice');
    await expect(plan('SELECT * FROM closed')).rejects.toMatchObject({ code: 'read_not_permitted' });
    await expect(plan('SELECT open FROM closed WHERE id = $1')).rejects.toMatchObject({
      code: 'read_not_permitted',
    });
    expect(names((await plan('SELECT open FROM closed')).reads)).toEqual(['closed']);
  });

  test('a table made a moment ago is looked for once more', async () => {
    let refreshes = 0;
    const old = registry;
    const late = new Planner({
      connections: pool,
      registry: () => (refreshes === 0 ? old : registry),
      refresh: async () => {
        refreshes++;
        registry = await readRegistry(runOn(pool), 'sluice');
      },
    });
    await database.sql(`CREATE TABLE fresh (id int PRIMARY KEY); ALTER PUBLICATION sluice ADD TABLE fresh;
      GRANT SELECT ON fresh TO ${CLIENT_ROLE}`);
    expect(names((await late.plan('SELECT * FROM fresh', REQUEST)).reads)).toEqual(['fresh']);
    await expect(late.plan('SELECT * FROM scratch', REQUEST)).rejects.toMatchObject({
      code: 'relation_not_replicated',
    });
    expect(refreshes).toBe(1);
  });

  test('the number of parameters', async () => {
    await expect(plan('SELECT $1::int', { params: [] })).rejects.toMatchObject({ code: 'parameter_count' });
  });
});

test('a query on a table that stays locked is told so, and planned once it is not', async () => {
  const waiting = new Planner({ connections: pool, registry: () => registry, planTimeoutMs: 1000 });
  const locker = new pg.Client({ connectionString: database.adminUrl });
  await locker.connect();
  try {
    await locker.query('BEGIN; LOCK TABLE project IN ACCESS EXCLUSIVE MODE');
    await expect(waiting.plan('SELECT id FROM project', REQUEST)).rejects.toMatchObject({
      code: 'lock_timeout',
      retry: true,
    });
  } finally {
    await locker.end();
  }
  await expect(planner.plan('SELECT id FROM project', REQUEST)).resolves.toMatchObject({ readsClock: false });
});

test('a burst of new queries waits for its turn, within a bound', async () => {
  const busy = new Planner({
    connections: pool,
    registry: () => registry,
    planConcurrency: 1,
    planQueueMax: 3,
  });
  const request = { principal: { role: CLIENT_ROLE, claims: {} }, adHoc: true, params: [] };
  const burst = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => busy.plan(`SELECT id + ${n} FROM project`, request)),
  );
  const refused = burst.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as { code: string; retry: boolean }] : [],
  );
  expect(burst).toHaveLength(refused.length + 4);
  expect(refused).toSatisfy((list: typeof refused) =>
    list.every(({ code, retry }) => code === 'planner_busy' && retry),
  );
  await expect(busy.plan('SELECT id + 9 FROM project', request)).resolves.toMatchObject({
    readsClock: false,
  });
});

test('a named query may ask which database it is in', async () => {
  const request = { principal: { role: CLIENT_ROLE, claims: {} }, adHoc: false, params: [] };
  await expect(planner.plan('SELECT current_database() FROM project', request)).resolves.toMatchObject({
    readsAnything: false,
  });
  await expect(
    planner.plan('SELECT current_database() FROM project', { ...request, adHoc: true }),
  ).rejects.toMatchObject({
    code: 'function_not_allowed',
  });
});
