import { isUsualList } from '../flow/lists.js';
import { partsOf as partsOfType } from '../engine/compare.js';
import type { Expression } from '../expression.js';
import { partsOf } from '../expression/parts.js';
import { isCount } from '../flow/accumulators.js';
import type { Aggregate, Block, ComputedRows, FrameBoundPlan, Grouping, Windows } from '../flow/plan.js';
import { callsOf } from '../flow/set-functions.js';
import { isTallied } from '../flow/tallied.js';
import { isUnionAll } from '../flow/union-all.js';
import type { PlanHeader, Predicate, TablePlan, ValueType } from '../plan.js';
import { CHUNKS } from './all.js';
import { CHUNK_NAMES, type Chunk, type ChunkName } from './chunk.js';

/** What a plan of one table needs beside the kernel. */
export function chunksOfTable({
  columns,
  where,
  order,
  key,
}: Omit<TablePlan, keyof PlanHeader>): readonly ChunkName[] {
  const needs = new Needs();
  for (const type of typesOf(where)) needs.type(type);
  for (const column of [...order.map((term) => term.column), ...key]) needs.type(columns[column]?.type);
  return needs.names();
}

/** What a plan of blocks needs beside the kernel. */
export function chunksOfBlock(block: Block): readonly ChunkName[] {
  const needs = new Needs();
  addBlock(needs, block);
  return needs.names();
}

/** The types that a condition compares in. */
function typesOf(predicate: Predicate): readonly ValueType[] {
  if ('args' in predicate) return predicate.args.flatMap(typesOf);
  if (predicate.op === 'not' || predicate.op === 'is') return typesOf(predicate.arg);
  return 'type' in predicate ? [predicate.type] : [];
}

/** Chunks by what they bring. */
const BY_FUNCTION = indexed('functions');
const BY_TYPE = indexed('types');
const BY_BUILDER = indexed('builders');
const BY_OPERATOR = indexed('operators');
const BY_ENGINE = indexed('engines');

function indexed(of: keyof Chunk): ReadonlyMap<string, ChunkName> {
  return new Map(
    CHUNK_NAMES.flatMap((name) => Object.keys(CHUNKS[name][of] ?? {}).map((brought) => [brought, name])),
  );
}

class Needs {
  readonly #names = new Set<ChunkName | undefined>();

  names(): readonly ChunkName[] {
    return CHUNK_NAMES.filter((name) => this.#names.has(name));
  }

  operator(name: keyof NonNullable<Chunk['operators']>): void {
    this.#names.add(BY_OPERATOR.get(name));
  }

  engine(name: keyof NonNullable<Chunk['engines']>): void {
    this.#names.add(BY_ENGINE.get(name));
  }

  builder(name: keyof NonNullable<Chunk['builders']>): void {
    this.#names.add(BY_BUILDER.get(name));
  }

  /** Of the kernel, or brought along by whoever runs the plan: no chunk. */
  fn(name: string): void {
    this.#names.add(BY_FUNCTION.get(name));
  }

  /** That values of a type are compared. */
  type(type: ValueType | undefined): void {
    if (type === undefined) return;
    this.#names.add(BY_TYPE.get(type.kind));
    for (const part of partsOfType(type)) this.type(part);
  }

  expression(expression: Expression): void {
    if ('fn' in expression) this.fn(expression.fn);
    if ('types' in expression) for (const type of expression.types ?? []) this.type(type);
    if (expression.op === 'array' || expression.op === 'row') this.builder(expression.op);
    if (expression.op !== 'array' && 'type' in expression) this.type(expression.type);
    for (const part of partsOf(expression)) this.expression(part);
  }

  expressions(list: readonly Expression[]): void {
    for (const one of list) this.expression(one);
  }
}

function addBlock(needs: Needs, block: Block): void {
  const typeOf = (column: number): ValueType | undefined => block.types[column];
  for (const { of, on, demand } of block.inputs) {
    needs.expressions(on);
    if (of.kind === 'block') addBlock(needs, of.block);
    else for (const { type } of demand.pairs) needs.type(type);
  }
  needs.expressions([...block.where, ...block.project]);
  if (block.group !== null) addGrouping(needs, block.group);
  if (block.windows !== undefined) addWindows(needs, block.windows);
  if (block.rows !== undefined) addRows(needs, block.rows);
  if (isTallied(block)) needs.engine('tally');
  if (block.sets !== undefined) needs.expressions(block.sets.arms.flat());
  const counts = block.sets !== undefined && !isUnionAll(block.sets.operation);
  if (counts) needs.operator('sets');
  if (counts || block.distinct) for (const type of block.types) needs.type(type);
  if (block.distinct) needs.operator('distinct');
  if (block.distinctOn !== undefined) needs.operator('distinctOn');
  for (const column of block.distinctOn ?? []) needs.type(typeOf(column));
  for (const { column } of block.order) needs.type(typeOf(column));
}

function addGrouping(needs: Needs, { keys, types, aggregates, having }: Grouping): void {
  needs.expressions([...keys, ...having]);
  for (const type of types) needs.type(type);
  for (const aggregate of aggregates) addAggregate(needs, aggregate);
}

function addAggregate(needs: Needs, { fn, args, types, distinct, order, filter, step }: Aggregate): void {
  needs.expressions([...args, ...[filter ?? [], step ?? []].flat()]);
  const isRarer = Object.hasOwn(CHUNKS.aggregates.operators?.folds ?? {}, fn);
  if (!isRarer && !isCount(fn)) {
    needs.operator('lists');
    if (!isUsualList(fn)) needs.operator('rarerLists');
  } else if (distinct) needs.operator('distinctFold');
  if (isRarer) needs.operator('folds');
  if (fn === 'array_agg') needs.builder('array');
  if (distinct || fn === 'min' || fn === 'max') for (const type of types) needs.type(type);
  for (const { expression, type } of order) {
    needs.expression(expression);
    needs.type(type);
  }
}

function addWindows(needs: Needs, { over }: Windows): void {
  needs.operator('windows');
  for (const { partition, order, frame, functions } of over) {
    for (const { expression, type } of [...partition, ...order]) {
      needs.expression(expression);
      needs.type(type);
    }
    addBound(needs, frame.start);
    addBound(needs, frame.end);
    for (const one of functions) {
      if (one.kind === 'function') needs.expressions(one.args);
      else addAggregate(needs, one.aggregate);
    }
  }
}

function addBound(needs: Needs, bound: FrameBoundPlan): void {
  if (!('offset' in bound)) return;
  needs.expression(bound.offset);
  if (bound.range === null) return;
  const { key, limit, type, offsetType } = bound.range;
  needs.expressions([key, limit]);
  needs.type(type);
  needs.type(offsetType);
}

function addRows(needs: Needs, { lists }: ComputedRows): void {
  needs.operator('rows');
  for (const list of lists) {
    if (list.kind === 'values') needs.expressions(list.rows.flat());
    else {
      needs.expressions(list.args);
      for (const fn of callsOf(list.fn)) needs.fn(fn);
    }
  }
}
