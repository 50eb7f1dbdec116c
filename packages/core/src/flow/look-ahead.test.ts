import { expect, test } from 'vitest';
import { piecesOf } from '../chunks/all.js';
import { chunksOfBlock } from '../chunks/chunks-of.js';
import type { RowEvent } from '../engine/table-engine.js';
import { lookAhead } from './look-ahead.js';
import { MergingEngine } from './merging-engine.js';
import type { Block, Input } from './plan.js';

// Issues of a project with the labels that they have: a look ahead finds who is touched, and changes nothing.

const INT = { kind: 'int' } as const;
const [ISSUE, LABEL] = [1, 2];
const input = (table: number, parent: number | null, offset: number): Input => ({
  of: { kind: 'table', table, columns: ['id', 'of'].map((name) => ({ name, type: INT })), key: [0] },
  join: parent === null ? 'inner' : 'left',
  on: [],
  offset,
  width: 2,
  demand: { parent, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
});
const PLAN: Block = {
  inputs: [input(ISSUE, null, 0), input(LABEL, 0, 2)],
  where: [],
  group: null,
  project: [0, 2].map((column) => ({ op: 'column', column })),
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: [INT, INT],
};

/** Project `p` has the issue `10 p`, which has the labels `100 p` and `100 p + 1`. */
function begun(projects: readonly number[]): MergingEngine {
  const engine = new MergingEngine(PLAN, piecesOf(chunksOfBlock(PLAN)));
  for (const project of projects) engine.add([String(project)]);
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs()) {
    for (const need of needs) {
      const rows = Array.from(need.keys, ([key, [given]]) => {
        const ids = need.input === 0 ? [10 * Number(given)] : [10 * Number(given), 10 * Number(given) + 1];
        return [key, ids.map((id) => ({ key: String(id), values: [String(id), given ?? null] }))] as const;
      });
      engine.fill(need, new Map(rows));
    }
  }
  return engine;
}

const event = (id: string, of: string, old: string | null = id): RowEvent => ({
  oldKey: old,
  newKey: id,
  values: [id, of],
});

test('who is touched is found from a row of any input, one that comes among them, and nothing changes', () => {
  const engine = begun([1, 2, 3]);
  const found = (...transactions: readonly ReadonlyMap<number, readonly RowEvent[]>[]): string[] =>
    lookAhead(engine.root, transactions).map(({ params: [project] }) => project ?? '');
  const held = [engine.heldRowCount, engine.heldBytes];
  expect(found(new Map([[ISSUE, [event('10', '1')]]]), new Map([[ISSUE, [event('20', '2')]]]))).toEqual([
    '1',
    '2',
  ]);
  expect(found(new Map([[LABEL, [event('301', '30')]]]))).toEqual(['3']);
  expect(found(new Map([[LABEL, [event('999', '20', null)]]]))).toEqual(['2']);
  expect(found(new Map([[LABEL, [event('999', '77', null), 'truncate']]]))).toEqual([]);
  expect(found(new Map([[3, [event('1', '1')]]]), new Map())).toEqual([]);
  expect([engine.heldRowCount, engine.heldBytes]).toEqual(held);
  for (const member of engine.members()) expect([...member.rows()]).toHaveLength(2);
});
