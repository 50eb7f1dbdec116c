import { expect, test } from 'vitest';
import { PLAN_VERSION, type TablePlan } from '../plan.js';
import { lookAhead } from './look-ahead.js';
import { TableEngine, type RowEvent } from './table-engine.js';

const INT = { kind: 'int' } as const;
const PLAN: TablePlan = {
  kind: 'table',
  version: PLAN_VERSION,
  chunks: [],
  table: 1,
  columns: ['id', 'project'].map((name) => ({ name, type: INT })),
  where: { op: 'eq', left: { column: 1 }, right: { param: 0 }, type: INT },
  order: [],
  limit: null,
  offset: null,
  project: [0, 1],
  key: [0],
};
const event = (id: string, project: string): RowEvent => ({ oldKey: id, newKey: id, values: [id, project] });

const ONE_OF_EACH: TablePlan = { ...PLAN, limit: { param: 1 } };

test.each([
  ['all', PLAN],
  ['one', ONE_OF_EACH],
])('who holds the rows of the transactions is found, and nothing changes (%s of them shown)', (_, plan) => {
  const engine = new TableEngine(plan, {});
  const [one, two] = ['1', '2'].map((project) => {
    const rows = [`${project}0`, `${project}1`].map((id) => [id, project]);
    return engine.add([project, '1'], rows, true);
  });
  const held = [engine.heldRowCount, engine.heldBytes];
  expect(lookAhead(engine, [[event('10', '2')], [event('77', '1'), event('20', '2')]])).toEqual([one, two]);
  expect(lookAhead(engine, [['truncate'], []])).toEqual([]);
  expect([engine.heldRowCount, engine.heldBytes]).toEqual(held);
  expect(one?.shown()).toHaveLength(plan === PLAN ? 2 : 1);
});
