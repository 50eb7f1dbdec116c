import { afterAll, beforeAll, expect, test } from 'vitest';
import { planningBench, type PlanningBench } from '../testing/planning.js';

// A view may be replaced, and replaced back, before anybody reads the catalog anew: what Postgres makes of a query in
// between is no plan for the definition that is known.

let bench: PlanningBench;

const SQL = 'SELECT id FROM seen WHERE v = 1';
const define = (condition: string): Promise<unknown> =>
  bench.database.sql(`CREATE OR REPLACE VIEW seen AS SELECT id, v FROM item WHERE ${condition}`);

beforeAll(async () => {
  bench = await planningBench(`
    CREATE TABLE item (id int PRIMARY KEY, v int);
    CREATE VIEW seen AS SELECT id, v FROM item WHERE id > 1`);
});
afterAll(() => bench.end());

test('a plan through a view is made of the definition that the registry knows, and of no other', async () => {
  await define('id < 7');
  await expect(bench.plan(SQL)).rejects.toMatchObject({ code: 'planning_failed' });
  await define('id > 1');
  const { gear } = await bench.plan(SQL);
  expect(gear).toMatchObject({ kind: 'incremental', plan: { kind: 'blocks' } });
  expect(JSON.stringify(gear)).toContain('int4gt');
  await define('id < 7');
  await bench.reload();
  const next = await bench.plan(SQL);
  expect(JSON.stringify(next.gear)).toContain('int4lt');
});
