import { expect, test } from 'vitest';
import { ALL_PIECES } from '../chunks/all.js';
import { MergingEngine } from './merging-engine.js';
import type { FlowMember } from './member.js';
import type { Block } from './plan.js';
import type { PgText } from '../value.js';

// SELECT n, count(*) FROM item WHERE of = $1 GROUP BY n

const [INT, NUMERIC] = [{ kind: 'int' }, { kind: 'numeric' }] as const;
const PLAN: Block = {
  inputs: [
    {
      of: {
        kind: 'table',
        table: 1,
        columns: [
          { name: 'id', type: INT },
          { name: 'of', type: INT },
          { name: 'n', type: NUMERIC },
        ],
        key: [0],
      },
      join: 'inner',
      on: [],
      offset: 0,
      width: 3,
      demand: { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
    },
  ],
  where: [],
  group: {
    keys: [{ op: 'column', column: 2 }],
    types: [NUMERIC],
    aggregates: [{ fn: 'count_all', args: [], types: [], distinct: false, order: [], filter: null }],
    having: [],
  },
  project: [
    { op: 'column', column: 1 },
    { op: 'column', column: 0 },
  ],
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: [INT, NUMERIC],
};

const engine = new MergingEngine(PLAN, ALL_PIECES);

function started(of: string, rows: readonly (readonly string[])[]): FlowMember {
  const member = engine.add([of]);
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
    for (const need of needs) {
      const found = rows.map((values) => ({ key: values[0] ?? '', values }));
      engine.fill(need, new Map(Array.from(need.keys, ([key]) => [key, found])));
    }
  expect(engine.start(member)).toBe(true);
  return member;
}

function come(...rows: readonly (readonly string[])[]): ReturnType<MergingEngine['apply']> {
  const events = rows.map((values) => ({ oldKey: null, newKey: values[0] ?? '', values }));
  return engine.apply(new Map([[1, events]]));
}

const answer = (member: FlowMember): (readonly PgText[])[] => member.shown().map(({ values }) => values);

test('a change of groups is told with what was told before, and is the answer from then on', () => {
  const member = started('1', [
    ['1', '1', '7'],
    ['2', '1', '8'],
  ]);
  const { changes } = come(['3', '1', '7'], ['4', '1', '9']);
  expect(changes.get(member)?.map(({ old, next }) => [old?.values ?? null, next?.values ?? null])).toEqual([
    [
      ['1', '7'],
      ['2', '7'],
    ],
    [null, ['1', '9']],
  ]);
  expect([member.size, answer(member)]).toEqual([
    3,
    [
      ['2', '7'],
      ['1', '8'],
      ['1', '9'],
    ],
  ]);
});

test('C6: who misses by one of its groups has the answer of before in all of them', () => {
  const member = started('2', [
    ['11', '2', '1'],
    ['12', '2', '2.0'],
  ]);
  const before = answer(member);
  // Which of 2.0 and 2.00 is shown only Postgres knows.
  const { changes, missed } = come(['13', '2', '1'], ['14', '2', '2.00']);
  expect([changes.size, missed]).toEqual([0, new Set([member])]);
  expect(before).toEqual([
    ['1', '1'],
    ['1', '2.0'],
  ]);
  expect(answer(member)).toEqual(before);
});
