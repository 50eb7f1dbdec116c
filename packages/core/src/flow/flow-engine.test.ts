import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RowEvent } from '../engine/table-engine.js';
import { compileExpression } from '../expression/compile.js';
import { INTEGER } from '../expression/integer.js';
import type { Expression } from '../expression.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Need } from './block-engine.js';
import { FlowEngine } from './flow-engine.js';
import type { Block, Input } from './plan.js';
import { framed, identity, type Row } from './row.js';

/*
 * The engine against nested loops: whatever rows come and go, what it holds is what evaluating the block from nothing
 * gives. Tables t0 to t2, each (id, a, b, c) of small integers and NULLs.
 */

const INT: ValueType = { kind: 'int' };
const WIDTH = 4;
const TABLES = 3;
type Tables = readonly Map<string, readonly PgText[]>[];

// ------------------------------------------------------------ the specification

function evaluate(expression: Expression, flat: readonly PgText[], params: readonly PgText[]): PgText {
  return compileExpression(expression, INTEGER)(flat, params);
}

const holds = (
  conditions: readonly Expression[],
  flat: readonly PgText[],
  params: readonly PgText[],
): boolean => conditions.every((condition) => evaluate(condition, flat, params) === 't');

function rowsOf(
  input: Input,
  tables: Tables,
  above: readonly PgText[],
  outer: readonly PgText[],
): readonly (readonly PgText[])[] {
  const { of, demand } = input;
  if (of.kind === 'block') {
    const params = demand.pairs.map(
      ({ parentColumn, ofParams }) => (ofParams === true ? outer : above)[parentColumn] ?? null,
    );
    return answer(of.block, tables, params);
  }
  return [...(tables[of.table]?.values() ?? [])].filter((row) =>
    demand.pairs.every(({ column, parentColumn }) => {
      const value = above[parentColumn] ?? null;
      return value !== null && row[column] === value;
    }),
  );
}

function joined(block: Block, tables: Tables, params: readonly PgText[]): (readonly PgText[])[] {
  const width = block.inputs.reduce((sum, { offset, width: own }) => Math.max(sum, offset + own), 0);
  let flats: { flat: PgText[]; present: boolean[] }[] = [
    { flat: Array.from({ length: width }, () => null), present: [] },
  ];
  for (const input of block.inputs) {
    flats = flats.flatMap(({ flat, present }) => {
      const { parent } = input.demand;
      const parentInput = parent === null ? null : block.inputs[parent];
      const above = parentInput
        ? flat.slice(parentInput.offset, parentInput.offset + parentInput.width)
        : params;
      const isAbove = parent === null || present[parent] === true;
      const candidates = isAbove ? rowsOf(input, tables, above, params) : [];
      const withRow = candidates.map((row) => {
        const next = [...flat];
        row.slice(0, input.width).forEach((value, at) => (next[input.offset + at] = value));
        return { flat: next, present: [...present, true] };
      });
      const found = withRow.filter((one) => holds(input.on, one.flat, params));
      if (input.join === 'exists') {
        const next = [...flat];
        next[input.offset] = found.length > 0 ? 't' : 'f';
        return [{ flat: next, present: [...present, false] }];
      }
      if (input.join === 'left' && found.length === 0) return [{ flat, present: [...present, false] }];
      return found;
    });
  }
  return flats.map(({ flat }) => flat).filter((flat) => holds(block.where, flat, params));
}

function answer(block: Block, tables: Tables, params: readonly PgText[]): (readonly PgText[])[] {
  let rows: (readonly PgText[])[] = joined(block, tables, params);
  const { group } = block;
  if (group !== null) {
    const groups = new Map<string, { keys: PgText[]; flats: (readonly PgText[])[] }>();
    if (group.keys.length === 0) groups.set('', { keys: [], flats: [] });
    for (const flat of rows) {
      const keys = group.keys.map((key) => evaluate(key, flat, params));
      const key = keys.map(identity).join('');
      const known = groups.get(key) ?? { keys, flats: [] };
      known.flats.push(flat);
      groups.set(key, known);
    }
    rows = [...groups.values()].map(({ keys, flats }) => [
      ...keys,
      ...group.aggregates.map(({ fn, args, filter, distinct }) => {
        let values = flats
          .filter((flat) => filter === null || evaluate(filter, flat, params) === 't')
          .map((flat) => (args[0] ? evaluate(args[0], flat, params) : ''))
          .filter((value): value is string => value !== null);
        if (distinct) values = [...new Set(values)];
        if (fn.startsWith('count')) return String(values.length);
        if (values.length === 0) return null;
        const numbers = values.map(Number);
        if (fn === 'sum_int8') return String(numbers.reduce((sum, value) => sum + value, 0));
        return String(fn === 'min' ? Math.min(...numbers) : Math.max(...numbers));
      }),
    ]);
    rows = rows.filter((row) => holds(group.having, row, params));
  }
  rows = rows.map((row) => block.project.map((one) => evaluate(one, row, params)));
  if (block.distinct) rows = [...new Map(rows.map((row) => [row.map(identity).join(''), row])).values()];
  return cut(block, rows, params);
}

/** Rows that are equal in the order are equal: which of them a limit leaves is no question. */
function cut(block: Block, rows: (readonly PgText[])[], params: readonly PgText[]): (readonly PgText[])[] {
  const bound = (param: number | null, absent: number): number => {
    const text = param === null ? null : (params[param] ?? null);
    return text === null ? absent : Number(text);
  };
  const offset = bound(block.offset, 0);
  return rows.toSorted((a, b) => byOrder(block, a, b)).slice(offset, offset + bound(block.limit, 1e9));
}

function byOrder(block: Block, left: readonly PgText[], right: readonly PgText[]): number {
  for (const { column, descending, nullsFirst } of block.order) {
    const [a, b] = [left[column] ?? null, right[column] ?? null];
    if (a === b) continue;
    if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
    return (Number(a) - Number(b)) * (descending ? -1 : 1);
  }
  return 0;
}

const sorted = (rows: readonly (readonly PgText[])[]): string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();

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
      const child = isBlock && depth > 0 ? block(number, depth - 1) : fc.constant(null);
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

function eventsOf(
  tables: Tables,
  writes: readonly (typeof write extends fc.Arbitrary<infer W> ? W : never)[],
): Map<number, RowEvent[]> {
  const events = new Map<number, RowEvent[]>();
  for (const { table, id, next, sent } of writes) {
    const rows = tables[table];
    if (!rows) continue;
    const key = String(id);
    const was = rows.has(key);
    if (!was && next === null) continue;
    const before = rows.get(key);
    const values = next === null ? [] : [key, ...next];
    const told = before && !sent && next?.[2] === before[3] ? [...values.slice(0, 3), undefined] : values;
    if (next === null) rows.delete(key);
    else rows.set(key, values);
    const list = events.get(table) ?? [];
    list.push({ oldKey: was ? key : null, newKey: next === null ? null : key, values: told });
    events.set(table, list);
  }
  return events;
}

function fetch(need: Need, tables: Tables): Map<string, Row[]> {
  const { input } = need.engine.block.inputs[need.input] ?? {};
  const rows = new Map<string, Row[]>();
  if (input?.of.kind !== 'table') throw new Error('only tables are fetched');
  for (const [key, given] of need.keys) {
    const found = [...(tables[input.of.table] ?? [])].filter(([, row]) =>
      input.demand.pairs.every(({ column }, at) => row[column] === given[at]),
    );
    rows.set(
      key,
      found.map(([id, values]) => ({ key: id, values })),
    );
  }
  return rows;
}

test('what is held is what nested loops make of the tables', () => {
  let compared = 0;
  let changed = 0;
  let misses = 0;
  fc.assert(
    fc.property(
      block(2, 1),
      fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 3 }),
      fc.array(write, { minLength: 8, maxLength: 24 }),
      fc.array(fc.array(write, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
      (plan, bindings, beginning, history) => {
        const tables: Tables = Array.from({ length: TABLES }, () => new Map<string, readonly PgText[]>());
        eventsOf(tables, beginning);
        const engine = new FlowEngine(plan, INTEGER);
        const members = new Map(bindings.map((binding) => [framed(JSON.stringify(binding)), binding]));
        // In an engine of their own, as what is fetched at a snapshot is brought to the present.
        const takeIn = (): void => {
          const batch = new FlowEngine(plan, INTEGER);
          const added = [...members.values()]
            .filter((binding) => engine.member(binding) === undefined)
            .map((binding) => batch.add(binding));
          for (let needs = batch.needs(); needs.length > 0; needs = batch.needs())
            for (const need of needs) batch.fill(need, fetch(need, tables));
          for (const member of added) expect(batch.start(member)).toBe(true);
          expect(engine.absorb(batch).size).toBe(added.length);
        };
        takeIn();
        const held = new Map<string, Map<string, readonly PgText[]>>();
        for (const writes of history) {
          const before = new Map(
            [...members].map(([key, binding]) => [key, sorted(answer(plan, tables, binding)).join()]),
          );
          for (const [key, binding] of members)
            held.set(key, new Map(Array.from(engine.add(binding).rows(), (row) => [row.key, row.values])));
          const { changes, missed } = engine.apply(eventsOf(tables, writes));
          for (const member of missed) expect(member.started).toBe(false);
          for (const [key, binding] of members) {
            const member = engine.member(binding);
            if (!member?.started) {
              misses++;
              continue;
            }
            const truth = sorted(answer(plan, tables, binding));
            // The rows by the changes that were told, and the rows that are held.
            const own = held.get(key) ?? new Map<string, readonly PgText[]>();
            for (const { old, next } of changes.get(member) ?? []) {
              if (old !== null) expect(own.delete(old.key)).toBe(true);
              if (next !== null) own.set(next.key, next.values);
            }
            const visible = (rows: Iterable<readonly PgText[]>): string[] =>
              sorted(Array.from(rows, (row) => row.slice(0, plan.project.length)));
            expect(visible(own.values())).toEqual(truth);
            const shown = member.shown().map(({ values }) => values.slice(0, plan.project.length));
            if (plan.order.length > 0) expect(shown).toEqual(answer(plan, tables, binding));
            expect(visible(Array.from(member.rows(), ({ values }) => values))).toEqual(truth);
            compared++;
            if (truth.join() !== before.get(key)) changed++;
          }
          takeIn();
          for (const [, binding] of members) {
            const rows = Array.from(engine.add(binding).rows(), ({ values }) =>
              values.slice(0, plan.project.length),
            );
            expect(sorted(rows)).toEqual(sorted(answer(plan, tables, binding)));
          }
        }
        for (const binding of members.values()) engine.remove(engine.add(binding));
        expect([engine.memberCount, engine.heldRowCount]).toEqual([0, 0]);
      },
    ),
    { numRuns: 1500 },
  );
  expect(compared).toBeGreaterThan(5_000);
  expect(changed).toBeGreaterThan(500);
  expect(misses).toBeGreaterThan(100);
}, 120_000);
