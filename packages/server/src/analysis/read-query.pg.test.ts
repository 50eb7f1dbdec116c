import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOn } from '../source/run-on.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { oidsOf, readFacts, type Facts } from './facts.js';
import { readNodeTree, type TreeValue } from './node-tree.js';
import { readQuery, readTableExpression } from './read-query.js';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE team (id int PRIMARY KEY, lead text);
    CREATE TABLE item (id int PRIMARY KEY, team int, twice int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE POLICY own ON item USING (EXISTS (SELECT FROM team t WHERE t.id = item.team AND t.lead = current_setting('a.b', true)))`);
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function read(
  sql: string,
): Promise<{ readonly tree: TreeValue; readonly facts: Facts; readonly table: number }> {
  const run = runOn(pool);
  const { rows } = await run(sql);
  const tree = readNodeTree(rows[0]?.[0] ?? '');
  const major = Number((await run(`SELECT current_setting('server_version_num')::int / 10000`)).rows[0]?.[0]);
  return { tree, facts: await readFacts(run, oidsOf([tree]), major), table: Number(rows[0]?.[1]) };
}

test('a generated column and a policy are expressions over the row of their table', async () => {
  const column = await read(
    `SELECT adbin::text, adrelid::text FROM pg_attrdef WHERE adrelid = 'item'::regclass`,
  );
  expect(
    readTableExpression(column.tree, column.table, { facts: column.facts, views: new Map() }),
  ).toMatchObject({
    relation: 1,
    expression: {
      kind: 'call',
      args: [
        { kind: 'column', relation: 1, column: 1, up: 0 },
        { kind: 'constant', value: '2' },
      ],
    },
  });
  const policy = await read(`SELECT polqual::text, polrelid::text FROM pg_policy WHERE polname = 'own'`);
  const { relation, expression } = readTableExpression(policy.tree, policy.table, {
    facts: policy.facts,
    views: new Map(),
  });
  expect(expression).toMatchObject({
    kind: 'exists',
    query: {
      body: {
        where: {
          kind: 'and',
          args: [
            {
              args: [
                { up: 0, column: 1 },
                { relation, up: 1, column: 2 },
              ],
            },
            {},
          ],
        },
      },
    },
  });
});

test('the number of nodes has a bound', async () => {
  const { tree, facts } = await read(
    `SELECT ev_action::text, ev_class::text FROM pg_rewrite WHERE ev_class = 'pg_views'::regclass`,
  );
  expect(() => readQuery(tree, { facts, views: new Map(), nodesMax: 1_000 })).not.toThrow();
  expect(() => readQuery(tree, { facts, views: new Map(), nodesMax: 10 })).toThrowError(
    expect.objectContaining({ code: 'analysis_unavailable', detail: 'the query has more than 10 nodes' }),
  );
});
