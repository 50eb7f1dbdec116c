import { query, step, type Workload } from '../workload.js';

/*
 * Tables of every kind that replicates differently: REPLICA IDENTITY FULL with and without a key, USING INDEX,
 * composite keys that change, partitions that rows move between (one leaf with its columns in another order),
 * generated columns, tables that are truncated.
 */
const REGIONS = ['eu', 'us', 'asia', 'other'] as const;
const IDS = 60;

export const tables: Workload = {
  name: 'tables',
  schema: `
    CREATE TABLE full_row (id int PRIMARY KEY, kind int, n int, s text, big text);
    ALTER TABLE full_row REPLICA IDENTITY FULL;
    ALTER TABLE full_row ALTER COLUMN big SET STORAGE EXTERNAL;
    CREATE TABLE keyless (a int, b text, c numeric);
    ALTER TABLE keyless REPLICA IDENTITY FULL;
    CREATE TABLE by_index (id int, code text NOT NULL, n int, big text);
    CREATE UNIQUE INDEX by_index_code ON by_index (code);
    ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;
    CREATE TABLE keyed (org int, code text COLLATE "C", n int, payload text, PRIMARY KEY (org, code));
    CREATE TABLE event (id int, region text, n int, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE event_eu PARTITION OF event FOR VALUES IN ('eu');
    CREATE TABLE event_us (note text, dropped int, n int, region text NOT NULL, id int NOT NULL,
                           PRIMARY KEY (id, region));
    ALTER TABLE event_us DROP COLUMN dropped;
    ALTER TABLE event ATTACH PARTITION event_us FOR VALUES IN ('us');
    CREATE TABLE event_rest PARTITION OF event DEFAULT PARTITION BY RANGE (id);
    CREATE TABLE event_rest_low PARTITION OF event_rest FOR VALUES FROM (MINVALUE) TO (30);
    CREATE TABLE event_rest_high PARTITION OF event_rest FOR VALUES FROM (30) TO (MAXVALUE);
    CREATE TABLE computed (id int PRIMARY KEY, n int, doubled int GENERATED ALWAYS AS (n * 2) STORED);
    CREATE TABLE bin (id int PRIMARY KEY, grp int, v text);
    CREATE TABLE bin_part (id int PRIMARY KEY, bin_id int);`,
  rows: () => `
    INSERT INTO full_row SELECT i, i % 4, i, 's' || i FROM generate_series(1, 40) i;
    INSERT INTO keyless SELECT i % 5, 'b' || i % 3, i % 4 FROM generate_series(1, 40) i;
    INSERT INTO by_index SELECT i, 'code ' || i, i % 9 FROM generate_series(1, 40) i;
    INSERT INTO keyed SELECT i % 5, 'k' || i, i, 'p' FROM generate_series(1, 40) i;
    INSERT INTO event SELECT i, (ARRAY['eu', 'us', 'asia', 'other'])[1 + i % 4], i % 11 FROM generate_series(1, 40) i;
    INSERT INTO computed SELECT i, i % 13 FROM generate_series(1, 40) i;
    INSERT INTO bin SELECT i, i % 3, 'v' FROM generate_series(1, 40) i;`,
  steps: [
    step('full row', 10, async (session, random) => {
      const big = random.chance(0.3) ? random.text(2500) : null;
      await session.sql(
        `INSERT INTO full_row AS f VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE
         SET kind = excluded.kind, n = f.n + 1, big = CASE WHEN f.n % 3 = 0 THEN excluded.big ELSE f.big END`,
        [random.between(1, IDS), random.int(4), random.int(20), random.pick(['x', 'y', null]), big],
      );
    }),
    step('delete full rows', 4, async (session, random) => {
      await session.sql('DELETE FROM full_row WHERE id = $1', [random.between(1, IDS)]);
    }),
    step('keyless insert', 8, async (session, random) => {
      await session.sql('INSERT INTO keyless VALUES ($1, $2, $3)', [
        random.pick([null, 0, 1, 2]),
        random.pick(['b0', 'b1', null]),
        random.pick(['1', '1.0', '1.00', null]),
      ]);
    }),
    step('keyless change of one of several equal rows', 6, async (session, random) => {
      await session.sql(
        `UPDATE keyless SET c = c + 1 WHERE ctid = (SELECT ctid FROM keyless WHERE a = $1 LIMIT 1)`,
        [random.int(5)],
      );
    }),
    step('keyless delete', 4, async (session, random) => {
      await session.sql(
        'DELETE FROM keyless WHERE ctid = ANY(ARRAY(SELECT ctid FROM keyless WHERE a = $1 LIMIT 3))',
        [random.int(5)],
      );
      await session.sql('DELETE FROM keyless WHERE ctid = ANY(ARRAY(SELECT ctid FROM keyless OFFSET 150))');
    }),
    step('identity by index', 7, async (session, random) => {
      const code = `code ${random.between(1, IDS)}`;
      await session.sql(
        `INSERT INTO by_index AS b VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO UPDATE SET n = b.n + 1, id = excluded.id`,
        [random.between(1, IDS), code, random.int(9), random.chance(0.2) ? random.text(2500) : null],
      );
      if (random.chance(0.3)) await session.sql('DELETE FROM by_index WHERE n > 12');
    }),
    step('change a composite key', 8, async (session, random) => {
      const [org, to] = [random.int(5), random.int(5)];
      await session.sql(
        `UPDATE keyed SET org = $2, n = n + 1 WHERE org = $1 AND n % 7 = $3
         AND NOT EXISTS (SELECT FROM keyed k WHERE k.org = $2 AND k.code = keyed.code)`,
        [org, to, random.int(7)],
      );
    }),
    step('composite rows', 6, async (session, random) => {
      const key = [random.int(5), `k${random.between(1, IDS)}`];
      await session.sql(
        `INSERT INTO keyed AS k VALUES ($1, $2, $3, 'new') ON CONFLICT (org, code) DO UPDATE SET payload = k.payload || '.'`,
        [...key, random.int(50)],
      );
      if (random.chance(0.4)) await session.sql('DELETE FROM keyed WHERE org = $1 AND code = $2', key);
    }),
    step('partitioned rows', 8, async (session, random) => {
      await session.sql(
        `INSERT INTO event AS e VALUES ($1, $2, $3, $4) ON CONFLICT (id, region) DO UPDATE SET n = excluded.n`,
        [random.between(1, IDS), random.pick(REGIONS), random.int(11), random.pick([null, 'note'])],
      );
      if (random.chance(0.3)) await session.sql('DELETE FROM event WHERE id = $1', [random.between(1, IDS)]);
    }),
    step('move between partitions', 8, async (session, random) => {
      await session.sql(
        `UPDATE event SET region = $2, id = id + $3 WHERE id = $1
         AND NOT EXISTS (SELECT FROM event e WHERE e.id = event.id + $3 AND e.region = $2)
         AND (SELECT count(*) FROM event e WHERE e.id = $1) = 1`,
        [random.between(1, IDS), random.pick(REGIONS), random.pick([0, 0, 1])],
      );
    }),
    step('generated column', 5, async (session, random) => {
      await session.sql(
        'INSERT INTO computed VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n',
        [random.between(1, IDS), random.int(13)],
      );
    }),
    step('bin', 8, async (session, random) => {
      const id = random.between(1, IDS);
      await session.sql(
        'INSERT INTO bin VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET grp = excluded.grp',
        [id, random.int(3), random.pick(['v', 'w'])],
      );
      await session.sql('INSERT INTO bin_part VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        random.between(1, IDS),
        id,
      ]);
    }),
    step('truncate', 1, async (session, random) => {
      await session.sql(`TRUNCATE ${random.pick(['bin', 'bin, bin_part', 'event_eu', 'event', 'keyless'])}`);
    }),
    step('truncate and fill again', 1, async (session) => {
      await session.sql('TRUNCATE bin');
      await session.sql(`INSERT INTO bin SELECT i, i % 3, 'again' FROM generate_series(1, 30) i`);
    }),
    step('bulk insert and delete in one transaction', 1, async (session) => {
      await session.sql(
        `INSERT INTO bin SELECT i, i % 3, 'bulk' FROM generate_series(1000, 1700) i ON CONFLICT DO NOTHING`,
      );
      await session.sql('DELETE FROM bin WHERE id BETWEEN 1000 AND 1690');
      await session.sql('DELETE FROM bin WHERE id > 1690 AND id % 2 = 0');
    }),
  ],
  queries: [
    query(
      'incremental',
      'ordered',
      'full.kind',
      ['full_row'],
      'SELECT id, n, s, big FROM full_row WHERE kind = $1 ORDER BY n DESC, id LIMIT 10',
      (random) => [String(random.int(4))],
    ),
    query(
      'incremental',
      'any order',
      'full.null',
      ['full_row'],
      'SELECT id, kind FROM full_row WHERE s IS NULL OR n > 30',
    ),
    query(
      'incremental',
      'any order',
      'full.kinds',
      ['full_row'],
      `SELECT kind, count(*) AS n, sum(n) AS sum, min(s) AS least, count(big) AS bigs, max(length(big)) AS longest,
         count(DISTINCT s) AS texts FROM full_row GROUP BY kind`,
    ),
    query(
      'incremental',
      'any order',
      'full.count',
      ['full_row'],
      'SELECT count(*) AS n, sum(n) AS sum, avg(length(big)) AS long FROM full_row WHERE kind = $1',
      (random) => [String(random.int(4))],
    ),
    query(
      'incremental',
      'ordered',
      'full.busy',
      ['full_row', 'bin'],
      `SELECT b.id, (SELECT count(*) FROM full_row f WHERE f.kind = b.grp) AS n FROM bin b
       WHERE b.grp = $1 ORDER BY b.id LIMIT 10`,
      (random) => [String(random.int(3))],
    ),
    query(
      'rerun',
      'any order',
      'keyless.all',
      ['keyless'],
      'SELECT a, b, c FROM keyless WHERE a = $1',
      (random) => [String(random.int(3))],
    ),
    query(
      'rerun',
      'any order',
      'keyless.groups',
      ['keyless'],
      'SELECT b, count(*) AS n FROM keyless GROUP BY b',
    ),
    query(
      'incremental',
      'any order',
      'by_index.some',
      ['by_index'],
      'SELECT code, id, n, big FROM by_index WHERE n > $1',
      (random) => [String(random.int(9))],
    ),
    query(
      'incremental',
      'ordered',
      'keyed.org',
      ['keyed'],
      'SELECT code, n, payload FROM keyed WHERE org = $1 ORDER BY code',
      (random) => [String(random.int(5))],
    ),
    query(
      'incremental',
      'ordered',
      'keyed.top',
      ['keyed'],
      'SELECT * FROM keyed ORDER BY n DESC, org, code LIMIT 6 OFFSET 2',
    ),
    query(
      'incremental',
      'ordered',
      'event.region',
      ['event'],
      'SELECT id, region, n, note FROM event WHERE region = $1 OR n = 3 ORDER BY id, region LIMIT 30',
      (random) => [random.pick(REGIONS)],
    ),
    query('incremental', 'any order', 'event.high', ['event'], 'SELECT id, region FROM event WHERE n >= 8'),
    query(
      'rerun',
      'ordered',
      'event.regions',
      ['event'],
      'SELECT region, count(*) AS n, max(n) AS most FROM event GROUP BY region ORDER BY region COLLATE "C"',
    ),
    query('rerun', 'ordered', 'event.eu', ['event'], 'SELECT id, n FROM event_eu ORDER BY id'),
    query(
      'rerun',
      'any order',
      'computed.some',
      ['computed'],
      'SELECT id, doubled FROM computed WHERE doubled > $1',
      (random) => [String(random.int(20))],
    ),
    query(
      'incremental',
      'any order',
      'bin.group',
      ['bin'],
      'SELECT id, v FROM bin WHERE grp = $1',
      (random) => [String(random.int(3))],
    ),
    query(
      'rerun',
      'ordered',
      'bin.parts',
      ['bin', 'bin_part'],
      'SELECT b.id, b.grp, p.id AS part FROM bin b LEFT JOIN bin_part p ON p.bin_id = b.id ORDER BY b.id, p.id LIMIT 40',
    ),
    query('rerun', 'any order', 'bin.count', ['bin'], 'SELECT count(*) AS n FROM bin'),
  ],
  always: [],
  invariants: [],
};
