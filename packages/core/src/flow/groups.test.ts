import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../assert.js';
import { ALL_PIECES } from '../chunks/all.js';
import type { Expression } from '../expression.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { RARER_FOLDS } from './rarer-accumulators.js';
import { compiler } from './compile.js';
import { groupsMaker } from './groups.js';
import { HeldGroups } from './held-groups.js';
import type { Aggregate, Grouping } from './plan.js';
import type { Change } from './row.js';

/*
 * Aggregates and grouping sets against their definitions: whatever rows come and go, each group shows what is made of
 * its rows from nothing. Rows are (key, key, integer, numeric, text).
 */

const TYPES: readonly ValueType[] = [
  { kind: 'int' },
  { kind: 'int' },
  { kind: 'int' },
  { kind: 'numeric' },
  { kind: 'text', ordered: true },
];
const [INT, NUMERIC, TEXT] = [2, 3, 4];
const column = (at: number): Expression => ({ op: 'column', column: at });
type Values = readonly PgText[];
interface Tuple {
  readonly key: string;
  readonly values: Values;
}

// ------------------------------------------------------------ the specification

function group(plan: Grouping, rows: readonly Tuple[]): string[] {
  const sets = plan.sets ?? [plan.keys.map((_, at) => at)];
  return sets.flatMap((set) => {
    const groups = new Map<string, { keys: Values; rows: Tuple[] }>();
    const nothing = plan.keys.map(() => null);
    if (set.length === 0) groups.set(JSON.stringify(nothing), { keys: nothing, rows: [] });
    for (const row of rows) {
      const keys = plan.keys.map((_, at) => (set.includes(at) ? (row.values[at] ?? null) : null));
      const text = JSON.stringify(keys);
      const own = groups.get(text) ?? { keys, rows: [] };
      own.rows.push(row);
      groups.set(text, own);
    }
    const marks = plan.marks?.map((of) =>
      String(Number.parseInt(of.map((at) => (set.includes(at) ? '0' : '1')).join(''), 2)),
    );
    return [...groups.values()].map((own) =>
      JSON.stringify([
        ...own.keys,
        ...plan.aggregates.map((one) => aggregate(one, own.rows)),
        ...(marks ?? []),
      ]),
    );
  });
}

function aggregate({ fn, args, distinct, order, filter }: Aggregate, all: readonly Tuple[]): PgText {
  const at = args[0]?.op === 'column' ? args[0].column : -1;
  const [term] = order;
  const rows = all
    .filter(({ values }) => filter === null || values[INT] === '1')
    .toSorted((a, b) => {
      const [x, y] = [a.values[TEXT] ?? null, b.values[TEXT] ?? null];
      if (term === undefined || x === y) return a.key < b.key ? -1 : 1;
      if (x === null || y === null) return (x === null) === term.term.nullsFirst ? -1 : 1;
      return x < y === term.term.descending ? 1 : -1;
    });
  if (fn === 'count_all') return String(rows.length);
  const values = rows.map((row) => row.values[at] ?? null);
  const list = distinct ? [...new Set(values)] : values;
  const present = list.filter((value) => value !== null);
  if (fn === 'count') return String(present.length);
  if (list.length === 0) return null;
  switch (fn) {
    case 'array_agg':
      return `{${list.map((value) => (value === null ? 'NULL' : value === '' ? '""' : value)).join(',')}}`;
    case 'json_agg':
      return `[${list.map((value) => value ?? 'null').join(', ')}]`;
    case 'json_agg_lines':
      return `[${list.map((value, place) => (place === 0 ? '' : value === null ? ', ' : ', \n ') + (value ?? 'null')).join('')}]`;
    case 'jsonb_object_agg': {
      const members = new Map(rows.map((row) => [row.key, row.values[INT] ?? 'null']));
      const names = [...members.keys()].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
      return `{${names.map((name) => `"${name}": ${members.get(name)}`).join(', ')}}`;
    }
    default:
      return present.length === 0 ? null : folded(fn, present, at);
  }
}

function folded(fn: string, present: readonly string[], at: number): PgText {
  const numbers = present.map(Number);
  switch (fn) {
    case 'string_agg':
      return present.join('+');
    case 'sum_int8':
      return String(numbers.reduce((sum, value) => sum + value, 0));
    case 'sum_numeric': {
      if (present.includes('NaN')) return 'NaN';
      if (present.includes('Infinity')) return 'Infinity';
      const scale = Math.max(...present.map((value) => value.split('.')[1]?.length ?? 0));
      return numbers.reduce((sum, value) => sum + Math.round(value * 1000), 0) === 0
        ? (0).toFixed(scale)
        : (numbers.reduce((sum, value) => sum + Math.round(value * 1000), 0) / 1000).toFixed(scale);
    }
    case 'min':
    case 'max': {
      const sorted = at === TEXT ? present.toSorted() : numbers.toSorted((a, b) => a - b);
      return String(sorted.at(fn === 'min' ? 0 : -1));
    }
    case 'bool_and':
      return present.every((value) => value === 't') ? 't' : 'f';
    case 'bit_and':
      return String(numbers.reduce((bits, value) => bits & value));
    case 'bit_or':
      return String(numbers.reduce((bits, value) => bits | value));
    default:
      return String(numbers.reduce((bits, value) => bits ^ value));
  }
}

// ------------------------------------------------------------ random plans and histories

const order = fc.tuple(fc.boolean(), fc.boolean()).map(([descending, nullsFirst]): Aggregate['order'] => [
  {
    expression: column(TEXT),
    term: { column: 0, descending, nullsFirst },
    type: { kind: 'text', ordered: true },
  },
]);
const filter = fc.constantFrom<(Expression | null)[]>(null, {
  op: 'call',
  fn: 'int4eq',
  args: [column(INT), { op: 'param', param: 0 }],
});

function of(
  fn: string,
  args: readonly number[],
  options: { distinct?: boolean; ordered?: boolean } = {},
): fc.Arbitrary<Aggregate> {
  return fc
    .record({
      order:
        options.ordered === true ? fc.oneof(fc.constant<Aggregate['order']>([]), order) : fc.constant([]),
      distinct: options.distinct === true ? fc.boolean() : fc.constant(false),
      filter,
    })
    .map((rest): Aggregate => {
      const types = args.map((at): ValueType => TYPES[at] ?? { kind: 'opaque' });
      return { fn, args: args.map(column), types, ...rest };
    });
}

const listed = { ordered: true, distinct: false };
const anyAggregate = fc.oneof(
  of('count_all', []),
  of('count', [INT], { distinct: true }),
  of('sum_int8', [INT], { distinct: true }),
  of('sum_numeric', [NUMERIC]),
  of('min', [INT]),
  of('max', [TEXT]),
  of('bit_and', [INT]),
  of('bit_or', [INT], { distinct: true }),
  of('bit_xor', [INT], { distinct: true }),
  of('array_agg', [TEXT], listed),
  of('json_agg', [INT], listed),
  of('json_agg_lines', [INT], listed),
  of('string_agg', [TEXT], listed).map((one): Aggregate => ({
    ...one,
    args: [column(TEXT), { op: 'param', param: 1 }],
    types: [TYPES[TEXT] ?? { kind: 'opaque' }, TYPES[TEXT] ?? { kind: 'opaque' }],
  })),
  of('jsonb_object_agg', [5, INT]).map((one): Aggregate => ({
    ...one,
    args: [
      { op: 'call', fn: 'to_json', args: [column(5)], types: [{ kind: 'text', ordered: true }] },
      column(INT),
    ],
    types: [{ kind: 'json' }, { kind: 'json' }],
  })),
);

const grouping = fc
  .record({
    keys: fc.constantFrom(0, 1, 2),
    aggregates: fc.array(anyAggregate, { minLength: 1, maxLength: 4 }),
    sets: fc.constantFrom<(readonly (readonly number[])[] | null)[]>(
      null,
      [[0, 1], [0], []],
      [[1], [1], [0]],
    ),
  })
  .map(({ keys, aggregates, sets }): Grouping => {
    const several = sets !== null && keys === 2;
    const list = [0, 1].slice(0, keys);
    return {
      keys: list.map(column),
      types: list.map(() => ({ kind: 'int' })),
      aggregates,
      having: [],
      ...(several ? { sets, marks: [[0, 1], [1]] } : {}),
    };
  });

const nullable = (value: fc.Arbitrary<string>): fc.Arbitrary<PgText> => fc.option(value, { freq: 6 });
const small = nullable(fc.integer({ min: -2, max: 2 }).map(String));
const row = fc.tuple(
  nullable(fc.constantFrom('1', '2')),
  nullable(fc.constantFrom('1', '2')),
  small,
  nullable(fc.constantFrom('1', '1.0', '-2.25', '0.125', '3.50', '0', 'NaN', 'Infinity')),
  nullable(fc.constantFrom('a', 'b', 'B', '')),
);
const history = fc.array(
  fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }).map(String), fc.option(row, { freq: 3 })), {
    minLength: 1,
    maxLength: 4,
  }),
  { minLength: 1, maxLength: 12 },
);

const HELD_PIECES = { ...ALL_PIECES, operators: { ...ALL_PIECES.operators, groups: HeldGroups } };

test('groups show what is made of their rows from nothing', () => {
  let changed = 0;
  fc.assert(
    fc.property(grouping, history, fc.boolean(), (plan, turns, isHeld) => {
      const groups = groupsMaker(plan, compiler(isHeld ? HELD_PIECES : ALL_PIECES))(['1', '+']);
      const rows = new Map<string, Values>();
      const shown = new Map<string, Values>();
      const take = (changes: readonly Change[]): void => {
        for (const { key, old, next } of changes) {
          expect(shown.get(key) ?? null).toEqual(old);
          if (next === null) shown.delete(key);
          else shown.set(key, next);
        }
      };
      take(groups.begin());
      for (const turn of turns) {
        const before = new Map(rows);
        for (const [key, values] of turn) {
          if (values === null) rows.delete(key);
          else rows.set(key, [...values, key]);
        }
        const touched = new Set(turn.map(([key]) => key));
        take(
          groups.apply(
            [...touched]
              .map((key) => ({ key, old: before.get(key) ?? null, next: rows.get(key) ?? null }))
              .filter(({ old, next }) => old !== null || next !== null),
          ),
        );
        const truth = group(
          plan,
          Array.from(rows, ([key, values]) => ({ key, values })),
        );
        expect(Array.from(shown.values(), (one) => JSON.stringify(one)).toSorted()).toEqual(truth.toSorted());
        if (rows.size > 0) changed++;
      }
    }),
    { numRuns: 3000 },
  );
  expect(changed).toBeGreaterThan(5_000);
}, 60_000);

test('the least and the greatest of many values, whichever go', () => {
  const turns = fc.array(fc.tuple(fc.integer({ min: 0, max: 150 }), fc.boolean(), fc.boolean()), {
    minLength: 50,
    maxLength: 400,
  });
  fc.assert(
    fc.property(turns, (history) => {
      const [least, greatest] = [
        must(RARER_FOLDS['min'], 'min')({ kind: 'int' }, {}),
        must(RARER_FOLDS['max'], 'max')({ kind: 'int' }, {}),
      ];
      const held = new Map(Array.from({ length: 120 }, (_, value) => [value, 1]));
      for (const value of held.keys()) for (const of of [least, greatest]) of.add(String(value), 1);
      for (const [value, goes, isAsked] of history) {
        // What goes is the least, so that those that are kept in order are used up; it comes back above most of them.
        const one = goes ? Math.min(...held.keys(), 150) : 20 + value;
        const count = held.get(one) ?? 0;
        for (const of of [least, greatest]) {
          if (goes && count > 0) of.remove(String(one), 1);
          else of.add(String(one), 1);
        }
        if (goes && count === 1) held.delete(one);
        else held.set(one, count + (goes && count > 0 ? -1 : 1));
        if (!isAsked) continue;
        const truth =
          held.size === 0 ? [null, null] : [Math.min(...held.keys()), Math.max(...held.keys())].map(String);
        expect([least.result(), greatest.result()]).toEqual(truth);
      }
    }),
    { numRuns: 200 },
  );
});
