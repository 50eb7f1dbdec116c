import { withFunctions } from '@sluice/core/chunks/chunk';
import { loadChunks } from '@sluice/core/chunks/load';
import { TableEngine } from '@sluice/core/engine/table-engine';
import { SluiceError } from '@sluice/core/errors';
import { MergingEngine } from '@sluice/core/flow/merging-engine';
import { collationsOf, TextOrders } from '@sluice/core/flow/text-orders';
import { planningBench, type PlanningBench } from '@sluice/server/testing/planning';
import { CLIENT_ROLE, SERVICE_ROLE } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RERUN_REASONS } from '@sluice/server/planner/reasons';
import {
  EXAMPLE_CHANGES,
  EXAMPLE_TABLES,
  INCREMENTAL_EXAMPLES,
  REFUSED_EXAMPLES,
  RERUN_CIRCUMSTANCES,
  UNMET_REASONS,
} from './sql-examples.js';
import { reasonsWithExamples } from './sql-page.js';

let bench: PlanningBench;
beforeAll(async () => {
  bench = await planningBench(EXAMPLE_TABLES);
  await bench.database.sql(EXAMPLE_CHANGES);
  await bench.reload();
});
afterAll(() => bench?.end());

/** The gear or the reason; of a refusal its code. */
async function planned(sql: string): Promise<string> {
  const principal = { role: CLIENT_ROLE, claims: {} };
  try {
    const { gear } = await bench.planner.explain(sql, { principal, adHoc: false });
    return gear.kind === 'rerun' ? gear.reason : gear.kind;
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
}

test.each(Object.entries(INCREMENTAL_EXAMPLES))('%s: incremental, as docs/sql.md says', async (_, sql) => {
  expect(await planned(sql)).toBe('incremental');
});

test.each(Object.entries(INCREMENTAL_EXAMPLES))(
  '%s: the plan names all that its engine needs',
  async (_, sql) => {
    const principal = { role: CLIENT_ROLE, claims: {} };
    const { gear } = await bench.planner.explain(sql, { principal, adHoc: false });
    if (gear.kind !== 'incremental') throw new Error('assertion failed: it is incremental');
    const { plan } = gear;
    const pieces = await loadChunks(plan);
    if (plan.kind === 'table') expect(new TableEngine(plan, pieces.types).memberCount).toBe(0);
    else {
      const orders = new TextOrders(collationsOf(plan.block), { textsMax: 0 });
      const engine = new MergingEngine(plan.block, withFunctions(pieces, orders.functions));
      expect(engine.memberCount).toBe(0);
    }
  },
);

const examples = reasonsWithExamples().flatMap(({ reason, sql }) =>
  sql === null ? [] : [[sql, reason] as const],
);

test('every reason has an example, but for those that no query is known to come to', () => {
  const without = reasonsWithExamples().flatMap(({ cause, sql }) => (sql === null ? [cause] : []));
  expect(without.toSorted()).toEqual([...Object.keys(RERUN_CIRCUMSTANCES), ...UNMET_REASONS].toSorted());
});

test('without temporary objects only one table is incremental', async () => {
  const { name } = bench.database;
  await bench.database.sql(`REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC, ${SERVICE_ROLE}`);
  const gears = [await planned('SELECT id, upper(title) FROM issue'), await planned('SELECT id FROM issue')];
  await bench.database.sql(`GRANT TEMPORARY ON DATABASE ${name} TO PUBLIC`);
  expect(gears).toEqual([expect.stringContaining(RERUN_REASONS.not_analysed), 'incremental']);
});

// What decides is told, not what the query holds besides.
test.each([
  ['SELECT count(*) FROM issue WHERE due < now()', RERUN_REASONS.clock],
  ['SELECT count(*) FROM issue WHERE doubled(id) = 4', RERUN_REASONS.user_code],
  ['SELECT 1 AS one UNION SELECT 2', RERUN_REASONS.no_table],
  ['WITH one AS (SELECT 1 AS one) SELECT one FROM one', RERUN_REASONS.no_table],
])('%s: %s', async (sql, reason) => {
  expect((await planned(sql)).slice(0, reason.length)).toBe(reason);
});

test.each(examples)('%s is re-run for the reason that docs/sql.md gives', async (sql, reason) => {
  expect((await planned(sql)).slice(0, reason.length)).toBe(reason);
});

test.each(REFUSED_EXAMPLES)('%s: %s', async (code, sql) => {
  expect(await planned(sql)).toBe(code);
});
