import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { Random } from '../kit/random.js';
import { follow } from './follow.js';
import { Tally } from './tally.js';

// What following the SQL of others has shown to be wrong, each as small as it gets.

const SCHEMA = `
  CREATE TABLE measure (id int PRIMARY KEY, size int, weight int);
  INSERT INTO measure SELECT n, n * 7 % 5, n * 3 % 4 FROM generate_series(1, 12) AS n`;
const FOUND: readonly string[] = [
  // LIMIT without an ORDER BY takes the rows as the subquery hands them on.
  'SELECT * FROM (SELECT id, weight FROM measure ORDER BY size, id) AS x LIMIT 3',
  'SELECT id FROM (SELECT id, weight FROM measure ORDER BY size DESC, id LIMIT 8) AS x OFFSET 5',
];

test('what was wrong once is right', { timeout: 5 * PATIENCE_MS }, async () => {
  const database = await sharedDatabase(SCHEMA);
  try {
    const tally = new Tally();
    const queries = FOUND.map((sql) => ({ sql, params: [] }));
    expect(await follow(database, queries, { random: new Random('found'), rounds: 8 }, tally)).toEqual([]);
    expect(tally.refused).toBe(0);
    expect(tally.changed).toBeGreaterThan(queries.length);
  } finally {
    await database.drop();
  }
});
