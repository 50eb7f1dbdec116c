import type { Block, ComputedList, ComputedRows } from '@sluice/core/flow/plan';
import { setFunctionWidth } from '@sluice/core/flow/set-functions';
import type { FunctionSource, Relation } from '../../analysis/query-tree.js';
import { FIRST_USER_OID } from '../../analysis/comparing.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import { Level, type Draft } from './level.js';
import type { Planning } from './planning.js';
import { NotABlock } from './reasons.js';

/** VALUES and functions in FROM. */
export type Computed = Relation & { readonly kind: 'values' | 'functions' };

/**
 * Puts rows in place that are made of parameters, and of columns of one relation before them.
 * @throws NotABlock, NotExpressible
 */
export function addComputed(
  relation: Computed,
  join: Draft['join'],
  level: Level,
  planning: Planning,
): number {
  const inner = new Level(level, level.numbers);
  const rows = rowsOf(relation, inner, planning);
  if (inner.drafts.length > 0) throw new NotABlock('from_subquery');
  const width = rows.lists.reduce((sum, list) => sum + list.width, rows.ordinality ? 1 : 0);
  const columns = Array.from({ length: width }, (_, column) => column);
  const block: Block = {
    inputs: [],
    rows,
    where: [],
    group: null,
    project: columns.map((column) => ({ op: 'column', column })),
    distinct: false,
    order: [],
    limit: null,
    offset: null,
    types: columns.map(() => ({ kind: 'opaque' })),
  };
  const of = { kind: 'block', block, columns: width } as const;
  return level.add({ join, on: [], of, demand: inner.demand() }, relation.id);
}

function rowsOf(relation: Computed, inner: Level, planning: Planning): ComputedRows {
  if (relation.kind === 'functions')
    return {
      lists: relation.functions.map((source) => listOf(source, inner, planning)),
      ordinality: relation.ordinality,
    };
  const rows = relation.rows.map((row) => row.map((value) => planning.expression(value, inner)));
  return { lists: [{ kind: 'values', width: relation.types.length, rows }], ordinality: false };
}

function listOf(
  { call, columnCount, definition }: FunctionSource,
  inner: Level,
  planning: Planning,
): ComputedList {
  const { facts } = planning;
  const fact = call.kind === 'call' ? facts.functions.get(call.fn) : undefined;
  if (definition !== null) throw new NotABlock('from_function', fact?.name ?? null);
  if (call.kind !== 'call' || !call.returnsSet) {
    const kind = facts.types.get(call.type.oid)?.kind;
    if (columnCount !== 1 || kind === 'c' || kind === 'p') throw new NotABlock('from_function', fact?.name);
    return { kind: 'values', width: 1, rows: [[planning.expression(call, inner)]] };
  }
  const isOwn = fact !== undefined && fact.oid < FIRST_USER_OID && fact.language === 'internal';
  if (!isOwn || call.variadic || setFunctionWidth(fact.source) !== columnCount)
    throw new NotABlock('from_function', fact?.name ?? null);
  return {
    kind: 'function',
    width: columnCount,
    fn: fact.source,
    args: call.args.map((arg) => planning.expression(arg, inner)),
    types: call.args.map(({ type }) => valueTypeOf(type.oid, type.collation, facts)),
  };
}
