import { expect, test } from 'vitest';
import { PLAN_VERSION, type TablePlan } from '../plan.js';
import type { PgText } from '../value.js';
import { RowLayout } from './row-layout.js';
import { rowKey } from './table-engine.js';

const INT = { kind: 'int' } as const;
const TEXT = { kind: 'text', ordered: true } as const;

function plan(rest: Partial<TablePlan>): TablePlan {
  return {
    kind: 'table',
    version: PLAN_VERSION,
    chunks: [],
    table: 1,
    columns: ['id', 'tenant', 'rank', 'title', 'note'].map((name, at) => ({
      name,
      type: at < 3 ? INT : TEXT,
    })),
    where: { op: 'true' },
    project: [3, 0, 3],
    order: [],
    key: [0],
    limit: null,
    offset: null,
    ...rest,
  };
}

const byTitle = { column: 3, descending: false, nullsFirst: false };
const byRank = { column: 2, descending: true, nullsFirst: false };

const plans: [string, TablePlan][] = [
  ['neither order nor limit', plan({})],
  ['an order', plan({ order: [byRank, byTitle] })],
  ['an order by the key', plan({ order: [{ ...byRank, column: 0 }], limit: { param: 0 } })],
  ['a key of two', plan({ key: [1, 0] })],
  ['a key of two, and a limit', plan({ key: [1, 0], limit: { param: 0 } })],
  ['a text as key', plan({ key: [3], project: [0] })],
];

const rows: readonly PgText[][] = [
  ['1', '2', '3', 'four', 'five'],
  ['-7', '12345678901', null, '010', null],
  ['2147483648', '0', '-1', '', '"\\\u2028'],
];

test.each(plans)('every value of a row is held somewhere: %s', (_, one) => {
  const layout = new RowLayout(one, [1, 3]);
  for (const values of rows) {
    const row = layout.row(rowKey(one, values), values);
    expect(layout.valuesOf(row)).toEqual(values);
    expect(row.told()).toEqual({
      keyJson: JSON.stringify(rowKey(one, values)),
      json: JSON.stringify(one.project.map((column) => values[column])),
    });
  }
});

test.each(plans)('a row stays where it stood when only what is told changes: %s', (_, one) => {
  const layout = new RowLayout(one, [1]);
  const isTold = (column: number): boolean =>
    column !== 1 &&
    one.project.includes(column) &&
    !one.key.includes(column) &&
    one.order.every((term) => term.column !== column);
  for (const values of rows) {
    const row = layout.row(rowKey(one, values), values);
    for (const column of values.keys()) {
      const other = values.with(column, 'other');
      if (rowKey(one, other) === rowKey(one, values))
        expect([column, layout.isPlacedAs(row, other)]).toEqual([column, isTold(column)]);
      const unsent = values.map((value, at) => (at === column ? undefined : value));
      expect(layout.isPlacedAs(row, unsent)).toBe(false);
    }
  }
});

test('texts of digits are ordered as texts, numbers as numbers, NULL where the order has it', () => {
  const layout = (order: TablePlan['order']): RowLayout => new RowLayout(plan({ order }), []);
  const sorted = (order: TablePlan['order'], of: readonly PgText[][]): PgText[] => {
    const held = of.map((values) => layout(order).row(rowKey(plan({}), values), values));
    return held.sort(layout(order).order({})).map(({ key }) => String(key));
  };
  const some = [
    ['1', '0', '9', '9'],
    ['2', '0', '10', '10'],
    ['3', '0', null, null],
    ['4', '0', '99999999999', '9a'],
    ['5', '0', '9', '9'],
  ];
  expect(sorted([byTitle], some)).toEqual(['2', '1', '5', '4', '3']);
  expect(sorted([byRank], some)).toEqual(['4', '2', '1', '5', '3']);
  expect(sorted([{ ...byRank, nullsFirst: true }], some)).toEqual(['3', '4', '2', '1', '5']);
  expect(sorted([{ ...byRank, column: 0 }], some)).toEqual(['5', '4', '3', '2', '1']);
});
