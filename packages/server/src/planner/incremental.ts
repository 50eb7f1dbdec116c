import { chunksOfTable } from '@sluice/core/chunks/chunks-of';
import { PLAN_VERSION, type Operand, type OrderTerm } from '@sluice/core/plan';
import type { Node, RangeVar, SelectStmt, SortBy } from 'libpg-query';
import type { Column, Registry, Table } from '../registry/registry.js';
import { FIRST_USER_OID } from '../analysis/comparing.js';
import { constantOf } from './expression.js';
import { Lifting } from './lifting.js';
import type { PlanFacts } from './plan-facts.js';
import { PlanColumns } from './plan-columns.js';
import type { IncrementalPlan } from './planned.js';
import { PredicateCompiler } from './predicate.js';
import { BeyondOneTable, NotIncremental } from './reasons.js';
import { baseTypeOf } from './types.js';
import { columnType, isOrdered, OID } from './value-types.js';

/**
 * The incremental gear: one table, columns, conditions, order and limit. Everything that is not certain to be
 * reproduced bit for bit is left to the re-run gear, with the reason.
 * @throws BeyondOneTable, NotIncremental where its table is none for any gear but the re-run one
 */
export function planIncremental(select: SelectStmt, facts: PlanFacts): IncrementalPlan {
  checkClauses(select, facts);
  const range = onlyTable(select);
  const table = theTable(facts, range);
  const key = orderedKeyOf(table, facts.registry);
  const columns = new PlanColumns(
    table,
    facts.registry,
    range.alias?.aliasname ?? table.name,
    range.alias ? null : table.schema,
  );
  const lifting = new Lifting(facts);
  const predicates = new PredicateCompiler(columns, lifting, facts);
  const outputs = outputsOf(select, columns);
  const project = outputs.map((output) => columns.use(output.column));
  const where =
    select.whereClause === undefined ? ({ op: 'true' } as const) : predicates.compile(select.whereClause);
  const order = (select.sortClause ?? []).map((node) => orderTerm(node, outputs, columns));
  const limit = limitOf(select.limitCount, lifting);
  const offset = limitOf(select.limitOffset, lifting);
  const keyIndexes = key.map((column) => columns.use(column, true));
  const plan = {
    kind: 'table',
    table: table.oid,
    columns: columns.columns,
    where,
    project,
    order,
    key: keyIndexes,
    limit,
    offset,
  } as const;
  return {
    kind: 'incremental',
    plan: { ...plan, version: PLAN_VERSION, chunks: chunksOfTable(plan) },
    params: lifting.params,
    fallback: null,
  };
}

function checkClauses(select: SelectStmt, facts: PlanFacts): void {
  if (facts.dataError) throw new BeyondOneTable();
  if (select.withClause !== undefined) throw new BeyondOneTable();
  if (select.op !== undefined && select.op !== 'SETOP_NONE') throw new BeyondOneTable();
  if (select.valuesLists !== undefined) throw new BeyondOneTable();
  if (select.distinctClause !== undefined) throw new BeyondOneTable();
  if (select.groupClause !== undefined || select.havingClause !== undefined) throw new BeyondOneTable();
  if (select.windowClause !== undefined) throw new BeyondOneTable();
  if (select.limitOption === 'LIMIT_OPTION_WITH_TIES') throw new BeyondOneTable();
  if (facts.dependencies.views.size > 0) throw new BeyondOneTable();
  if (facts.dependencies.aggregates.size > 0) throw new BeyondOneTable();
  if (facts.dependencies.userCode) throw new BeyondOneTable();
  if (facts.dependencies.readsClock) throw new BeyondOneTable();
}

function onlyTable(select: SelectStmt): RangeVar {
  const [item, ...more] = select.fromClause ?? [];
  if (item === undefined || more.length > 0 || !('RangeVar' in item)) throw new BeyondOneTable();
  if (item.RangeVar.alias?.colnames !== undefined) throw new BeyondOneTable();
  return item.RangeVar;
}

function theTable(facts: PlanFacts, range: RangeVar): Table {
  const [oid, ...more] = facts.dependencies.reads;
  const table = oid === undefined ? undefined : facts.registry.tables.get(oid);
  const isOnly = range.inh !== true;
  if (table === undefined) throw new BeyondOneTable();
  if (table.inheritedBy.length > 0 && !isOnly) throw new BeyondOneTable();
  if (more.length > table.inheritedBy.length) throw new BeyondOneTable();
  if (table.kind === 'partitioned' && isOnly) throw new BeyondOneTable();
  if (table.inheritedBy.length > 0) throw new BeyondOneTable();
  return table;
}

/** The key whose order settles what the query leaves open: in Postgres, where a window is read, and here. */
function orderedKeyOf(table: Table, registry: Registry): readonly Column[] {
  const key = keyOf(table, registry);
  for (const column of key) {
    const { kind } = columnType(registry, column);
    if (kind === 'opaque' || kind === 'float') throw new BeyondOneTable();
  }
  return key;
}

/** A unique key, all NOT NULL, that the replica identity holds; the primary key if it can be. */
export function keyOf(table: Table, registry: Registry): readonly Column[] {
  const keys = [table.primaryKey, ...table.uniqueKeys].filter((names) => names !== null);
  if (keys.length === 0) throw new NotIncremental('no_key', table.name);
  const carriers = table.kind === 'partitioned' ? leavesOf(table, registry) : [table];
  const held = keys.find((names) =>
    carriers.every((carrier) => names.every((name) => carrier.identityColumns?.includes(name) === true)),
  );
  if (held === undefined) throw new NotIncremental('no_identity', table.name);
  const columns = held.flatMap((name) => table.columns.filter((column) => column.name === name));
  for (const column of columns) {
    if (!isTold(registry, column.typeOid)) throw new NotIncremental('key_type', column.name);
    if (column.generated !== 'no') throw new NotIncremental('generated', column.name);
  }
  return columns;
}

/** Printed as the catalog or the locale has it, which may change while the value does not: `reg…`, money, and what holds them. */
const CHANGING: ReadonlySet<number> = new Set([
  24, 790, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191,
]);

/** Whether a value is known again by what Postgres prints for it. */
function isTold(registry: Registry, oid: number): boolean {
  const base = baseTypeOf(registry, oid);
  const type = registry.types.get(base);
  if (type?.kind === 'composite') return false;
  // A range of the application may be one of any of these.
  if ((type?.kind === 'range' || type?.kind === 'multirange') && base >= FIRST_USER_OID) return false;
  const element = type?.elementOid ?? null;
  return element === null ? !CHANGING.has(base) : isTold(registry, element);
}

function leavesOf(root: Table, registry: Registry): readonly Table[] {
  return [...registry.tables.values()]
    .filter((table) => table.partitionOf === root.oid)
    .flatMap((table) => (table.kind === 'partitioned' ? leavesOf(table, registry) : [table]));
}

interface Output {
  readonly name: string;
  readonly column: Column;
}

function outputsOf(select: SelectStmt, columns: PlanColumns): readonly Output[] {
  const outputs = (select.targetList ?? []).flatMap((node): readonly Output[] => {
    const target = 'ResTarget' in node ? node.ResTarget : {};
    if (target.val === undefined || !('ColumnRef' in target.val)) throw new BeyondOneTable();
    const names = columns.namesOf(target.val.ColumnRef);
    if (names === null) return columns.all().map((column) => ({ name: column.name, column }));
    const column = columns.resolve(target.val.ColumnRef);
    return [{ name: target.name ?? column.name, column }];
  });
  if (outputs.length === 0) throw new BeyondOneTable();
  return outputs;
}

/**
 * A bare name is an output column before it is a table's (Postgres manual, "ORDER BY Clause"); a number is an
 * output column's place.
 */
function orderTerm(node: Node, outputs: readonly Output[], columns: PlanColumns): OrderTerm {
  const sort: SortBy = 'SortBy' in node ? node.SortBy : {};
  if (sort.node === undefined || sort.sortby_dir === 'SORTBY_USING') throw new BeyondOneTable();
  const collate = 'CollateClause' in sort.node ? sort.node.CollateClause : null;
  const collateC =
    collate !== null && /"sval":"(C|POSIX|ucs_basic)"\}\}\]$/.test(JSON.stringify(collate.collname ?? []));
  if (collate !== null && !collateC) throw new BeyondOneTable();
  const column =
    collate?.arg === undefined ? sortColumn(sort.node, outputs, columns) : tableColumn(collate.arg, columns);
  const ordered = column.collationIsC || collateC;
  const index = columns.use(column, ordered);
  const type = columns.columns[index]?.type;
  if (type === undefined || !isOrdered(type)) throw new BeyondOneTable();
  const descending = sort.sortby_dir === 'SORTBY_DESC';
  const nullsFirst =
    sort.sortby_nulls === 'SORTBY_NULLS_FIRST' || (sort.sortby_nulls !== 'SORTBY_NULLS_LAST' && descending);
  return { column: index, descending, nullsFirst };
}

function sortColumn(node: Node, outputs: readonly Output[], columns: PlanColumns): Column {
  if ('A_Const' in node) {
    const constant = constantOf(node.A_Const);
    const output = constant.kind === 'number' ? outputs[Number(constant.text) - 1] : undefined;
    if (output === undefined) throw new BeyondOneTable();
    return output.column;
  }
  if (!('ColumnRef' in node)) throw new BeyondOneTable();
  const [name, ...more] = columns.namesOf(node.ColumnRef) ?? [];
  const output = more.length === 0 ? outputs.find((candidate) => candidate.name === name) : undefined;
  return output?.column ?? columns.resolve(node.ColumnRef);
}

/** Under COLLATE the name is part of an expression, and in expressions names are the table's. */
function tableColumn(node: Node, columns: PlanColumns): Column {
  if (!('ColumnRef' in node)) throw new BeyondOneTable();
  return columns.resolve(node.ColumnRef);
}

function limitOf(node: Node | undefined, lifting: Lifting): Operand | null {
  if (node === undefined) return null;
  if ('ParamRef' in node) return lifting.param((node.ParamRef.number ?? 0) - 1);
  if (!('A_Const' in node)) throw new BeyondOneTable();
  const constant = constantOf(node.A_Const);
  if (constant.kind === 'null') return null;
  if (constant.kind !== 'number' || !constant.whole || constant.text.startsWith('-'))
    throw new BeyondOneTable();
  return lifting.constant(constant.text, OID.int8);
}
