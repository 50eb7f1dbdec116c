import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { analyse } from './analyse.js';
import { keyTypeOf, sortTypeOf } from './comparing.js';
import { NotExpressible } from './expression-reasons.js';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE item (id int PRIMARY KEY, c text COLLATE "C", i text COLLATE "und-x-icu", l text COLLATE loose, m mood, tags text[] COLLATE "und-x-icu")`);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The types of the keys of ORDER BY and of DISTINCT, or why there is none. */
async function typesOf(sql: string): Promise<readonly unknown[]> {
  const analysis = await analyse(pool, { sql, paramTypes: [], schemas: ['public'] });
  if (analysis.kind !== 'analysed' || analysis.query.body.kind !== 'select')
    throw new Error(JSON.stringify(analysis));
  const { facts, query } = analysis;
  const { targets, distinct } = analysis.query.body;
  const all = [
    ...query.order.map((key) => ({ ref: key.ref, type: sortTypeOf.bind(null, key) })),
    ...(distinct?.keys ?? []).map((key) => ({ ref: key.ref, type: keyTypeOf.bind(null, key) })),
  ];
  return all.map(({ ref, type }) => {
    const target = targets.find((one) => one.ref === ref);
    if (target === undefined) throw new Error('no target');
    try {
      return type(target.expression, facts);
    } catch (error) {
      if (error instanceof NotExpressible) return error.why;
      throw error;
    }
  });
}

const ENUM = { kind: 'enum', labels: ['sad', 'ok'] };

test.each([
  ['SELECT FROM item ORDER BY id, c DESC, m', [{ kind: 'int' }, { kind: 'text', ordered: true }, ENUM]],
  [
    'SELECT FROM item ORDER BY i, l, tags, i COLLATE "C"',
    ['collation', 'collation_nondeterministic', 'collation', { kind: 'text', ordered: true }],
  ],
  ['SELECT FROM item ORDER BY c USING ~<~, id USING >', ['operator', { kind: 'int' }]],
  ['SELECT DISTINCT i, m FROM item', [{ kind: 'text', ordered: false }, ENUM]],
  ['SELECT DISTINCT l FROM item', ['collation_nondeterministic']],
])('%s', async (sql, types) => {
  expect(await typesOf(sql)).toEqual(types);
});

test('descending is what the operator says', async () => {
  const analysis = await analyse(pool, {
    sql: 'SELECT FROM item ORDER BY id DESC, c NULLS FIRST, m USING >',
    paramTypes: [],
    schemas: ['public'],
  });
  expect(analysis).toMatchObject({
    query: {
      order: [
        { descending: true, nullsFirst: true },
        { descending: false, nullsFirst: true },
        { descending: true, nullsFirst: true },
      ],
    },
  });
});
