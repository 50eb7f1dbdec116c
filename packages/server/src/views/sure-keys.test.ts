import type { Block, Input } from '@sluice/core/flow/plan';
import type { Expression } from '@sluice/core/expression';
import type { ValueType } from '@sluice/core/plan';
import { expect, test } from 'vitest';
import { areKeysSure } from './sure-keys.js';

const INT: ValueType = { kind: 'int' };
const TEXT: ValueType = { kind: 'text', ordered: true };
const column = (at: number): Expression => ({ op: 'column', column: at });

/** Of two columns, the first of them its key. */
function table(offset: number, join: Input['join'] = 'inner'): Input {
  const demand = { parent: offset === 0 ? null : 0, pairs: [] };
  const of = { kind: 'table', table: offset, columns: [], key: [0] } as const;
  return { of, join, on: [], offset, width: 2, demand };
}

function block(inputs: readonly Input[], shown: readonly number[], more: Partial<Block> = {}): Block {
  return {
    inputs,
    where: [],
    group: null,
    project: shown.map(column),
    distinct: false,
    order: [],
    limit: null,
    offset: null,
    types: shown.map(() => INT),
    ...more,
  };
}

const grouped = (keys: number, sets?: readonly (readonly number[])[]): Partial<Block> => ({
  group: {
    keys: Array.from({ length: keys }, (_, key) => column(key)),
    types: Array.from({ length: keys }, () => INT),
    aggregates: [],
    having: [],
    ...(sets === undefined ? {} : { sets }),
  },
});

test('rows of joins are known by the keys of all tables that are joined', () => {
  expect(areKeysSure(block([table(0)], [1, 0]), [1])).toBe(true);
  expect(areKeysSure(block([table(0)], [1, 0]), [0])).toBe(false); // unique, for all that is known here
  expect(areKeysSure(block([table(0)], [1, 0]), null)).toBe(false);
  const joined = [table(0), table(2, 'left')];
  expect(areKeysSure(block(joined, [0, 1, 2, 3]), [0, 2])).toBe(true);
  expect(areKeysSure(block(joined, [0, 1, 2, 3]), [0])).toBe(false);
  expect(areKeysSure(block([table(0), table(2, 'exists')], [0]), [0])).toBe(true);
  expect(areKeysSure(block([table(0), table(2, 'scalar')], [0]), [0])).toBe(true);
  const computed: Block = { ...block([table(0)], [0]), project: [{ op: 'param', param: 0 }] };
  expect(areKeysSure(computed, [0])).toBe(false);
  const below: Input = { ...table(0), of: { kind: 'block', block: block([table(0)], [0, 1]) } };
  expect(areKeysSure(block([below], [0]), [0])).toBe(false);
});

test('rows of groups are known by the keys of the grouping', () => {
  expect(areKeysSure(block([table(0)], [0, 1], grouped(1)), [0])).toBe(true);
  expect(areKeysSure(block([table(0)], [0, 1], grouped(2)), [0])).toBe(false);
  expect(areKeysSure(block([table(0)], [2, 1, 0], grouped(2)), [1, 2])).toBe(true);
  expect(areKeysSure(block([table(0)], [0], grouped(0)), [])).toBe(true); // there is but one
  expect(areKeysSure(block([table(0)], [0, 1], grouped(2, [[0], [1]])), [0, 1])).toBe(false);
});

test('what may be told as NULL is, what stands in no table, and how it is put together, are watched', () => {
  const text = { types: [TEXT, TEXT] };
  expect(areKeysSure(block([table(0)], [0, 1], { ...grouped(1), ...text }), [0])).toBe(false);
  expect(areKeysSure(block([table(0)], [0, 1], { ...grouped(2), ...text }), [0, 1])).toBe(true);
  const uuid = { types: [{ kind: 'uuid' }, TEXT] } as const;
  expect(areKeysSure(block([table(0)], [0, 1], uuid), [0])).toBe(true);
  const sets = { arms: [], operation: { input: 0 } } as const;
  expect(areKeysSure(block([table(0)], [0], { sets }), [0])).toBe(false);
  expect(areKeysSure(block([], [0], { rows: { lists: [], ordinality: true } }), [0])).toBe(false);
});
