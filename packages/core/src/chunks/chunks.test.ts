import { expect, test } from 'vitest';
import { comparator, equalityKey } from '../engine/compare.js';
import type { Expression } from '../expression.js';
import { FAMILIES } from '../expression/all.js';
import type { Aggregate, Block, Grouping } from '../flow/plan.js';
import { PLAN_VERSION, type PlanHeader, type TablePlan, type ValueType } from '../plan.js';
import { CHUNKS, piecesOf } from './all.js';
import { CHUNK_NAMES, KERNEL_FAMILIES, type ChunkName } from './chunk.js';
import { chunksOfBlock, chunksOfTable } from './chunks-of.js';
import { loadChunks } from './load.js';

const INT: ValueType = { kind: 'int' };
const column: Expression = { op: 'column', column: 0 };

function block(rest: Partial<Block>): Block {
  const empty = { inputs: [], where: [], group: null, project: [], distinct: false, order: [] };
  return { ...empty, limit: null, offset: null, types: [], ...rest };
}

function grouped(aggregate: Partial<Aggregate>): Block {
  const whole = { fn: 'count', args: [], types: [], distinct: false, order: [], filter: null };
  const group: Grouping = { keys: [], types: [], aggregates: [{ ...whole, ...aggregate }], having: [] };
  return block({ group });
}

const calling = (fn: string): Block => block({ project: [{ op: 'call', fn, args: [column] }] });

test.each(CHUNK_NAMES)('%s is loaded with the kernel, and nothing else', async (name) => {
  const loaded = await loadChunks({ version: PLAN_VERSION, chunks: [name] });
  const { functions = {}, types = {}, builders = {}, operators = {}, engines = {} } = CHUNKS[name];
  const kernel = Object.values(KERNEL_FAMILIES).flatMap((family) => Object.keys(family));
  expect(new Set(Object.keys(loaded.functions))).toEqual(new Set([...kernel, ...Object.keys(functions)]));
  for (const [fn, entry] of Object.entries(functions)) expect(loaded.functions[fn]).toBe(entry);
  const own = { types, builders, operators, engines };
  expect(loaded).toMatchObject(own);
  for (const [part, of] of Object.entries(own))
    expect(Object.keys({ ...loaded }[part as keyof typeof own]).toSorted()).toEqual(
      Object.keys(of).toSorted(),
    );
});

test.each(Object.entries(FAMILIES))('a plan that calls a function of %s names its chunk', (name, family) => {
  const wanted = Object.hasOwn(KERNEL_FAMILIES, name) ? [] : [name];
  for (const fn of Object.keys(family)) {
    const names = chunksOfBlock(calling(fn));
    expect([fn, names]).toEqual([fn, wanted]);
    expect(piecesOf(names).functions[fn]).toBe(family[fn]);
  }
});

test('no function is in two chunks', () => {
  const all = Object.values(FAMILIES).flatMap((family) => Object.keys(family));
  expect(new Set(all).size).toBe(all.length);
});

test('a name that is not known is an error of the registry', async () => {
  const error = { code: 'chunk_unknown', detail: 'astrology', retry: false };
  const naming = (...chunks: readonly string[]): Promise<unknown> =>
    loadChunks({ version: PLAN_VERSION, chunks });
  await expect(naming('like', 'astrology')).rejects.toMatchObject(error);
  await expect(naming('constructor')).rejects.toMatchObject({ code: 'chunk_unknown' });
});

test.each([PLAN_VERSION - 1, PLAN_VERSION + 1])('a plan of version %i is not run', async (version) => {
  const error = { code: 'plan_version_unknown', detail: String(version), retry: false };
  await expect(loadChunks({ version, chunks: [] })).rejects.toMatchObject(error);
});

const COMPARED: readonly (readonly [ValueType, string, readonly ChunkName[]])[] = [
  [INT, '1', []],
  [{ kind: 'timestamptz' }, '2026-01-01 00:00:00+00', []],
  [{ kind: 'interval' }, '1 day', ['interval']],
  [{ kind: 'jsonb' }, '{"a": 1}', ['jsonb']],
  [{ kind: 'inet' }, '10.0.0.1', ['network']],
  [{ kind: 'timetz' }, '10:00:00+00', ['date-time']],
  [{ kind: 'array', element: INT }, '{1,2}', ['array-values']],
  [{ kind: 'array', element: { kind: 'interval' } }, '{"1 day"}', ['interval', 'array-values']],
  [{ kind: 'range', element: INT }, '[1,3)', ['range']],
  [{ kind: 'multirange', element: INT }, '{[1,3)}', ['multirange']],
  [{ kind: 'mac' }, '08:00:2b:01:02:03', []],
  [{ kind: 'bits' }, '0101', []],
  [
    { kind: 'row', fields: [{ name: 'a', type: { kind: 'array', element: { kind: 'jsonb' } } }] },
    '({1})',
    ['array-values', 'row-values', 'jsonb'],
  ],
];

test.each(COMPARED)('values of %j are compared with what the plan names', (type, text, names) => {
  const { types } = piecesOf(names);
  expect(comparator(type, types)(text, text)).toBe(0);
  expect(equalityKey(type, types)(text)).toBe(equalityKey(type, types)(text));
  const order = [{ column: 0, descending: false, nullsFirst: false }];
  const plans: readonly Block[] = [
    block({ types: [type], order }),
    block({ group: { keys: [column], types: [type], aggregates: [], having: [] } }),
    block({ project: [{ op: 'greatest', args: [column], type }] }),
  ];
  for (const plan of plans) expect(chunksOfBlock(plan)).toEqual(names);
  const distinct = chunksOfBlock(block({ types: [type], distinct: true }));
  expect(new Set(distinct)).toEqual(new Set([...names, 'distinct-on']));
  for (const aggregate of [{ fn: 'min' }, { fn: 'count', distinct: true }]) {
    const plan = grouped({ ...aggregate, args: [column], types: [type] });
    expect(new Set(chunksOfBlock(plan))).toEqual(new Set([...names, 'aggregates']));
  }
  for (const name of names)
    expect(() => comparator(type, piecesOf(names.filter((one) => one !== name)).types)).toThrow();
  const table: Omit<TablePlan, keyof PlanHeader> = {
    kind: 'table',
    table: 1,
    columns: [{ name: 'a', type }],
    where: { op: 'true' },
    project: [0],
    order: [],
    key: [],
    limit: null,
    offset: null,
  };
  expect(chunksOfTable(table)).toEqual([]);
  expect(chunksOfTable({ ...table, order })).toEqual(names);
  const equal = { op: 'not', arg: { op: 'eq', left: { column: 0 }, right: { param: 0 }, type } } as const;
  expect(chunksOfTable({ ...table, where: equal })).toEqual(names);
});

const OPERATORS: readonly (readonly [ChunkName, Block])[] = [
  ['aggregates', grouped({ fn: 'sum_numeric', args: [column], types: [{ kind: 'numeric' }] })],
  ['lists', grouped({ fn: 'json_agg', args: [column], types: [INT] })],
  ['distinct-on', block({ distinctOn: [0], types: [INT] })],
  [
    'sets',
    block({
      sets: {
        arms: [[column], [column]],
        operation: { op: 'except', all: false, left: { input: 0 }, right: { input: 1 } },
      },
    }),
  ],
  ['windows', block({ windows: { at: 1, over: [] } })],
  ['computed-rows', block({ rows: { lists: [], ordinality: false } })],
  ['array-values', block({ project: [{ op: 'array', args: [column], type: INT }] })],
  ['row-values', block({ where: [{ op: 'row', args: [column] }] })],
];

test.each(OPERATORS)('%s is named by a plan that needs it, within a subquery too', (name, plan) => {
  expect(chunksOfBlock(plan)).toEqual([name]);
  const of = { kind: 'block', block: plan } as const;
  const demand = { parent: null, pairs: [] };
  const inputs = [{ of, join: 'inner', on: [], offset: 0, width: 1, demand } as const];
  expect(chunksOfBlock(block({ inputs }))).toEqual([name]);
});

test('of lists those of JSON are apart from the others', () => {
  const list = { fn: 'string_agg', args: [column, column], types: [INT, INT] } as const;
  expect(chunksOfBlock(grouped(list))).toEqual(['lists', 'rarer-lists']);
});

test('what a function that returns rows calls is named as well', () => {
  const series = {
    kind: 'function',
    width: 1,
    fn: 'generate_series_timestamp',
    args: [],
    types: [],
  } as const;
  const plan = block({ rows: { lists: [series], ordinality: false } });
  expect(chunksOfBlock(plan)).toEqual(['date-time', 'interval', 'computed-rows']);
});
