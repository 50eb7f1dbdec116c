import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_PIECES } from '../chunks/all.js';
import { NotReproduced } from '../expression/errors.js';
import type { Expression } from '../expression.js';
import type { PgText } from '../value.js';
import { compiler } from './compile.js';
import { DistinctOn } from './distinct-on.js';
import type { Change } from './row.js';
import type { Block, FrameBoundPlan, FramePlan, WindowFunction, WindowName, WindowOrder } from './plan.js';
import { WindowStage } from './window-stage.js';

/*
 * Window functions and DISTINCT ON against their definitions: each row looks at each other row of its partition and
 * asks whether it is in the frame. Rows are (partition, order, value, number); the order leaves ties.
 */

const INT = { kind: 'int' } as const;
const compile = compiler(ALL_PIECES);
const column = (at: number): Expression => ({ op: 'column', column: at });
const param = (at: number): Expression => ({ op: 'param', param: at });
type Values = readonly PgText[];
const WIDTH = 4;

interface Given {
  readonly order: WindowOrder | null;
  readonly frame: FramePlan;
  readonly sizes: readonly [number, number];
  readonly fn: string;
}

/** In order; 0 for peers. */
function byOrder({ order }: Given, left: Values, right: Values): number {
  if (order === null) return 0;
  const [a, b] = [left[1] ?? null, right[1] ?? null];
  if (a === b) return 0;
  if (a === null || b === null) return (a === null) === order.nullsFirst ? -1 : 1;
  return (Number(a) - Number(b)) * (order.descending ? -1 : 1);
}

/** Whether the row at `other` is not before the frame's start, or not behind its end. */
function isInside(
  given: Given,
  sorted: readonly Values[],
  at: number,
  other: number,
  isStart: boolean,
): boolean {
  const bound = isStart ? given.frame.start : given.frame.end;
  const sign = isStart ? 1 : -1;
  if (bound.kind.startsWith('unbounded')) return (bound.kind === 'unbounded preceding') === isStart;
  const by =
    bound.kind === 'current row'
      ? 0
      : (given.sizes[isStart ? 0 : 1] ?? 0) * (bound.kind === 'preceding' ? -1 : 1);
  const [own, row] = [sorted[at] ?? [], sorted[other] ?? []];
  switch (given.frame.mode) {
    case 'rows':
      return (other - at - by) * sign >= 0;
    case 'groups': {
      const groupOf = (one: Values): number =>
        new Set(sorted.filter((each) => byOrder(given, each, one) < 0).map((each) => each[1])).size;
      return (groupOf(row) - groupOf(own) - by) * sign >= 0;
    }
    default: {
      const order = byOrder(given, row, own);
      if (bound.kind === 'current row') return order * sign >= 0;
      const [a, b] = [row[1] ?? null, own[1] ?? null];
      if (a === null || b === null) return order * sign >= 0;
      const distance = (Number(a) - Number(b)) * (given.order?.descending === true ? -1 : 1);
      return (distance - by) * sign >= 0;
    }
  }
}

function frameOf(given: Given, sorted: readonly Values[], at: number): readonly Values[] {
  const own = sorted[at] ?? [];
  return sorted.filter((row, other) => {
    if (!isInside(given, sorted, at, other, true) || !isInside(given, sorted, at, other, false)) return false;
    const isPeer = byOrder(given, row, own) === 0;
    switch (given.frame.exclude) {
      case 'current row':
        return other !== at;
      case 'group':
        return !isPeer;
      case 'ties':
        return !isPeer || other === at;
      default:
        return true;
    }
  });
}

function value(given: Given, sorted: readonly Values[], at: number): PgText {
  const own = sorted[at] ?? [];
  const before = sorted.filter((row) => byOrder(given, row, own) < 0);
  const through = sorted.filter((row) => byOrder(given, row, own) <= 0).length;
  const frame = frameOf(given, sorted, at);
  const number = own[3] ?? null;
  const values = frame.map((row) => row[2] ?? null);
  const numbers = values.filter((one) => one !== null).map(Number);
  switch (given.fn) {
    case 'row_number':
      return String(at + 1);
    case 'rank':
      return String(before.length + 1);
    case 'dense_rank':
      return String(new Set(before.map((row) => row[1])).size + 1);
    case 'percent_rank':
      return String(sorted.length === 1 ? 0 : before.length / (sorted.length - 1));
    case 'cume_dist':
      return String(through / sorted.length);
    case 'lag':
    case 'lead': {
      if (number === null) return null;
      const row = sorted[at + Number(number) * (given.fn === 'lag' ? -1 : 1)];
      return row === undefined ? '-7' : (row[2] ?? null);
    }
    case 'ntile': {
      const sizes = [0, 1, 2].map((tile) => Math.floor((sorted.length + 2 - tile) / 3));
      return String(at < (sizes[0] ?? 0) ? 1 : at < (sizes[0] ?? 0) + (sizes[1] ?? 0) ? 2 : 3);
    }
    case 'first_value':
      return values[0] ?? null;
    case 'last_value':
      return values.at(-1) ?? null;
    case 'nth_value':
      return number === null ? null : (values[Number(number) - 1] ?? null);
    case 'count_all':
      return String(frame.length);
    case 'sum_int8':
      return numbers.length === 0 ? null : String(numbers.reduce((sum, one) => sum + one, 0));
    default:
      return numbers.length === 0 ? null : String(Math.max(...numbers));
  }
}

const FUNCTIONS: Readonly<Record<string, WindowFunction>> = {
  ...Object.fromEntries(
    (['row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist'] satisfies WindowName[]).map((fn) => [
      fn,
      { kind: 'function', fn, args: [] },
    ]),
  ),
  ...Object.fromEntries(
    (['first_value', 'last_value'] satisfies WindowName[]).map((fn) => [
      fn,
      { kind: 'function', fn, args: [column(2)] },
    ]),
  ),
  lag: { kind: 'function', fn: 'lag', args: [column(2), column(3), param(2)] },
  lead: { kind: 'function', fn: 'lead', args: [column(2), column(3), param(2)] },
  ntile: { kind: 'function', fn: 'ntile', args: [param(3)] },
  nth_value: { kind: 'function', fn: 'nth_value', args: [column(2), column(3)] },
  ...Object.fromEntries(
    ['count_all', 'sum_int8', 'max'].map((fn) => [
      fn,
      {
        kind: 'aggregate',
        ordered: false,
        aggregate: {
          fn,
          args: fn === 'count_all' ? [] : [column(2)],
          types: fn === 'count_all' ? [] : [INT],
          distinct: false,
          order: [],
          filter: null,
        },
      },
    ]),
  ),
};

const order = fc.record({
  expression: fc.constant(column(1)),
  type: fc.constant(INT),
  descending: fc.boolean(),
  nullsFirst: fc.boolean(),
});

const given: fc.Arbitrary<Given> = fc
  .record({
    order,
    isOrdered: fc.integer({ min: 0, max: 4 }),
    mode: fc.constantFrom('rows', 'range', 'groups'),
    start: fc.constantFrom('unbounded preceding', 'preceding', 'current row', 'following'),
    end: fc.constantFrom('preceding', 'current row', 'following', 'unbounded following'),
    exclude: fc.constantFrom('nothing', 'current row', 'group', 'ties'),
    sizes: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    fn: fc.constantFrom(...Object.keys(FUNCTIONS)),
  })
  .filter(({ start, end }) => PLACES.indexOf(start) <= PLACES.indexOf(end))
  .map(({ order: term, isOrdered, mode, start, end, exclude, sizes, fn }): Given => {
    const hasOffset = [start, end].some((kind) => kind === 'preceding' || kind === 'following');
    const isBare = isOrdered === 0 && mode !== 'groups' && !(mode === 'range' && hasOffset);
    const bound = (kind: (typeof PLACES)[number], at: number): FrameBoundPlan => {
      if (kind !== 'preceding' && kind !== 'following') return { kind };
      const isUp = (kind === 'following') !== term.descending;
      const limit = {
        op: 'call',
        fn: isUp ? 'numeric_add' : 'numeric_sub',
        args: [column(1), param(at)],
      } as const;
      const range = { key: column(1), limit, type: INT, offsetType: INT };
      return { kind, offset: param(at), range: mode === 'range' ? range : null };
    };
    return {
      order: isBare ? null : term,
      frame: { mode, start: bound(start, 0), end: bound(end, 1), exclude },
      sizes,
      fn,
    };
  });

const PLACES = [
  'unbounded preceding',
  'preceding',
  'current row',
  'following',
  'unbounded following',
] as const;

const small = fc.option(fc.integer({ min: 0, max: 6 }).map(String), { freq: 6 });
const row = fc.tuple(
  fc.option(fc.constantFrom('0', '1'), { freq: 6 }),
  small,
  small,
  fc.option(fc.constantFrom('1', '2'), { freq: 6 }),
);
const writes = fc.array(
  fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.option(row, { freq: 4 })), {
    minLength: 1,
    maxLength: 4,
  }),
  { minLength: 1, maxLength: 8 },
);

/** Applies them to the rows. @returns what changed, each row once */
function written(rows: Map<string, Values>, batch: readonly (readonly [number, Values | null])[]): Change[] {
  const before = new Map(rows);
  for (const [id, next] of batch) {
    if (next === null) rows.delete(String(id));
    else rows.set(String(id), next);
  }
  const keys = new Set(batch.map(([id]) => String(id)));
  return [...keys].map((key) => ({ key, old: before.get(key) ?? null, next: rows.get(key) ?? null }));
}

test('window functions are what their definitions say, or untold where peers decide', () => {
  const counts = { compared: 0, untold: 0 };
  fc.assert(
    fc.property(given, given, writes, (one, other, history) => {
      const params = [String(one.sizes[0]), String(one.sizes[1]), '-7', '3'];
      const second = { ...other, sizes: one.sizes };
      const both = [one, second];
      const stage = new WindowStage(
        {
          at: WIDTH,
          over: both.map(({ order: term, frame, fn }) => ({
            partition: [{ expression: column(0), type: INT }],
            order: term === null ? [] : [term],
            frame,
            functions: [FUNCTIONS[fn] as WindowFunction],
          })),
        },
        params,
        compile,
      );
      const rows = new Map<string, Values>();
      const held = new Map<string, Values>();
      for (const batch of history) {
        const changes = written(rows, batch);
        let out: Change[];
        try {
          out = stage.apply(changes);
        } catch (error) {
          if (!(error instanceof NotReproduced)) throw error;
          // It is untold only where there are ties.
          const hasTies = both.some((each) =>
            [...rows].some(([a, left]) =>
              [...rows].some(
                ([b, right]) => a !== b && left[0] === right[0] && byOrder(each, left, right) === 0,
              ),
            ),
          );
          expect(hasTies).toBe(true);
          counts.untold++;
          return;
        }
        for (const { key, old, next } of out) {
          expect(held.get(key) ?? null).toEqual(old);
          if (next === null) held.delete(key);
          else held.set(key, next);
        }
        const truth = new Map(
          [...rows].map(([key, values]) => {
            const ofPartition = [...rows].filter(([, each]) => each[0] === values[0]);
            const results = both.map((each) => {
              // Peers in either order.
              const answers = [1, -1].map((direction) => {
                const sorted = ofPartition.toSorted(
                  ([a, left], [b, right]) => byOrder(each, left, right) || (a < b ? -1 : 1) * direction,
                );
                return value(
                  each,
                  sorted.map(([, of]) => of),
                  sorted.findIndex(([of]) => of === key),
                );
              });
              expect(answers[1]).toBe(answers[0]);
              return answers[0] ?? null;
            });
            return [key, [...values, ...results]];
          }),
        );
        expect(held).toEqual(truth);
        counts.compared++;
      }
    }),
    { numRuns: 3000 },
  );
  expect(counts.compared).toBeGreaterThan(3_000);
  expect(counts.untold).toBeGreaterThan(100);
});

test('DISTINCT ON leaves the first of equal rows, or nothing is told', () => {
  const counts = { compared: 0, untold: 0 };
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), writes, (descending, nullsFirst, history) => {
      const plan: Block = {
        inputs: [],
        where: [],
        group: null,
        project: [0, 1, 2].map(column),
        distinct: false,
        distinctOn: [0],
        order: [
          { column: 0, descending: false, nullsFirst: false },
          { column: 1, descending, nullsFirst },
        ],
        limit: null,
        offset: null,
        types: [INT, INT, INT],
      };
      const stage = new DistinctOn(plan, [0], {});
      const rows = new Map<string, Values>();
      const held = new Map<string, Values>();
      const order: Given['order'] = { expression: column(1), type: INT, descending, nullsFirst };
      for (const batch of history) {
        const changes = written(
          rows,
          batch.map(([id, values]) => [id, values === null ? null : values.slice(0, 3)] as const),
        );
        const firsts = new Map<PgText, Set<string>>();
        for (const one of rows.values()) {
          const ofKey = [...rows.values()].filter((each) => each[0] === one[0]);
          const isFirst = ofKey.every(
            (each) => byOrder({ order, sizes: [0, 0], fn: '', frame: WHOLE }, one, each) <= 0,
          );
          if (isFirst)
            firsts.set(one[0] ?? null, (firsts.get(one[0] ?? null) ?? new Set()).add(JSON.stringify(one)));
        }
        try {
          for (const { key, old, next } of stage.apply(changes)) {
            expect(held.get(key) ?? null).toEqual(old);
            if (next === null) held.delete(key);
            else held.set(key, next);
          }
        } catch (error) {
          if (!(error instanceof NotReproduced)) throw error;
          expect([...firsts.values()].some(({ size }) => size > 1)).toBe(true);
          counts.untold++;
          return;
        }
        expect(Array.from(held.values(), (one) => JSON.stringify(one)).toSorted()).toEqual(
          [...firsts.values()].flatMap((set) => [...set]).toSorted(),
        );
        counts.compared++;
      }
    }),
    { numRuns: 1000 },
  );
  expect(counts.compared).toBeGreaterThan(1_000);
  expect(counts.untold).toBeGreaterThan(50);
});

const WHOLE: FramePlan = {
  mode: 'range',
  start: { kind: 'unbounded preceding' },
  end: { kind: 'unbounded following' },
  exclude: 'nothing',
};
