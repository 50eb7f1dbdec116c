import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PLAN_VERSION, type Binding, type Predicate, type TablePlan } from '../plan.js';
import { editRow } from '../edit.js';
import { hasOne } from '../few.js';
import type { PgText, Row } from '../value.js';
import type { Op } from '../wire.js';
import { comparator } from './compare.js';
import { editOp, plainOp, type EncodedOp, type Told } from './held-row.js';
import type { Member } from './member.js';
import { compilePredicate, prepareBinding } from './predicate.js';
import { MergingTableEngine } from './merging-table-engine.js';
import { printOf } from './print.js';
import {
  fetchCount,
  rowKey,
  TableEngine,
  windowBounds,
  type Effects,
  type RowEvent,
} from './table-engine.js';

// P1 at the ring of the engine: after every transaction each member shows what the query answers.

const INT = { kind: 'int' } as const;
const TEXT = { kind: 'text', ordered: true } as const;
/** Columns: id, project, rank, title. */
const COLUMNS = [
  { name: 'id', type: INT },
  { name: 'project', type: INT },
  { name: 'rank', type: INT },
  { name: 'title', type: TEXT },
] as const;

function plan(where: Predicate, rest: Partial<TablePlan> = {}): TablePlan {
  const base = {
    kind: 'table',
    version: PLAN_VERSION,
    chunks: [],
    table: 1,
    columns: COLUMNS,
    project: [0, 3],
    order: [],
    key: [0],
    limit: null,
    offset: null,
  } as const;
  return { ...base, where, ...rest };
}

const byProject: Predicate = { op: 'eq', left: { column: 1 }, right: { param: 0 }, type: INT };
const anyProject: Predicate = { op: 'any', left: { column: 1 }, array: 0, type: INT };
const ranked: Predicate = {
  op: 'or',
  args: [
    { op: 'gt', left: { column: 2 }, right: { param: 0 }, type: INT },
    { op: 'is_null', arg: { column: 3 } },
  ],
};
const byRank = [{ column: 2, descending: true, nullsFirst: true }];

const cases: { name: string; plan: TablePlan; binding: (n: number) => Binding }[] = [
  { name: 'filter', plan: plan(byProject), binding: (n) => [String(n % 3)] },
  { name: 'any', plan: plan(anyProject), binding: (n) => [`{${n % 3},NULL,${(n + 1) % 4}}`] },
  { name: 'scan', plan: plan(ranked), binding: (n) => [String(n)] },
  { name: 'ordered', plan: plan(byProject, { order: byRank }), binding: (n) => [String(n % 3)] },
  {
    name: 'window',
    plan: plan(byProject, { order: byRank, limit: { param: 1 }, offset: { param: 2 } }),
    binding: (n) => [String(n % 3), String(n % 4), String(n % 3)],
  },
  {
    name: 'top',
    plan: plan({ op: 'true' }, { order: byRank, limit: { param: 0 } }),
    binding: (n) => [String(n + 1)],
  },
];

type Table = Map<string, readonly PgText[]>;

/** The query's whole answer before the cut, by the definition. */
function answer(p: TablePlan, table: Table, binding: Binding): (readonly PgText[])[] {
  const condition = compilePredicate(p.where, {});
  const prepared = prepareBinding(p.where, binding, {});
  const rows = [...table.values()].filter((row) => condition(row, prepared) === true);
  const compare = comparator(INT, {});
  rows.sort((a, b) => {
    for (const term of p.order) {
      const [x, y] = [a[term.column] ?? null, b[term.column] ?? null];
      if (x === y) continue;
      if (x === null || y === null) return (x === null) === term.nullsFirst ? -1 : 1;
      const order = compare(x, y);
      if (order !== 0) return term.descending ? -order : order;
    }
    return compare(a[0] ?? '', b[0] ?? '');
  });
  return rows;
}

function cut(p: TablePlan, rows: (readonly PgText[])[], binding: Binding): (readonly PgText[])[] {
  const bounds = windowBounds(p, binding);
  return bounds ? rows.slice(bounds.offset, bounds.offset + bounds.limit) : rows;
}

const value = fc.option(fc.integer({ min: 0, max: 4 }).map(String), { nil: null, freq: 6 });
const step = fc.oneof(
  {
    weight: 150,
    arbitrary: fc.record({
      kind: fc.constant('upsert' as const),
      id: fc.integer({ min: 1, max: 40 }),
      project: value,
      rank: value,
      title: value.map((text) => (text === null ? null : `${'long enough to be edited '.repeat(12)}${text}`)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('rekey' as const),
      id: fc.integer({ min: 1, max: 40 }),
      to: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('toast' as const),
      id: fc.integer({ min: 1, max: 40 }),
      project: value,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
);

/** Does the step to the table and tells what the stream would say. */
function perform(table: Table, one: typeof step extends fc.Arbitrary<infer S> ? S : never): RowEvent[] {
  if (one.kind === 'truncate') {
    table.clear();
    return ['truncate'];
  }
  const key = String(one.id);
  const old = table.get(key);
  if (one.kind === 'upsert') {
    const values = [key, one.project, one.rank, one.title];
    table.set(key, values);
    return [{ oldKey: old ? key : null, newKey: key, values }];
  }
  if (!old) return [];
  if (one.kind === 'delete') {
    table.delete(key);
    return [{ oldKey: key, newKey: null, values: [] }];
  }
  if (one.kind === 'rekey') {
    const to = String(one.to);
    if (table.has(to)) return [];
    table.delete(key);
    const values = [to, ...old.slice(1)];
    table.set(to, values);
    return [{ oldKey: key, newKey: to, values }];
  }
  const values = [key, one.project, old[2] ?? null, old[3] ?? null];
  table.set(key, values);
  return [{ oldKey: key, newKey: key, values: [key, one.project, old[2] ?? null, undefined] }];
}

function told(effects: Effects, member: Member): readonly EncodedOp[] | undefined {
  return effects.told.find(({ held }) => held === member)?.ops;
}

let edits = 0;
let stayed = 0;

/** What a client does with the operations (docs/protocol.md), told in either way. */
function applyOps(shown: [string, Row][], ops: readonly EncodedOp[], ordered: boolean): void {
  for (const encoded of ops) {
    const op = JSON.parse(editOp(encoded)) as Op;
    const at = shown.findIndex(([key]) => key === op[1]);
    if (op[0] === 'del') {
      if (at >= 0) shown.splice(at, 1);
      continue;
    }
    const row = op[0] === 'put' ? op[2] : editRow(shown[at]?.[1] ?? [], op[2]);
    if (op[0] === 'edit') {
      edits++;
      expect(JSON.parse(plainOp(encoded))).toEqual(['put', op[1], row, ...op.slice(3)]);
    }
    const after = op[3];
    if (after === undefined) {
      // In an order only what is there already needs no place.
      expect(ordered && at < 0).toBe(false);
      shown.splice(at < 0 ? shown.length : at, at < 0 ? 0 : 1, [op[1], row]);
      if (ordered) stayed++;
      continue;
    }
    expect(ordered).toBe(true);
    if (at >= 0) shown.splice(at, 1);
    const place = after === null ? 0 : shown.findIndex(([key]) => key === after) + 1;
    if (after !== null && place === 0) throw new Error(`no row ${after} to stand after`);
    shown.splice(place, 0, [op[1], row]);
  }
}

function shownRow({ keyJson, json }: Told): [string, Row] {
  return [JSON.parse(keyJson) as string, JSON.parse(json) as Row];
}

function fetched(engine: TableEngine, p: TablePlan, table: Table, binding: Binding): Member {
  const rows = answer(p, table, binding);
  const count = fetchCount(windowBounds(p, binding));
  return count === null || rows.length < count
    ? engine.add(binding, rows, true)
    : engine.add(binding, rows.slice(0, count), false);
}

test.each(cases)('what members show follows the table: $name', ({ plan: p, binding }) => {
  fc.assert(
    fc.property(
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 25 }),
      (transactions) => {
        const table: Table = new Map(
          Array.from({ length: 30 }, (_, i) => [
            String(i + 1),
            [String(i + 1), String(i % 3), String(i % 5), null],
          ]),
        );
        const engine = new MergingTableEngine(p, {});
        const watched = Array.from({ length: 6 }, (_, n) => {
          const second = new TableEngine(p, {});
          const member = fetched(second, p, table, binding(n));
          engine.absorb(second);
          const shown = member.shown().map(shownRow);
          return { binding: binding(n), member, shown };
        });
        for (const transaction of transactions) {
          const events = transaction.flatMap((one) => perform(table, one));
          const effects = engine.apply(events);
          for (const one of watched) {
            applyOps(one.shown, told(effects, one.member) ?? [], p.order.length > 0);
            if (hasOne(effects.missed, one.member)) {
              engine.remove(one.member);
              const second = new TableEngine(p, {});
              one.member = fetched(second, p, table, one.binding);
              engine.absorb(second);
              one.shown = one.member.shown().map(shownRow);
            }
            const expected = cut(p, answer(p, table, one.binding), one.binding).map((row) => [
              rowKey(p, row),
              p.project.map((column) => row[column] ?? null),
            ]);
            const sorted = (rows: unknown[]): unknown[] =>
              p.order.length > 0 ? rows : rows.map((r) => JSON.stringify(r)).sort();
            expect(sorted(one.shown)).toEqual(sorted(expected));
          }
        }
        const least = engine.heldRowCount * 200;
        expect(engine.heldBytes).toBeGreaterThanOrEqual(least);
        for (const one of watched) engine.remove(one.member);
        expect([engine.heldRowCount, engine.heldBytes]).toEqual([0, 0]);
      },
    ),
    { numRuns: 300 },
  );
});

test('some of it was told by edits, and some in an order without a place', () => {
  expect(edits).toBeGreaterThan(100);
  expect(stayed).toBeGreaterThan(100);
});

test('a change costs the members it touches, not those there are (P7)', () => {
  const p = plan(byProject);
  const engine = new TableEngine(p, {});
  for (let n = 0; n < 10_000; n++) engine.add([String(n)], [], true);
  const effects = engine.apply([{ oldKey: null, newKey: '1', values: ['1', '77', '0', null] }]);
  expect(effects.told.length).toBe(1);
  expect(engine.heldRowCount).toBe(1);
});

test('C10: what a transaction does in between is neither seen nor missed', () => {
  const engine = new TableEngine(plan(byProject), {});
  const rows = [
    ['1', '0', '1', 'a'],
    ['2', '0', '2', 'b'],
  ];
  const member = engine.add(['0'], rows, true);
  const row = (id: string, project: string, title: string | undefined): (string | undefined)[] => [
    id,
    project,
    '1',
    title,
  ];
  const effects = engine.apply([
    // Keys 1 and 2 change places by way of 3; a row comes and goes; one leaves, loses a value, and comes back.
    { oldKey: '1', newKey: '3', values: row('3', '0', 'a') },
    { oldKey: '2', newKey: '1', values: row('1', '0', 'b') },
    { oldKey: '3', newKey: '2', values: row('2', '0', 'a') },
    { oldKey: null, newKey: '8', values: row('8', '0', 'x') },
    { oldKey: '8', newKey: null, values: [] },
    { oldKey: '2', newKey: '2', values: row('2', '1', undefined) },
    { oldKey: '2', newKey: '2', values: row('2', '0', undefined) },
  ]);
  expect(effects.missed).toBeUndefined();
  expect(told(effects, member)).toEqual(['["put","1",["1","b"]]', '["put","2",["2","a"]]']);
});

test('C10: what was written before a TRUNCATE is gone with it', () => {
  const engine = new TableEngine(plan(byProject), {});
  const member = engine.add(['0'], [['1', '0', '1', 'a']], true);
  const effects = engine.apply([
    { oldKey: null, newKey: '2', values: ['2', '0', '1', 'before'] },
    { oldKey: '1', newKey: '1', values: ['1', '0', '1', 'changed'] },
    'truncate',
    { oldKey: null, newKey: '3', values: ['3', '0', '1', 'after'] },
  ]);
  expect(told(effects, member)).toEqual(['["del","1"]', '["put","3",["3","after"]]']);
  expect(engine.heldRowCount).toBe(1);
});

test('C11: what sorts behind the last known row of a window is not taken for the next', () => {
  const engine = new TableEngine(plan({ op: 'true' }, { order: byRank, limit: { param: 0 } }), {});
  const known = Array.from({ length: 11 }, (_, n) => [String(n), '0', String(20 - n), 'x']);
  const member = engine.add(['1'], known, false); // there are others, of ranks below 10
  const inserted = engine.apply([{ oldKey: null, newKey: '99', values: ['99', '0', '1', 'last'] }]);
  expect([told(inserted, member) ?? [], inserted.missed]).toEqual([[], undefined]);
  const gone = engine.apply(known.map(([id = '']) => ({ oldKey: id, newKey: null, values: [] })));
  expect(member.shown()).toEqual([]);
  expect(gone.missed).toBe(member);
});

test('what was told of a row stays what it was when the row changes again', () => {
  const long = (end: string): string => 'long enough to be edited '.repeat(20) + end;
  const engine = new TableEngine(plan(byProject, { order: byRank }), {});
  const rows = ['3', '2', '1'].map((rank) => [rank, '0', rank, long('a')]);
  const member = engine.add(['0'], rows, true);
  const change = (rank: string, title: string): readonly EncodedOp[] | undefined => {
    const values = ['1', '0', rank, title];
    return told(engine.apply([{ oldKey: '1', newKey: '1', values }]), member);
  };
  const moved = change('9', long('b'));
  const updated = change('9', long('c'));
  change('9', long('d'));
  const plain = (ops: readonly EncodedOp[] | undefined): unknown =>
    ops?.map((op) => JSON.parse(plainOp(op)) as Op);
  expect(plain(moved)).toEqual([['put', '1', ['1', long('b')], null]]);
  expect(plain(updated)).toEqual([['put', '1', ['1', long('c')]]]);
});

test('a row is told that has another text of the same print', () => {
  const texts = new Map<number, string>();
  const equal = (): readonly [string, string] => {
    for (let n = 0; ; n++) {
      const text = `title ${n}`;
      const print = printOf(JSON.stringify(['1', text]));
      const before = texts.get(print);
      if (before !== undefined) return [before, text];
      texts.set(print, text);
    }
  };
  const [before, after] = equal();
  const engine = new MergingTableEngine(plan(byProject), {});
  const member = engine.add(['0'], [['1', '0', '1', before]], true);
  const titled = (title: string): number | undefined =>
    told(engine.apply([{ oldKey: '1', newKey: '1', values: ['1', '0', '1', title] }]), member)?.length;
  expect([titled(before), titled(after), titled(after)]).toEqual([undefined, 1, undefined]);
});
