import { expect, test } from 'vitest';
import { ALL_PIECES } from '../chunks/all.js';
import type { RowEvent } from '../engine/table-engine.js';
import type { Expression } from '../expression.js';
import type { FlowMember } from './member.js';
import { MergingEngine } from './merging-engine.js';
import type { Block, Input } from './plan.js';

// Parents that have a child of which a division is not negative:
// SELECT id FROM parent WHERE of = $1 AND EXISTS (SELECT FROM child c WHERE c.of = parent.id AND $2 / c.x >= $3)

const INT = { kind: 'int' } as const;
const [PARENT, CHILD] = [1, 2];
const column = (at: number): Expression => ({ op: 'column', column: at });
const param = (at: number): Expression => ({ op: 'param', param: at });
const source = (table: number, names: readonly string[]): Input['of'] => ({
  kind: 'table',
  table,
  columns: names.map((name) => ({ name, type: INT })),
  key: [0],
});
const PLAN: Block = {
  inputs: [
    {
      of: source(PARENT, ['id', 'of']),
      join: 'inner',
      on: [],
      offset: 0,
      width: 2,
      demand: { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
    },
    {
      of: source(CHILD, ['id', 'of', 'x']),
      join: 'exists',
      on: [
        {
          op: 'call',
          fn: 'int4ge',
          args: [{ op: 'call', fn: 'int4div', args: [param(1), column(5)] }, param(2)],
        },
      ],
      offset: 2,
      width: 4,
      demand: { parent: 0, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
    },
  ],
  where: [column(2)],
  group: null,
  project: [column(0)],
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: [INT],
};
const TABLES: Readonly<Record<number, readonly (readonly string[])[]>> = {
  [PARENT]: [['1', '5']],
  // The first decides; to come to the other is an error.
  [CHILD]: [
    ['10', '1', '1'],
    ['11', '1', '0'],
  ],
};

test('C6: who misses by a row that EXISTS had not come to has the answer of before', () => {
  const engine = new MergingEngine(PLAN, ALL_PIECES);
  const member = engine.add(['5', '1', '0']);
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
    for (const need of needs) {
      const rows = TABLES[need.input === 0 ? PARENT : CHILD] ?? [];
      const found = Array.from(need.keys, ([key, [given]]) => {
        const own = rows.filter(([, of]) => of === given);
        return [key, own.map((values) => ({ key: values[0] ?? '', values }))] as const;
      });
      engine.fill(need, new Map(found));
    }
  expect(engine.start(member)).toBe(true);
  const gone: RowEvent = { oldKey: '10', newKey: null, values: [] };
  let missed: ReadonlySet<FlowMember> = new Set();
  expect(() => ({ missed } = engine.apply(new Map([[CHILD, [gone]]])))).not.toThrow();
  expect(missed).toEqual(new Set([member]));
  expect(member.shown().map(({ values }) => values)).toEqual([['1']]);
});
