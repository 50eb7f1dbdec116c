import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Expression } from '../expression.js';
import type { ValueType } from '../plan.js';
import type { Block, ComputedList, Input, SetOperation } from './plan.js';
import { follow } from './testing/following.js';

/*
 * The engine against nested loops: whatever rows come and go, what it holds is what evaluating the block from nothing
 * gives. Tables t0 to t2, each (id, a, b, c) of small integers and NULLs.
 */

const INT: ValueType = { kind: 'int' };
const WIDTH = 4;
const TABLES = 3;

// ------------------------------------------------------------ random blocks

const small = fc.integer({ min: 0, max: 3 });

function condition(columns: number, params: number): fc.Arbitrary<Expression> {
  const operand: fc.Arbitrary<Expression> = fc.oneof(
    fc.integer({ min: 0, max: columns - 1 }).map((column): Expression => ({ op: 'column', column })),
    ...(params > 0
      ? [fc.integer({ min: 0, max: params - 1 }).map((param): Expression => ({ op: 'param', param }))]
      : []),
  );
  const comparison = fc
    .tuple(fc.constantFrom('int4eq', 'int4ne', 'int4lt', 'int4ge'), operand, operand)
    .map(([fn, left, right]): Expression => ({ op: 'call', fn, args: [left, right] }));
  return fc.oneof(
    { weight: 4, arbitrary: comparison },
    { weight: 1, arbitrary: operand.map((arg): Expression => ({ op: 'is_null', arg })) },
    { weight: 1, arbitrary: comparison.map((arg): Expression => ({ op: 'not', arg })) },
    {
      weight: 1,
      arbitrary: fc.tuple(comparison, comparison).map(([a, b]): Expression => ({ op: 'or', args: [a, b] })),
    },
  );
}

const conditions = (columns: number, params: number, max: number): fc.Arbitrary<Expression[]> =>
  columns === 0 ? fc.constant([]) : fc.array(condition(columns, params), { maxLength: max });

function inputs(params: number, depth: number): fc.Arbitrary<Input[]> {
  return fc.integer({ min: 1, max: 3 }).chain((count) => {
    let all: fc.Arbitrary<Input[]> = fc.constant([]);
    for (let at = 0; at < count; at++)
      all = all.chain((before) => input(before, params, depth).map((one) => [...before, one]));
    return all;
  });
}

function input(before: readonly Input[], params: number, depth: number): fc.Arbitrary<Input> {
  const offset = before.reduce((sum, one) => Math.max(sum, one.offset + one.width), 0);
  const parents = before.flatMap(({ join }, at) => (join === 'exists' ? [] : [at]));
  return fc
    .record({
      isBlock: fc.boolean(),
      join: fc.constantFrom<Input['join'][]>(
        'inner',
        'inner',
        'left',
        // A block has something to show.
        ...(before.length > 0 ? ['exists' as const] : []),
      ),
      table: fc.integer({ min: 0, max: TABLES - 1 }),
      parent: parents.length === 0 ? fc.constant(null) : fc.constantFrom(null, ...parents, ...parents),
      pairs: fc.integer({ min: 0, max: 2 }),
      ofParams: fc.tuple(fc.boolean(), fc.boolean()),
      columns: fc.tuple(small, small),
      parentColumns: fc.tuple(small, small),
    })
    .chain(({ isBlock, join, table, parent, pairs, ofParams, columns, parentColumns }) => {
      const parentWidth = parent === null ? params : (before[parent]?.width ?? 0);
      const number = parentWidth === 0 ? 0 : pairs;
      const child = isBlock && depth > 0 ? anyBlock(number, depth - 1) : fc.constant(null);
      return child.chain((of) => {
        const width = of === null ? WIDTH : of.project.length;
        const own = join === 'exists' ? 1 : width;
        // What EXISTS looks at is seen by its ON alone, and it has one column.
        const seen = offset + (join === 'exists' ? 0 : width);
        return fc
          .boolean()
          .chain((any) => conditions(any ? seen : 0, params, 1))
          .map((on): Input => ({
            of: of === null ? { kind: 'table', table, columns: [], key: [0] } : { kind: 'block', block: of },
            join,
            on: seen === 0 ? [] : on,
            offset,
            width: own,
            demand: {
              parent,
              pairs: Array.from({ length: number }, (_, at) => {
                const isParam =
                  of !== null && parent !== null && params > 0 && ofParams[at as 0 | 1] === true;
                return {
                  column: of === null ? (columns[at as 0 | 1] ?? 0) : at,
                  parentColumn: (parentColumns[at as 0 | 1] ?? 0) % (isParam ? params : parentWidth),
                  type: INT,
                  ...(isParam ? { ofParams: true } : {}),
                };
              }),
            },
          }));
      });
    });
}

const anyBlock = (params: number, depth: number): fc.Arbitrary<Block> =>
  fc.oneof(
    { weight: 4, arbitrary: block(params, depth) },
    { weight: 1, arbitrary: setBlock(params, depth) },
    { weight: 1, arbitrary: rowsBlock(params) },
  );

/** VALUES, and functions that count, of parameters. */
function rowsBlock(params: number): fc.Arbitrary<Block> {
  if (params === 0) return setBlock(0, 0);
  const param = fc.integer({ min: 0, max: params - 1 }).map((at): Expression => ({ op: 'param', param: at }));
  const values = fc
    .array(fc.tuple(param, param), { minLength: 1, maxLength: 3 })
    .map((rows): ComputedList => ({ kind: 'values', width: 2, rows }));
  const series = fc.tuple(param, param).map((args): ComputedList => ({
    kind: 'function',
    width: 1,
    fn: 'generate_series_int4',
    args,
    types: [INT, INT],
  }));
  return fc
    .record({
      lists: fc.array(fc.oneof(values, series), { minLength: 1, maxLength: 2 }),
      ordinality: fc.boolean(),
      where: conditions(1, params, 1),
    })
    .map(({ lists, ordinality, where }): Block => {
      const width = lists.reduce((sum, list) => sum + list.width, ordinality ? 1 : 0);
      return {
        inputs: [],
        rows: { lists, ordinality },
        where,
        group: null,
        project: Array.from({ length: width }, (_, column): Expression => ({ op: 'column', column })),
        distinct: false,
        order: [],
        limit: null,
        offset: null,
        types: Array.from({ length: width }, () => INT),
      };
    });
}

/** UNION, INTERSECT and EXCEPT of inputs that hang on the bindings. */
function setBlock(params: number, depth: number): fc.Arbitrary<Block> {
  const operation = fc.record({
    op: fc.constantFrom('union' as const, 'intersect' as const, 'except' as const),
    all: fc.boolean(),
    isLeft: fc.boolean(),
  });
  return fc
    .record({
      inputs: fc.array(input([], params, depth), { minLength: 1, maxLength: 4 }),
      operations: fc.array(operation, { minLength: 3, maxLength: 3 }),
      columns: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
      ordered: fc.boolean(),
      limited: fc.boolean(),
    })
    .map(({ inputs: all, operations, columns, ordered, limited }): Block => {
      const combine = (at: number): SetOperation => {
        const next = operations[at];
        if (at + 1 >= all.length || next === undefined) return { input: at };
        const [one, others] = [{ input: at }, combine(at + 1)];
        return {
          op: next.op,
          all: next.all,
          left: next.isLeft ? one : others,
          right: next.isLeft ? others : one,
        };
      };
      let offset = 0;
      return {
        inputs: all.map((one) => ({ ...one, join: 'inner', on: [], offset: (offset += 8) })),
        where: [],
        group: null,
        sets: {
          arms: all.map(({ width }) =>
            columns.map((column): Expression => ({ op: 'column', column: column % width })),
          ),
          operation: combine(0),
        },
        project: columns.map((_, at): Expression => ({ op: 'column', column: 1 + at })),
        distinct: false,
        order: ordered ? columns.map((_, at) => ({ column: at, descending: false, nullsFirst: true })) : [],
        limit: ordered && limited && params > 0 ? 0 : null,
        offset: null,
        withTies: (columns[0] ?? 0) % 2 === 0,
        types: columns.map(() => INT),
      };
    });
}

function block(params: number, depth: number): fc.Arbitrary<Block> {
  return inputs(params, depth).chain((all) => {
    const width = all.reduce((sum, one) => Math.max(sum, one.offset + one.width), 0);
    const exists = all.filter(({ join }) => join === 'exists').map(({ offset }) => offset);
    const integers = Array.from({ length: width }, (_, at) => at).filter((at) => !exists.includes(at));
    const usable = conditions(integers.length === 0 ? 0 : width, params, 1).map((list) =>
      list.filter((one) => !reads(one, exists)),
    );
    const wheres = fc.tuple(
      usable,
      fc.array(fc.constantFrom(...(exists.length > 0 ? exists : [-1])), { maxLength: 1 }),
    );
    const column: fc.Arbitrary<Expression> =
      integers.length === 0
        ? fc.constant({ op: 'column', column: exists[0] ?? 0 })
        : fc.constantFrom(...integers).map((at): Expression => ({ op: 'column', column: at }));
    const grouping = fc.option(
      fc.record({
        keys: fc.array(column, { maxLength: 2 }),
        fns: fc.array(
          fc.tuple(fc.constantFrom('count_all', 'count', 'sum_int8', 'min', 'max'), column, fc.boolean()),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
      }),
      { freq: 2 },
    );
    return fc
      .record({
        wheres,
        column: fc.array(column, { minLength: 1, maxLength: 3 }),
        grouping,
        distinct: fc.boolean(),
        ordered: fc.boolean(),
        descending: fc.boolean(),
        nullsFirst: fc.boolean(),
        limits: fc.tuple(fc.boolean(), fc.boolean()),
      })
      .map(
        ({
          wheres: [where, marks],
          column: project,
          grouping: of,
          distinct,
          ordered,
          descending,
          nullsFirst,
          limits,
        }): Block => {
          const isGrouped = of !== null && integers.length > 0;
          const output: readonly Expression[] = isGrouped
            ? [...of.keys, ...of.fns].map((_, at): Expression => ({ op: 'column', column: at }))
            : project;
          return {
            inputs: all,
            where: [
              ...where,
              ...marks.filter((at) => at >= 0).map((at): Expression => ({ op: 'column', column: at })),
            ],
            group: isGrouped
              ? {
                  keys: of.keys,
                  types: of.keys.map(() => INT),
                  aggregates: of.fns.map(([fn, arg, isDistinct]) => ({
                    fn,
                    args: fn === 'count_all' ? [] : [arg],
                    types: [INT],
                    distinct: isDistinct && fn !== 'count_all',
                    order: [],
                    filter: null,
                  })),
                  having: [],
                }
              : null,
            project: output,
            distinct,
            order: ordered ? output.map((_, at) => ({ column: at, descending, nullsFirst })) : [],
            limit: ordered && params > 0 && limits[0] ? 0 : null,
            offset: ordered && params > 1 && limits[1] ? 1 : null,
            types: output.map(() => INT),
          };
        },
      );
  });
}

function reads(expression: Expression, columns: readonly number[]): boolean {
  return columns.some((column) => JSON.stringify(expression).includes(`{"op":"column","column":${column}}`));
}

// ------------------------------------------------------------ random histories

const value = fc.option(fc.integer({ min: 0, max: 1 }).map(String), { freq: 10 });
const write = fc.record({
  table: fc.integer({ min: 0, max: TABLES - 1 }),
  id: fc.integer({ min: 0, max: 5 }),
  next: fc.option(fc.tuple(value, value, value), { freq: 3 }),
  /** The last column is sent although it is the same. */
  sent: fc.boolean(),
});

test('what is held is what nested loops make of the tables', () => {
  const counts = { compared: 0, changed: 0, misses: 0 };
  fc.assert(
    fc.property(
      anyBlock(2, 1),
      fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 3 }),
      fc.array(write, { minLength: 8, maxLength: 24 }),
      fc.array(fc.array(write, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
      (plan, bindings, beginning, history) =>
        follow({ tables: TABLES, plan, bindings, beginning, history }, counts),
    ),
    { numRuns: 1500 },
  );
  expect(counts.compared).toBeGreaterThan(5_000);
  expect(counts.changed).toBeGreaterThan(500);
  expect(counts.misses).toBeGreaterThan(100);
}, 120_000);
