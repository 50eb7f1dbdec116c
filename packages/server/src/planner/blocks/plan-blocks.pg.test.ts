import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analyse } from '../../analysis/analyse.js';
import { readRegistry } from '../../registry/read-registry.js';
import { runOn } from '../../source/run-on.js';
import { sharedDatabase } from '../../testing/shared.js';
import type { TestDatabase } from '../../testing/postgres.js';
import { StaleColumns } from '../dependencies.js';
import { NotIncremental } from '../reasons.js';
import { planBlocks } from './plan-blocks.js';

// A query is described, and then analysed: the schema may have changed between the two. What Postgres analysed under
// another schema than the registry's is no plan.

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE a (id int PRIMARY KEY, v int);
    CREATE TABLE b (id int PRIMARY KEY, v text);
    CREATE TABLE old (id int PRIMARY KEY);
    CREATE TABLE leaf () INHERITS (old);
    CREATE TABLE root (id int PRIMARY KEY) PARTITION BY LIST (id);
    CREATE TABLE root_1 PARTITION OF root FOR VALUES IN (1)`);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

type Facts = Parameters<typeof planBlocks>[1];

/** Plans what Postgres makes of the query, with what was known of it before. */
async function plan(
  sql: string,
  {
    types = [23],
    reads = ['a', 'b', 'old', 'root'],
  }: { types?: readonly number[]; reads?: readonly string[] } = {},
): Promise<unknown> {
  const registry = await readRegistry(runOn(pool), 'sluice');
  const analysis = await analyse(pool, { sql, paramTypes: [], schemas: ['public'] });
  if (analysis.kind !== 'analysed') throw new Error(analysis.reason);
  const oids = [...registry.tables].flatMap(([oid, { name }]) => (reads.includes(name) ? [oid] : []));
  const facts = {
    description: { columns: types.map((typeOid) => ({ typeOid })) },
    dependencies: { reads: new Set(oids) },
    registry,
  } as unknown as Facts;
  return planBlocks(analysis, facts, false, { pieces: [sql], refs: [], lateral: true }).plan.kind;
}

const JOIN = 'SELECT a.id FROM a JOIN b ON b.id = a.v';

test('a query that is what it was is planned', async () => {
  await expect(plan(JOIN)).resolves.toBe('blocks');
});

test('other columns, or other tables, than a moment ago are no plan', async () => {
  await expect(plan(JOIN, { types: [25] })).rejects.toThrow(StaleColumns);
  await expect(plan(JOIN, { types: [23, 23] })).rejects.toThrow(StaleColumns);
  await expect(plan(JOIN, { reads: ['a'] })).rejects.toThrow(StaleColumns);
});

test('a table of which only a part is read, or more than is streamed under its name, is no block', async () => {
  await expect(plan('SELECT a.id FROM a JOIN root ON root.id = a.v')).resolves.toBe('blocks');
  await expect(plan('SELECT a.id FROM a JOIN ONLY root ON root.id = a.v')).rejects.toThrow(NotIncremental);
  await expect(plan('SELECT a.id FROM a JOIN old ON old.id = a.v')).rejects.toThrow(NotIncremental);
});
