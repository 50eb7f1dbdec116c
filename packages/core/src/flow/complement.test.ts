import { expect, test } from 'vitest';
import { piecesOf } from '../chunks/all.js';
import { chunksOfBlock } from '../chunks/chunks-of.js';
import type { RowEvent } from '../engine/table-engine.js';
import type { PgText } from '../value.js';
import { MergingEngine } from './merging-engine.js';
import type { FlowMember } from './member.js';
import type { Block, Input } from './plan.js';

// Members that wait, and an engine beside theirs that has what they miss: issues of a project with their comments, and
// who wrote them.

const INT = { kind: 'int' } as const;
const [ISSUE, COMMENT, PERSON] = [1, 2, 3];
const joined = (table: number, parent: number | null, column: number, parentColumn: number): Input => ({
  of: { kind: 'table', table, columns: ['id', 'of', 'by'].map((name) => ({ name, type: INT })), key: [0] },
  join: parent === null ? 'inner' : 'left',
  on: [],
  offset: parent === null ? 0 : 3 * (parent + 1),
  width: 3,
  demand: { parent, pairs: [{ column, parentColumn, type: INT }] },
});
const PLAN: Block = {
  inputs: [joined(ISSUE, null, 1, 0), joined(COMMENT, 0, 1, 0), joined(PERSON, 1, 0, 2)],
  where: [],
  group: null,
  project: [0, 3, 6].map((column) => ({ op: 'column', column })),
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: [INT, INT, INT],
};

type Tables = Readonly<Record<number, readonly (readonly [id: string, of: string, by: string])[]>>;
const TABLES: Tables = {
  [ISSUE]: [['1', '5', '0']],
  [COMMENT]: [['10', '1', '100']],
  [PERSON]: [
    ['100', '0', '0'],
    ['101', '0', '0'],
  ],
};

const made = (): MergingEngine => new MergingEngine(PLAN, piecesOf(chunksOfBlock(PLAN)));
const inserted = (table: number, ...values: readonly PgText[]): ReadonlyMap<number, RowEvent[]> =>
  new Map([[table, [{ oldKey: null, newKey: values[0] ?? '', values }]]]);
const emptied = (table: number): ReadonlyMap<number, RowEvent[]> => new Map([[table, ['truncate']]]);

/** Fills what is needed. @returns what was asked for, by input */
function fill(engine: MergingEngine, tables: Tables): string[] {
  const asked: string[] = [];
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs()) {
    for (const need of needs) {
      const { of, demand } = need.engine.block.inputs[need.input]?.input ?? {};
      const column = demand?.pairs[0]?.column ?? 0;
      const rows = new Map(
        Array.from(need.keys, ([key, [given]]) => {
          asked.push(`${need.input} of ${given}`);
          const own =
            tables[of?.kind === 'table' ? of.table : 0]?.filter((row) => row[column] === given) ?? [];
          return [key, own.map((values) => ({ key: values[0], values }))];
        }),
      );
      engine.fill(need, rows);
    }
  }
  return asked;
}

function begun(): { readonly engine: MergingEngine; readonly member: FlowMember } {
  const engine = made();
  const member = engine.add(['5']);
  fill(engine, TABLES);
  expect(engine.start(member)).toBe(true);
  return { engine, member };
}

function complementOf(engine: MergingEngine): MergingEngine {
  const missing = made();
  missing.complement(engine);
  return missing;
}

const shown = (member: FlowMember): string[] =>
  Array.from(member.rows(), ({ values }) => values.join()).toSorted();

test('what is not known is asked for, and what hangs on it and is not known either', () => {
  const { engine, member } = begun();
  expect(engine.apply(inserted(ISSUE, '2', '5', '0')).missed).toEqual(new Set([member]));
  expect([engine.has(member), member.started, engine.isWanting]).toEqual([true, false, true]);
  // It is followed while it waits.
  expect(engine.apply(inserted(COMMENT, '11', '1', '100')).missed).toEqual(new Set());
  const missing = complementOf(engine);
  const comments = [...(TABLES[COMMENT] ?? []), ['20', '2', '100'], ['21', '2', '101']] as const;
  expect(fill(missing, { ...TABLES, [COMMENT]: comments })).toEqual(['1 of 2', '2 of 101']);
  for (const one of [engine, missing]) one.apply(inserted(COMMENT, '22', '2', '100'));
  engine.learn(missing);
  expect(member.started).toBe(true);
  expect(shown(member)).toEqual(['1,10,100', '1,11,100', '2,20,100', '2,21,101', '2,22,100']);
  engine.remove(member);
  expect([engine.heldRowCount, engine.heldBytes]).toEqual([0, 0]);
});

test('what becomes unknown meanwhile is waited for', () => {
  const { engine, member } = begun();
  engine.apply(inserted(ISSUE, '2', '5', '0'));
  const missing = complementOf(engine);
  expect(fill(missing, TABLES)).toEqual(['1 of 2']);
  for (const one of [engine, missing]) one.apply(inserted(ISSUE, '3', '5', '0'));
  engine.learn(missing);
  expect([member.started, engine.isWanting]).toEqual([false, true]);
  const more = complementOf(engine);
  expect(fill(more, TABLES)).toEqual(['1 of 3']);
  engine.learn(more);
  expect(shown(member)).toEqual(['1,10,100', '2,,', '3,,']);
});

test('what was emptied is not learnt', () => {
  const { engine, member } = begun();
  engine.apply(inserted(ISSUE, '2', '5', '0'));
  const missing = complementOf(engine);
  fill(missing, { ...TABLES, [COMMENT]: [['20', '2', '100']] });
  for (const one of [engine, missing]) one.apply(emptied(COMMENT));
  expect(engine.has(member)).toBe(false);
  const other = engine.add(['5']);
  fill(engine, { ...TABLES, [COMMENT]: [] });
  expect(engine.start(other)).toBe(true);
  engine.apply(inserted(ISSUE, '2', '5', '0'));
  engine.learn(missing);
  expect(other.started).toBe(false);
  const now = complementOf(engine);
  fill(now, { ...TABLES, [COMMENT]: [] });
  engine.learn(now);
  expect(shown(other)).toEqual(['1,,', '2,,']);
});

test('C6: who misses has the answer of before, whatever else the transaction did', () => {
  const comment = (id: string, of: string, by: string): RowEvent => ({
    oldKey: id,
    newKey: id,
    values: [id, of, by],
  });
  const gone: RowEvent = { oldKey: '10', newKey: null, values: [] };
  const [issue] = inserted(ISSUE, '2', '5', '0').get(ISSUE) ?? [];
  const transactions: readonly ReadonlyMap<number, readonly RowEvent[]>[] = [
    // A person who is not known, by a row that stays under its key; and by one that comes beside one that goes.
    new Map([[COMMENT, [comment('10', '1', '101')]]]),
    new Map([
      [ISSUE, issue === undefined ? [] : [issue]],
      [COMMENT, [gone]],
    ]),
    new Map([
      [ISSUE, issue === undefined ? [] : [issue]],
      [COMMENT, [comment('10', '2', '100')]],
    ]),
    emptied(COMMENT),
  ];
  for (const events of transactions) {
    const { engine, member } = begun();
    let missed: ReadonlySet<FlowMember> = new Set();
    expect(() => ({ missed } = engine.apply(events))).not.toThrow();
    expect(missed).toEqual(new Set([member]));
    expect(() => shown(member)).not.toThrow();
    expect([shown(member), member.size]).toEqual([['1,10,100'], 1]);
    // What happens while it waits is not in it.
    engine.apply(inserted(COMMENT, '30', '1', '100'));
    expect([shown(member), member.size]).toEqual([['1,10,100'], 1]);
  }
});
