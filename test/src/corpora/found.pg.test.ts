import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { Random } from '../kit/random.js';
import { follow } from './follow.js';
import { Tally } from './tally.js';

// What following the SQL of others has shown to be wrong, each as small as it gets.

const SCHEMA = `
  CREATE TABLE measure (id int PRIMARY KEY, size int, weight int);
  INSERT INTO measure SELECT n, n * 7 % 5, n * 3 % 4 FROM generate_series(1, 12) AS n;
  CREATE TABLE reading (at float8 PRIMARY KEY, how int);
  INSERT INTO reading SELECT v::float8, row_number() OVER () FROM unnest('{-0,1e-300,0.1,NaN,-Infinity,1e300}'::text[]) AS v;
  CREATE TABLE pattern (bits bit(4) PRIMARY KEY, code char(5) NOT NULL UNIQUE, how int);
  INSERT INTO pattern SELECT n::bit(4), 'c' || n, n % 3 FROM generate_series(1, 9) AS n;
  CREATE TABLE site (id int PRIMARY KEY, net cidr, host inet);
  INSERT INTO site SELECT n, ('10.' || n || '.0.0/' || 16 + n)::cidr, ('10.' || n || '.0.1')::inet FROM generate_series(1, 9) AS n;
  INSERT INTO site VALUES (20, '10.1.2.3/32', '10.1.2.3'), (21, '::1/128', '::1'), (22, '1::/16', '::1/64')`;
/** Those that are run again. */
const RERUN: readonly string[] = [
  // LIMIT without an ORDER BY takes the rows as the subquery hands them on.
  'SELECT * FROM (SELECT id, weight FROM measure ORDER BY size, id) AS x LIMIT 3',
  'SELECT id FROM (SELECT id, weight FROM measure ORDER BY size DESC, id LIMIT 8) AS x OFFSET 5',
];
const INCREMENTAL: readonly string[] = [
  // Keys of types that the engine does not order: what tells rows apart is what Postgres prints.
  'SELECT how, at FROM reading ORDER BY how, at',
  'SELECT count(*), max(how) FROM reading WHERE at > 0',
  'SELECT p.bits, p.how, r.how FROM pattern p LEFT JOIN reading r ON r.how = p.how ORDER BY p.how, r.how',
  'SELECT how, count(*) FROM pattern GROUP BY how ORDER BY how',
  // A cidr that is cast to inet is printed as one.
  'SELECT id, net::inet, host <<= net FROM site ORDER BY id',
  'SELECT id, network(host), broadcast(net), netmask(net), set_masklen(host, 12), host + 3 FROM site ORDER BY id',
  "SELECT id FROM site WHERE net >>= '10.1.2.3' OR host << net ORDER BY id",
];

test('what was wrong once is right', { timeout: 5 * PATIENCE_MS }, async () => {
  const database = await sharedDatabase(SCHEMA);
  try {
    const tally = new Tally();
    const queries = [...RERUN, ...INCREMENTAL].map((sql) => ({ sql, params: [] }));
    expect(await follow(database, queries, { random: new Random('found'), rounds: 8 }, tally)).toEqual([]);
    expect(tally.refused).toBe(0);
    expect(tally.incremental).toBe(INCREMENTAL.length);
    expect(tally.changed).toBeGreaterThan(queries.length);
  } finally {
    await database.drop();
  }
});
