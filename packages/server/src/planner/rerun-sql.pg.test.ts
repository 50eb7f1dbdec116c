import type { PgText } from '@sluice/core/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planningBench, type PlanningBench } from '../testing/planning.js';
import type { Planned, RerunSql } from './planned.js';
import { limitedSql, rerunBatchSql } from './rerun-sql.js';

let bench: PlanningBench;

beforeAll(async () => {
  bench = await planningBench(`
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN small AS int CHECK (VALUE < 100);
    CREATE TABLE item (id int PRIMARY KEY, grp int, name text, tags text[], data jsonb);
    INSERT INTO item SELECT i, i % 4, 'n' || i, ARRAY['t' || i % 3, 'u'], jsonb_build_object('k', i % 5)
      FROM generate_series(1, 40) AS i;`);
});
afterAll(() => bench.end());

const CASES: readonly (readonly [string, readonly (readonly PgText[])[]])[] = [
  ['SELECT id, name FROM item WHERE grp + 0 = $1 ORDER BY id DESC', [['1'], ['2'], [null], ['9'], ['1']]],
  ['SELECT count(*) FROM item', [[], []]],
  [
    'SELECT id FROM item WHERE id + 0 = ANY ($1) ORDER BY id',
    [['{1,2,3}'], ['{}'], [null], ['{7,NULL}'], ['{1}']],
  ],
  [
    'SELECT id FROM item WHERE tags && $1 AND grp = $2',
    [
      ['{t1}', '1'],
      ['{"t,2",u}', '2'],
      ['{}', '3'],
    ],
  ],
  ['SELECT id AS a, name AS a, id AS a FROM item WHERE id + 0 = $1', [['1'], ['2']]],
  ['SELECT upper(name) FROM item WHERE id = $1 -- the end', [['1'], ['2']]],
  ['SELECT upper(name) FROM item WHERE id = $1; -- the end\n', [['1'], ['2']]],
  ["/* é */ SELECT upper(name), 'é $1' FROM item WHERE id=$1::int", [['1'], ['2']]],
  [
    'SELECT upper(name) FROM item ORDER BY id LIMIT $1 OFFSET $2',
    [
      ['1', '0'],
      ['2', '3'],
      [null, null],
    ],
  ],
  ['SELECT sum($1::int), count(*) FROM item', [['1'], ['2'], [null]]],
  ['(VALUES ($1::int))', [['1'], ['2']]],
  ['SELECT max(id + $1), count($1) FROM item GROUP BY grp ORDER BY 1', [['1'], [null]]],
  ['SELECT $1::text, count(*) FROM item GROUP BY $1::text', [['a'], ['b']]],
  [
    'WITH x AS (SELECT * FROM item WHERE grp = $1) SELECT a.id, b.id FROM x a JOIN x b ON a.id = b.id + 4',
    [['1'], ['2']],
  ],
  [
    'WITH RECURSIVE r AS (SELECT $1::int AS n UNION ALL SELECT n + 1 FROM r WHERE n < $2) SELECT n FROM r',
    [
      ['1', '3'],
      ['5', '5'],
    ],
  ],
  ['SELECT id FROM item WHERE id < $1 UNION SELECT grp FROM item ORDER BY 1 DESC', [['3'], ['9']]],
  [
    'SELECT grp, (SELECT count(*) FROM item i WHERE i.grp = o.grp AND i.id > $1) FROM item o GROUP BY grp ORDER BY grp',
    [['3'], ['39']],
  ],
  [
    'VALUES ($1::int, $2::text), (0, NULL)',
    [
      ['3', 'x'],
      ['4', '"\\,{}'],
    ],
  ],
  [
    'SELECT ($1::pair).b, $2::small, $3::box[]',
    [
      ['(1,"x,y")', '7', '{(2,2),(1,1);(4,4),(3,3)}'],
      [null, null, '{}'],
    ],
  ],
  [
    'SELECT DISTINCT ON (grp) grp, name FROM item WHERE data @> $1 ORDER BY grp, id DESC',
    [['{"k":1}'], ['{"k":2}']],
  ],
  ['SELECT id, row_number() OVER (ORDER BY id DESC) FROM item WHERE grp = $1 ORDER BY name', [['1'], ['2']]],
  ['SELECT g FROM generate_series(1, $1) AS g', [['2'], ['0'], ['3']]],
  ['SELECT "sluice binding".id FROM item AS "sluice binding" WHERE grp + 0 = $1', [['1'], ['2']]],
  ['SELECT percentile_disc($1) WITHIN GROUP (ORDER BY id) FROM item', [['0.5'], ['0.9']]],
  [
    'SELECT string_agg(name, $1 ORDER BY id) FROM item WHERE grp = $2',
    [
      [',', '1'],
      [';', '2'],
    ],
  ],
  [
    `SELECT 1 + $1::int AS "a""b", $2::timestamptz, $3::bytea`,
    [
      ['1', '2020-01-01 00:00:00+00', '\\x00ff'],
      [null, null, null],
    ],
  ],
];

/** How a plan is run again: in its gear, or where the engine cannot tell. */
function rerunOf({ gear }: Planned): RerunSql {
  const again = gear.kind === 'rerun' ? gear.sql : gear.fallback;
  if (again === null) throw new Error('expected a plan that can be run again');
  return again;
}

test.each(CASES)('batched as alone: %s', async (sql, values) => {
  const planned = await bench.plan(sql);
  const again = rerunOf(planned);
  const bindings = await Promise.all(values.map((value) => bench.planner.bind(planned.paramTypes, value)));
  const batch = rerunBatchSql(again, planned.paramTypes, bindings, 1000);
  const { rows } = await bench.run(batch.text, batch.params);
  for (const [at, binding] of bindings.entries()) {
    const original = await bench.run(sql.replaceAll(';', ''), binding).catch(() => bench.run(sql, binding));
    const alone = await bench.run(limitedSql(again, 1000), binding);
    expect(alone.rows).toEqual(original.rows);
    const own = rows.filter((row) => row[0] === String(at + 1));
    expect(own.map((row) => row.slice(1, -1))).toEqual(alone.rows);
    expect(own.map((row) => row.at(-1))).toEqual(own.map((_, i) => String(i + 1)));
  }
  expect(rows).toHaveLength(rows.filter((row) => Number(row[0]) <= bindings.length).length);
});

test('an aggregate over parameters alone cannot be lateral; nothing else is held back', async () => {
  const lateral = async (sql: string): Promise<boolean> => {
    return rerunOf(await bench.plan(sql)).lateral;
  };
  expect(await lateral('SELECT sum($1::int) FROM item')).toBe(false);
  expect(await lateral('SELECT count(*) FILTER (WHERE $1) FROM item')).toBe(false);
  expect(await lateral('SELECT sum(id + $1) FROM item')).toBe(true);
  expect(await lateral('SELECT upper($1)')).toBe(true);
});
