import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { Random } from '../kit/random.js';
import type { Subscribed } from './corpus.js';
import { follow } from './follow.js';
import { Tally } from './tally.js';

// Types that few queries use are followed like any other: subscribed to, the data changed underneath, compared.

const SCHEMA = `
  CREATE TABLE booking (id int PRIMARY KEY, room int, days int4range, spans int4multirange, costs nummultirange, at tstzrange);
  INSERT INTO booking SELECT n, n % 3, int4range(n, n + n % 4), int4multirange(int4range(n, n + 2), int4range(n + 3, n + 9)),
    nummultirange(numrange(n / 2.0, n), numrange(n + 0.5, n + 1.50)), tstzrange('2026-01-01', '2026-01-01'::timestamptz + n * '1 day'::interval)
    FROM generate_series(1, 12) AS n;
  INSERT INTO booking VALUES (20, 1, 'empty', '{}', '{}', 'empty'), (21, 2, '(,)', '{(,3),[9,)}', '{(,)}', NULL), (22, NULL, NULL, NULL, NULL, NULL);
  CREATE TABLE device (id int PRIMARY KEY, mac macaddr, wide macaddr8, flags bit(8), mask varbit, label name);
  INSERT INTO device SELECT n, ('08:00:2b:01:02:0' || n % 4)::macaddr, ('08:00:2b:01:02:03:04:0' || n % 5)::macaddr8, (n * 37)::bit(8),
    (n % 6)::bit(5)::varbit, 'device ' || n % 4 FROM generate_series(1, 12) AS n;
  INSERT INTO device VALUES (20, NULL, NULL, NULL, '', '');
  CREATE TABLE place (id int PRIMARY KEY, at point, area box, reach circle);
  INSERT INTO place SELECT n, point(n, n % 4), box(point(n, n % 3), point(n % 5, n)), circle(point(n, 1), n % 4) FROM generate_series(1, 12) AS n;
  INSERT INTO place VALUES (20, NULL, NULL, NULL), (21, '(1.0000005,1)', '(3,3),(3.0000005,1)', '<(-0,NaN),1>')`;

const QUERIES: readonly string[] = [
  "SELECT id, days FROM booking WHERE days && int4range(3, 6) OR days -|- '[1,3]'",
  'SELECT id, days + days, days - int4range(NULL, 3), int4range(lower(days), 90), range_merge(days, int4range(2, 3)) FROM booking WHERE NOT isempty(days) ORDER BY id',
  "SELECT id FROM booking WHERE spans @> 4 OR costs <@ '{[0,3],[7.5,12)}' ORDER BY id",
  "SELECT id, spans * '{[2,5),[7,9)}', spans - '{[3,4)}', spans + int4multirange(days) FROM booking ORDER BY id",
  'SELECT a.id, b.id FROM booking a JOIN booking b ON a.spans && b.spans AND a.id < b.id ORDER BY a.id, b.id',
  'SELECT spans, count(*) FROM booking GROUP BY spans ORDER BY spans',
  'SELECT DISTINCT days FROM booking ORDER BY days DESC NULLS LAST',
  "SELECT id FROM booking WHERE at @> '2026-01-03'::timestamptz OR spans &< int4multirange(int4range(1, 4), int4range(6, 8))",
  'SELECT room, lower(costs), upper(costs), range_merge(costs), lower_inf(spans) FROM booking ORDER BY id LIMIT 9',
  'SELECT mac, count(*), max(id) FROM device GROUP BY mac ORDER BY mac',
  "SELECT id, trunc(mac), ~wide, mac::macaddr8 FROM device WHERE mac > '08:00:2b:01:02:01' OR wide < '08:00:2b:01:02:03:04:02' ORDER BY id",
  "SELECT id, flags & B'00001111', flags << 2, flags || mask, substring(flags FROM 3 FOR 4), length(mask), flags::int FROM device ORDER BY flags, id",
  "SELECT id FROM device WHERE mask >= B'001' AND flags <> B'00100101'",
  "SELECT id, label, label::text || '!' FROM device WHERE label > 'device 1' OR label = 'device 0' ORDER BY label, id",
  'SELECT a.id, b.id FROM device a JOIN device b ON a.flags = b.flags AND a.mac = b.mac WHERE a.id <> b.id',
  'SELECT a.id, b.id FROM device a LEFT JOIN device b ON b.label = a.label AND b.id > a.id ORDER BY a.id, b.id',
  "SELECT id FROM device WHERE mac IN ('08:00:2b:01:02:00', '08:00:2b:01:02:03') OR flags IN (B'01001010', B'11011110')",
  "SELECT a.id FROM booking a WHERE EXISTS (SELECT FROM booking b WHERE b.spans = a.spans AND b.id <> a.id) OR spans IN ('{[2,4),[5,11)}', '{}')",
  'SELECT mask, array_agg(id ORDER BY id), min(id), count(DISTINCT flags) FROM device GROUP BY mask ORDER BY mask DESC',
  'SELECT days FROM booking UNION SELECT int4range(id, id + 1) FROM device',
  "SELECT id, at, area FROM place WHERE at <@ box '(1,1),(6,3)' OR area && '(2,2),(3,3)' ORDER BY id",
  "SELECT id, at + '(1,-1)', box(at, '(2,2)'), area(area), center(area), area # '(4,4),(0,0)' FROM place ORDER BY id",
  'SELECT a.id, b.id FROM place a JOIN place b ON a.area @> b.area AND a.id <> b.id ORDER BY a.id, b.id',
  "SELECT id, radius(reach), center(reach) FROM place WHERE reach << '<(9,1),1>' OR at ~= '(1,1)' ORDER BY id",
  "SELECT height(area) > 2 AS high, count(*), count(*) FILTER (WHERE at << '(4,0)') FROM place GROUP BY 1",
];

const BOUND: readonly Subscribed[] = [
  {
    sql: 'SELECT id, flags FROM device WHERE flags = $1 OR mac = $2 ORDER BY id',
    params: ['01001010', '08:00:2b:01:02:01'],
  },
  { sql: 'SELECT id FROM device WHERE flags = $1 AND label <> $2', params: ['00100101', 'device 9'] },
  { sql: 'SELECT id FROM booking WHERE spans && $1 AND days <> $2', params: ['{[2,3),[8,9)}', '[3,4)'] },
  { sql: 'SELECT id FROM place WHERE area @> $1::point OR at <@ $2::box', params: ['(3,2)', '(6,6),(2,0)'] },
];

test('types that few queries use are followed like any other', { timeout: 5 * PATIENCE_MS }, async () => {
  const database = await sharedDatabase(SCHEMA);
  try {
    const tally = new Tally();
    const queries = [...QUERIES.map((sql) => ({ sql, params: [] })), ...BOUND];
    expect(await follow(database, queries, { random: new Random('rarer'), rounds: 10 }, tally)).toEqual([]);
    expect(tally.lines({ each: true }).filter((line) => /^(rerun|refused)/.test(line))).toEqual([]);
    expect(tally.incremental).toBe(queries.length);
    expect(tally.changed).toBeGreaterThan(2 * queries.length);
  } finally {
    await database.drop();
  }
});
