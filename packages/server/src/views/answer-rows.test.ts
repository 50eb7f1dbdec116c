import { editRow } from '@sluice/core/edit';
import { editOp, plainOp, type EncodedOp } from '@sluice/core/engine/held-row';
import type { RowEvent } from '@sluice/core/engine/table-engine';
import { ALL_PIECES } from '@sluice/core/chunks/all';
import { FlowEngine } from '@sluice/core/flow/flow-engine';
import type { Block } from '@sluice/core/flow/plan';
import type { Row, RowKey } from '@sluice/core/value';
import type { Op } from '@sluice/core/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerRows, type Telling } from './answer-rows.js';
import { areKeysSure } from './sure-keys.js';

// What a client makes of the operations is what the engine shows: with and without an order, in windows whose rows come
// and go, with ties, with columns that identify rows and then do not any more, for clients that know edits and others.

const INT = { kind: 'int' } as const;
const TEXT = { kind: 'text', ordered: true } as const;
/** `SELECT id, name, body … ORDER BY rank`: the last column is not seen. */
const block = (order: Block['order'], windowed: boolean): Block => ({
  inputs: [
    {
      of: { kind: 'table', table: 1, columns: [], key: [0] },
      join: 'inner',
      on: [],
      offset: 0,
      width: 4,
      demand: { parent: null, pairs: [] },
    },
  ],
  where: [],
  group: null,
  project: [0, 1, 2, 3].map((column) => ({ op: 'column', column })),
  distinct: false,
  order,
  limit: windowed ? 0 : null,
  offset: windowed ? 1 : null,
  types: [INT, TEXT, TEXT, INT],
});
const RANK = 3;

const LONG = 'lorem ipsum dolor sit amet '.repeat(10);
const write = fc.record({
  id: fc.integer({ min: 0, max: 7 }),
  gone: fc.boolean(),
  /** Now and then two rows agree in it. */
  name: fc.integer({ min: 0, max: 30 }),
  body: fc.constantFrom('a', 'b', `${LONG}a`, `${LONG}b`),
  rank: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 8 }),
});
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

/** Makes the writes of one transaction. @returns what the stream tells of them */
function written(rows: Set<string>, writes: readonly Write[]): RowEvent[] {
  return writes.flatMap(({ id, gone, name, body, rank }): RowEvent[] => {
    const key = String(id);
    const oldKey = rows.has(key) ? key : null;
    if (gone) return rows.delete(key) ? [{ oldKey, newKey: null, values: [] }] : [];
    rows.add(key);
    const values = [key, `name ${name}`, body, rank === null ? null : String(rank)];
    return [{ oldKey, newKey: key, values }];
  });
}

type Keyed = [RowKey, Row];

/** What a client holds after the operations. */
function applied(held: readonly Keyed[], ops: readonly string[], ordered: boolean): Keyed[] {
  const rows = [...held];
  for (const op of ops.map((text) => JSON.parse(text) as Op)) {
    const [kind, key] = op;
    const at = rows.findIndex(([known]) => known === key);
    if (kind === 'del') {
      expect(at).toBeGreaterThanOrEqual(0); // nothing is taken that is not there
      rows.splice(at, 1);
      continue;
    }
    const row = kind === 'put' ? op[2] : editRow(rows[at]?.[1] ?? [], op[2]);
    const after = op[3];
    expect(after === undefined).toBe(!ordered);
    if (after === undefined && at >= 0) rows[at] = [key, row];
    if (after === undefined && at >= 0) continue;
    if (at >= 0) rows.splice(at, 1);
    const previous = rows.findIndex(([known]) => known === after);
    expect(typeof after === 'string' && previous < 0).toBe(false); // behind a row that is there
    rows.splice(after === undefined ? rows.length : previous + 1, 0, [key, row]);
  }
  return rows;
}

const order = fc.option(
  fc.record({ column: fc.constant(RANK), descending: fc.boolean(), nullsFirst: fc.boolean() }),
);

test('what a client makes of the operations is what the engine shows', () => {
  const counts = { told: 0, edited: 0, renamed: 0 };
  const asks = fc.record({
    order,
    bounds: fc.option(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 2 }))),
    keyColumns: fc.constantFrom(null, [0], [1], [0, 1]),
  });
  fc.assert(
    fc.property(
      asks,
      fc.array(write, { maxLength: 8 }),
      fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      ({ order: term, bounds, keyColumns }, beginning, history) => {
        const rows = new Set<string>();
        const ordered = term !== null;
        const plan = block(ordered ? [term] : [], bounds !== null);
        const engine = new FlowEngine(plan, ALL_PIECES);
        const member = engine.add([...(bounds ?? []).map(String), 'own']);
        for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
          for (const need of needs) engine.fill(need, new Map());
        expect(engine.start(member)).toBe(true);
        engine.apply(new Map([[1, written(rows, beginning)]]));
        const telling: Telling = { visible: 3, ordered, keyColumns, sure: areKeysSure(plan, keyColumns) };
        const answer = new AnswerRows(member, telling);
        const shown = (): Keyed[] =>
          answer.shown().map(({ keyJson, json }) => [JSON.parse(keyJson) as RowKey, JSON.parse(json) as Row]);
        const wanted = (): Keyed[] => (ordered ? shown() : shown().toSorted(byKey));
        let [plain, editing] = [shown(), shown()];
        for (const writes of history) {
          const { changes, missed } = engine.apply(new Map([[1, written(rows, writes)]]));
          expect(missed.size).toBe(0);
          const ops: EncodedOp[] = answer.ops(changes.get(member) ?? []);
          const edits = ops.map(editOp);
          plain = applied(plain, ops.map(plainOp), ordered);
          editing = applied(editing, edits, ordered);
          const held = (own: Keyed[]): Keyed[] => (ordered ? own : own.toSorted(byKey));
          expect(held(plain)).toEqual(wanted());
          expect(held(editing)).toEqual(wanted());
          expect(new Set(plain.map(([key]) => key)).size).toBe(member.size);
          counts.told += ops.length;
          counts.edited += edits.filter((op) => op.startsWith('["edit"')).length;
          if (keyColumns?.[0] === 1 && keyColumns.length === 1)
            if (plain.some(([key, [, name]]) => key !== name)) counts.renamed++;
        }
        engine.remove(member);
        expect(engine.heldRowCount).toBe(0);
      },
    ),
    { numRuns: 1_500 },
  );
  expect(counts.told).toBeGreaterThan(4_500);
  expect(counts.edited).toBeGreaterThan(25);
  expect(counts.renamed).toBeGreaterThan(25);
});

function byKey([left]: Keyed, [right]: Keyed): number {
  return left < right ? -1 : 1;
}
