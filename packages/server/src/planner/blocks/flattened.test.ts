import type { Block, Input, Source } from '@sluice/core/flow/plan';
import { expect, test } from 'vitest';
import { flattened } from './flattened.js';

const INT = { kind: 'int' } as const;
const OPAQUE = { kind: 'opaque' } as const;
const EMPTY: Block = {
  inputs: [],
  where: [],
  group: null,
  project: [],
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: [],
};

function table(oid: number, demand: Input['demand']): Input {
  const of: Source = { kind: 'table', table: oid, columns: [{ name: 'id', type: INT }], key: [0] };
  return { of, join: 'inner', on: [], offset: 0, width: 1, demand };
}

const COMMENTS = table(2, { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] });

/** Issues of a project of which there is a row in the block. */
function issuesWith(block: Partial<Block>, more: Partial<Input> = {}): Block {
  const issues = table(1, { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] });
  const own: Block = { ...EMPTY, inputs: [COMMENTS], ...block };
  const exists: Input = {
    of: { kind: 'block', block: own },
    join: 'exists',
    on: [],
    offset: 1,
    width: 1,
    demand: { parent: 0, pairs: [{ column: 0, parentColumn: 7, type: OPAQUE }] },
    ...more,
  };
  return { ...EMPTY, inputs: [issues, exists] };
}

const kinds = ({ inputs }: Block): readonly string[] => inputs.map(({ of }) => of.kind);

test('EXISTS by equalities alone hangs on the row above, as its table', () => {
  const [, exists] = flattened(issuesWith({})).inputs;
  expect(exists).toEqual({
    ...COMMENTS,
    join: 'exists',
    offset: 1,
    width: 1,
    // By the table's column and type, from the column that the block was given.
    demand: { parent: 0, pairs: [{ column: 1, parentColumn: 7, type: INT }] },
  });
});

test('also within what stays a block', () => {
  const inner = issuesWith({});
  const outer: Block = {
    ...EMPTY,
    inputs: [{ ...table(3, COMMENTS.demand), of: { kind: 'block', block: inner } }],
  };
  const [{ of } = COMMENTS] = flattened(outer).inputs;
  expect(of.kind === 'block' ? kinds(of.block) : of.kind).toEqual(['table', 'table']);
});

const isTrue = { op: 'column', column: 0 } as const;
test.each<[string, Partial<Block>, Partial<Input>]>([
  ['has a condition', { where: [isTrue] }, {}],
  ['joins by one', { inputs: [{ ...COMMENTS, on: [isTrue] }] }, {}],
  ['is tested by one', {}, { on: [isTrue] }],
  ['shows columns', { project: [isTrue] }, {}],
  ['is grouped', { group: { keys: [], types: [], aggregates: [], having: [] } }, {}],
  ['is cut', { limit: 0 }, {}],
  ['skips rows', { offset: 0 }, {}],
  ['is a scalar', {}, { join: 'scalar' }],
  ['joins', { inputs: [COMMENTS, COMMENTS] }, {}],
  [
    'hangs on no row',
    {},
    { demand: { parent: null, pairs: [{ column: 0, parentColumn: 0, type: OPAQUE }] } },
  ],
  [
    'hangs on a parameter as well',
    {},
    { demand: { parent: 0, pairs: [{ column: 0, parentColumn: 0, type: OPAQUE, ofParams: true }] } },
  ],
  ['reads the whole table', { inputs: [table(2, { parent: null, pairs: [] })] }, {}],
])('a subquery that %s stays a block', (_, block, more) => {
  const plan = issuesWith(block, more);
  expect(flattened(plan)).toEqual(plan);
});
