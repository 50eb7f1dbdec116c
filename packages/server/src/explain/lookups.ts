import type { Lookup } from '@sluice/core/explanation';
import type { Block } from '@sluice/core/flow/plan';
import type { Operand, Predicate, TablePlan } from '@sluice/core/plan';
import type { BlockPlan } from '../planner/planned.js';
import type { Table } from '../registry/registry.js';
import { indexFor, type TableFacts } from './indexes.js';
import { bare, bareTable } from './table-name.js';

/** Below so many rows Postgres reads a table whole, and rightly. */
const SMALL_ROWS = 1_000;

export interface LookupAnalysis {
  readonly lookups: readonly Lookup[];
  readonly hints: readonly string[];
}

export function lookupsOf(
  plan: TablePlan | BlockPlan,
  tables: readonly Table[],
  facts: TableFacts,
): LookupAnalysis {
  const found = plan.kind === 'table' ? [ofTable(plan)] : ofBlock(plan.block);
  const lookups = new Map<string, Lookup>();
  const hints = new Set<string>();
  for (const { oid, columns } of found) {
    const table = tables.find((one) => one.oid === oid);
    if (table === undefined) continue;
    const index = indexFor(facts, oid, columns)?.name ?? null;
    const lookup = { table: `${table.schema}.${table.name}`, columns, index };
    lookups.set(JSON.stringify(lookup), lookup);
    if (index !== null || columns.length === 0 || (facts.rows.get(oid) ?? SMALL_ROWS) < SMALL_ROWS) continue;
    hints.add(
      `CREATE INDEX ON ${bareTable(table)} (${columns.map(bare).join(', ')}): its rows are looked up by that, and no index begins with it.`,
    );
  }
  return { lookups: [...lookups.values()], hints: [...hints] };
}

interface Found {
  readonly oid: number;
  readonly columns: readonly string[];
}

function ofBlock(block: Block): readonly Found[] {
  return block.inputs.flatMap(({ of, demand }) => {
    if (of.kind === 'block') return ofBlock(of.block);
    return [{ oid: of.table, columns: demand.pairs.flatMap(({ column }) => of.columns[column]?.name ?? []) }];
  });
}

function ofTable(plan: TablePlan): Found {
  const conjuncts = plan.where.op === 'and' ? plan.where.args : [plan.where];
  const columns = conjuncts.flatMap((one) => equated(one).flatMap((at) => plan.columns[at]?.name ?? []));
  return { oid: plan.table, columns: [...new Set(columns)] };
}

/** The column that a condition gives a value, or one of several. */
function equated(predicate: Predicate): readonly number[] {
  const column = (one: Operand): readonly number[] => ('column' in one ? [one.column] : []);
  if (predicate.op === 'any') return column(predicate.left);
  if (predicate.op !== 'eq') return [];
  const sides = [...column(predicate.left), ...column(predicate.right)];
  return sides.length === 1 ? sides : [];
}
