import { assert } from '@sluice/core/assert';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import type { Expression } from '@sluice/core/expression';
import { whyNotReproduced } from '@sluice/core/expression/missing';
import type { Functions } from '@sluice/core/flow/compile';
import { collationsOf, TextOrders } from '@sluice/core/flow/text-orders';
import { PLAN_VERSION } from '@sluice/core/plan';
import type { Analysis } from '../../analysis/analyse.js';
import type { Query } from '../../analysis/query-tree.js';
import type { Registry, Table } from '../../registry/registry.js';
import { StaleColumns } from '../dependencies.js';
import { keyOf } from '../incremental.js';
import type { PlanFacts } from '../plan-facts.js';
import type { IncrementalPlan, RerunSql } from '../planned.js';
import { NotIncremental } from '../reasons.js';
import { baseTypeOf } from '../types.js';
import { columnType } from '../value-types.js';
import { NotABlock } from './reasons.js';
import type { PlannedTable } from './planning.js';
import { tallied } from './tallied.js';
import { toBlock } from './to-block.js';

type Analysed = Extract<Analysis, { kind: 'analysed' }>;

/**
 * The incremental gear for what is more than one table: the query as Postgres resolved it, as blocks within blocks.
 * @param fallback how it is run again where the engine cannot tell
 * @throws NotABlock, NotExpressible, NotIncremental with the reason for the re-run gear
 * @throws StaleColumns when Postgres analysed it under another schema than the registry's
 */
export function planBlocks(
  { query, facts: analysed }: Analysed,
  { description, dependencies, registry }: PlanFacts,
  ordered: boolean,
  fallback: RerunSql,
): IncrementalPlan {
  const types = query.columns.map(({ type }) => type.oid);
  if (types.includes(0)) throw new NotABlock('column_type');
  // A description names what a domain is made of.
  const described = description.columns.map(({ typeOid }) => baseTypeOf(registry, typeOid));
  if (JSON.stringify(types.map((oid) => baseTypeOf(registry, oid))) !== JSON.stringify(described))
    throw new StaleColumns('The query has other columns than a moment ago.');
  if (types.length === 0) throw new NotIncremental('no_columns');
  const tables = tablesOf(query);
  for (const oid of tables.keys())
    if (!dependencies.reads.has(oid))
      throw new StaleColumns('The query reads other tables than a moment ago.');
  for (const [oid, inherit] of tables) checkWhole(registry, oid, inherit);
  const plan = toBlock(query, analysed, (oid) => plannedTable(registry, oid), { textOrders: true });
  assert(ordered === plan.block.order.length > 0, 'a plan is ordered where its query is');
  const { visible, params } = plan;
  const block = tallied(plan.block, (oid) => tableNamed(registry, oid).hasWholeOldRows);
  checkReproduced(block, new TextOrders(collationsOf(block), { textsMax: 0 }).functions);
  const header = { version: PLAN_VERSION, chunks: chunksOfBlock(block) };
  return { kind: 'incremental', plan: { kind: 'blocks', ...header, block, visible }, params, fallback };
}

const SET_OPERATIONS: ReadonlySet<unknown> = new Set(['union', 'intersect', 'except']);

/** Every expression of a plan is one that the engine can evaluate. */
function checkReproduced(node: unknown, also: Functions): void {
  if (typeof node !== 'object' || node === null) return;
  if ('op' in node && !SET_OPERATIONS.has(node.op)) {
    const why = whyNotReproduced(node as Expression, also);
    if (why !== null) throw new NotABlock('not_reproduced', why);
    return;
  }
  for (const part of Object.values(node)) checkReproduced(part, also);
}

/** Tables by oid, and whether those that inherit from them are read as well. */
function tablesOf(query: Query): ReadonlyMap<number, boolean> {
  const tables = new Map<number, boolean>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('kind' in node && node.kind === 'table' && 'oid' in node && 'inherit' in node)
      tables.set(Number(node.oid), (tables.get(Number(node.oid)) ?? true) && node.inherit === true);
    for (const part of Object.values(node)) visit(part);
  };
  visit(query);
  return tables;
}

function tableNamed(registry: Registry, oid: number): Table {
  const table = registry.tables.get(oid);
  if (table === undefined) throw new StaleColumns('The query reads a table that is not known.');
  return table;
}

function checkWhole(registry: Registry, oid: number, inherit: boolean): void {
  const table = tableNamed(registry, oid);
  if (table.kind === 'partitioned' && !inherit) throw new NotIncremental('only');
  if (table.inheritedBy.length > 0) throw new NotIncremental('inheritance');
}

function plannedTable(registry: Registry, oid: number): PlannedTable {
  const table = tableNamed(registry, oid);
  return {
    key: keyOf(table, registry).map(({ number }) => number),
    column: (attnum) => {
      const column = table.columns.find(({ number }) => number === attnum);
      if (column === undefined) throw new StaleColumns('The query reads a column that is not known.');
      if (column.generated !== 'no') throw new NotIncremental('generated', column.name);
      return { name: column.name, type: columnType(registry, column) };
    },
  };
}
