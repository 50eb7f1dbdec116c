import { SluiceError } from '@sluice/core/errors';
import { planningBench, type PlanningBench } from '@sluice/server/testing/planning';
import { CLIENT_ROLE } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXAMPLE_TABLES, INCREMENTAL_EXAMPLES, REFUSED_EXAMPLES } from './sql-examples.js';
import { reasonsWithExamples } from './sql-page.js';

let bench: PlanningBench;
beforeAll(async () => {
  bench = await planningBench(EXAMPLE_TABLES);
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

const examples = reasonsWithExamples().flatMap(({ reason, sql }) =>
  sql === null ? [] : [[sql, reason] as const],
);

test('most reasons have an example', () => {
  expect(examples.length).toBeGreaterThan(25);
});

test.each(examples)('%s is re-run for the reason that docs/sql.md gives', async (sql, reason) => {
  expect((await planned(sql)).slice(0, reason.length)).toBe(reason);
});

test.each(REFUSED_EXAMPLES)('%s: %s', async (code, sql) => {
  expect(await planned(sql)).toBe(code);
});
