import type { Expression } from '@sluice/core/expression';
import { expect, test } from 'vitest';
import type { Concern } from '../planner/planned.js';
import type { Change, Relation } from '../source/transaction.js';
import { ConcernedViews } from './concerned-views.js';

const relation: Relation = {
  oid: 1,
  schema: 'public',
  name: 't',
  replicaIdentity: 'full',
  columns: [{ name: 'a', typeOid: 23, typeModifier: -1, identity: true }],
};
const int = { oid: 23, name: 'pg_catalog.int4' };
const column: Expression = { op: 'column', column: 0 };
const param: Expression = { op: 'param', param: 0 };

/** Rows matter where the function says so of the column and the parameter. */
function concernOf(condition: Expression): Concern {
  const places = [{ keys: [], conditions: [condition] }];
  return {
    params: [{ kind: 'param', index: 0, type: int }],
    tables: [{ table: 1, columns: [{ name: 'a', typeOid: 23 }], places }],
  };
}
const concern = concernOf({ op: 'call', fn: 'int4gt', args: [column, param] });

function insert(value: string, into: Relation = relation): Change {
  return { kind: 'insert', relation: into, new: { length: 1, text: () => value } };
}

test('at its bound of evaluations any view is concerned', () => {
  const views = new ConcernedViews<{ readonly above: string }>(concern, [1], 100);
  for (let above = 0; above < 10; above++) views.add({ above: String(above) }, [String(above)]);
  const of = (count: number): unknown => {
    const changes = Array.from({ length: count }, () => insert('2'));
    return views.of(new Map([[1, { changes, unknown: false }]]));
  };
  expect(of(9)).toEqual(new Set([{ above: '0' }, { above: '1' }]));
  expect(of(10)).toBe('all');
});

test('columns of another name or type say nothing', () => {
  const views = new ConcernedViews<object>(concern, [1]);
  views.add({}, ['100']);
  const of = (column: Partial<Relation['columns'][number]>): unknown => {
    const columns = relation.columns.map((one) => ({ ...one, ...column }));
    return views.of(new Map([[1, { changes: [insert('2', { ...relation, columns })], unknown: false }]]));
  };
  expect(of({})).toEqual(new Set());
  expect(of({ name: 'b' })).toBe('all');
  expect(of({ typeOid: 20 })).toBe('all');
});

test('a value that cannot be evaluated concerns', () => {
  const divided: Expression = { op: 'call', fn: 'int4div', args: [column, param] };
  const views = new ConcernedViews<object>(
    concernOf({ op: 'call', fn: 'int4gt', args: [divided, param] }),
    [1],
  );
  const view = { by: 0 };
  views.add(view, ['0']);
  views.add({ by: 100 }, ['100']);
  expect(views.of(new Map([[1, { changes: [insert('2')], unknown: false }]]))).toEqual(new Set([view]));
});
