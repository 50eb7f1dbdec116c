import { expect, test } from 'vitest';
import { ALL_PIECES } from '../chunks/all.js';
import { withFunctions } from '../chunks/chunk.js';
import type { Expression } from '../expression.js';
import type { Family } from '../expression/registry.js';
import type { ValueType } from '../plan.js';
import { MergingEngine } from './merging-engine.js';
import { VISITS_MAX } from './joining.js';
import type { Block, Input } from './plan.js';
import type { Row } from './row.js';

const INT: ValueType = { kind: 'int' };
const column = (at: number): Expression => ({ op: 'column', column: at });

/** Tables of two integers: an id, and that of the row that it hangs on. */
function input(at: number, table: number, join: Input['join'], on: readonly Expression[] = []): Input {
  return {
    of: { kind: 'table', table, columns: [], key: [0] },
    join,
    on,
    offset: 2 * at,
    width: 2,
    demand:
      at === 0
        ? { parent: null, pairs: [] }
        : { parent: 0, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
  };
}

function joined(inputs: readonly Input[]): Block {
  const project = inputs.map((_, at) => column(2 * at));
  const types = project.map(() => INT);
  return {
    inputs,
    where: [],
    group: null,
    project,
    distinct: false,
    order: [],
    limit: null,
    offset: null,
    types,
  };
}

const rows = (count: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ key: String(at), values: [String(at), '0'] }));

function started(
  plan: Block,
  functions: Family,
  tables: readonly (readonly Row[])[],
): { engine: MergingEngine; told: boolean } {
  const engine = new MergingEngine(plan, withFunctions(ALL_PIECES, functions));
  const member = engine.add([]);
  for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
    for (const need of needs) {
      const { of } = need.engine.block.inputs[need.input]?.input ?? {};
      const held = of?.kind === 'table' ? (tables[of.table] ?? []) : [];
      engine.fill(need, new Map([...need.keys.keys()].map((key) => [key, held])));
    }
  return { engine, told: engine.start(member) };
}

test('a row of a left join among many is followed alone', () => {
  let calls = 0;
  const { int4ge } = ALL_PIECES.functions;
  if (int4ge === undefined) throw new Error('assertion failed: integers are compared');
  const counted: Family = {
    int4ge: {
      ...int4ge,
      bind: (types, rules) => {
        const compare = int4ge.bind(types, rules);
        return (...args) => {
          calls++;
          return compare(...args);
        };
      },
    },
  };
  const isAny = (at: number): Expression => ({ op: 'call', fn: 'int4ge', args: [column(at), column(0)] });
  const plan = joined([
    input(0, 0, 'inner'),
    input(1, 1, 'left', [isAny(2)]),
    input(2, 2, 'left', [isAny(4)]),
  ]);
  const { engine } = started(plan, counted, [rows(1), rows(1_000), rows(10)]);
  const member = engine.member([]);
  expect(member?.size).toBe(10_000);
  calls = 0;
  const one = (oldKey: string | null, newKey: string | null): number => {
    const values = newKey === null ? [] : [newKey, '0'];
    const { changes } = engine.apply(new Map([[1, [{ oldKey, newKey, values }]]]));
    return member === undefined ? 0 : (changes.get(member)?.length ?? 0);
  };
  expect(one(null, '1000')).toBe(10);
  expect(one('1000', null)).toBe(10);
  // Its own condition, one other row's, and those of the ten that hang beside it: in two states, twice.
  expect(calls).toBeLessThan(60);
});

test('a join that looks at too many rows is left to Postgres', () => {
  const all = { parent: null, pairs: [] };
  const half = Math.ceil(Math.sqrt(VISITS_MAX));
  const plan = joined([input(0, 0, 'inner'), { ...input(1, 1, 'inner'), demand: all }]);
  const never: Block = { ...plan, where: [{ op: 'call', fn: 'int4lt', args: [column(2), column(1)] }] };
  expect(started(never, {}, [rows(half - 2), rows(half - 2)]).told).toBe(true);
  expect(started(never, {}, [rows(half + 2), rows(half + 2)]).told).toBe(false);
});

test('what its subqueries look at counts together', () => {
  const child = (how: Input['join']): Input => {
    const block = joined([{ ...input(0, 1, 'inner'), demand: { parent: null, pairs: [] } }]);
    const never: Block = { ...block, where: [{ op: 'call', fn: 'int4lt', args: [column(0), column(1)] }] };
    return {
      of: { kind: 'block', block: never },
      join: how,
      on: [],
      offset: 2,
      width: 1,
      demand: { parent: 0, pairs: [{ column: 0, parentColumn: 0, type: INT }] },
    };
  };
  const plan = joined([input(0, 0, 'inner'), child('exists')]);
  const half = Math.ceil(Math.sqrt(VISITS_MAX));
  expect(started(plan, {}, [rows(half - 2), rows(half - 2)]).told).toBe(true);
  expect(started(plan, {}, [rows(half + 2), rows(half + 2)]).told).toBe(false);
});
