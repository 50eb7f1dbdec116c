import { ENTRY_BYTES, bytesOfRow } from '@sluice/core/engine/held-bytes';
import type { Estimate } from '@sluice/core/explanation';
import type { Block } from '@sluice/core/flow/plan';
import type { Planned } from '../planner/planned.js';
import type { PostgresPlan } from '../planner/postgres-plan.js';
import type { Registry } from '../registry/registry.js';
import type { TableFacts } from './indexes.js';

/** A row that is held has an entry by its identity, and one by what it is looked up by. */
const ENTRIES = 2;

/**
 * What one view may come to hold, for parameters of which nothing is known. Of tables these are the rows that Postgres
 * itself expects to read for the query; no more than there are, however often it would read them.
 */
export function estimateOf(
  { gear, shape }: Planned,
  plan: PostgresPlan,
  registry: Registry,
  facts: TableFacts,
): Estimate {
  const rows = plan.rows;
  const bytes = Math.round(rows * plan.width);
  const answer = rows * (bytesOfRow(shape.columns.length, plan.width) + ENTRY_BYTES);
  if (gear.kind === 'rerun' || gear.plan.kind === 'table')
    return { rows, bytes, heldRows: rows, heldBytes: Math.round(answer) };
  const columns = columnsOf(gear.plan.block);
  let [heldRows, heldBytes] = [0, answer];
  for (const [table, read] of readsOf(plan, registry, columns)) {
    const there = facts.rows.get(table) ?? Infinity;
    const own = Math.min(Math.ceil(read.rows), there);
    heldRows += own;
    heldBytes += own * (bytesOfRow(columns.get(table) ?? 0, read.width) + ENTRIES * ENTRY_BYTES);
  }
  return { rows, bytes, heldRows, heldBytes: Math.round(heldBytes) };
}

interface Read {
  rows: number;
  width: number;
}

/** Rows that are read of each table that is held, by oid, and the widest of them; a partition's are those of its root. */
function readsOf(
  plan: PostgresPlan,
  registry: Registry,
  held: ReadonlyMap<number, unknown>,
): ReadonlyMap<number, Read> {
  const tables = new Map([...registry.tables.values()].map((one) => [nameOf(one), one]));
  const reads = new Map<number, Read>();
  const walk = (step: PostgresPlan, times: number): void => {
    let table = step.table === null ? undefined : tables.get(nameOf(step.table));
    while (table !== undefined && !held.has(table.oid) && table.partitionOf !== null)
      table = registry.tables.get(table.partitionOf);
    const oid = table?.oid;
    if (oid !== undefined && held.has(oid)) {
      const read = reads.get(oid) ?? { rows: 0, width: 0 };
      reads.set(oid, { rows: read.rows + step.rows * times, width: Math.max(read.width, step.width) });
    }
    const outer = step.steps[0]?.plan.rows ?? 1;
    for (const { plan: below, each } of step.steps)
      walk(below, times * (each === 'once' ? 1 : Math.max(1, each === 'outer' ? outer : step.rows)));
  };
  walk(plan, 1);
  return reads;
}

function nameOf({ schema, name }: NonNullable<PostgresPlan['table']>): string {
  return JSON.stringify([schema, name]);
}

/** How many columns are held of each table. */
function columnsOf(block: Block, found: Map<number, number> = new Map()): ReadonlyMap<number, number> {
  for (const { of } of block.inputs)
    if (of.kind === 'block') columnsOf(of.block, found);
    else if (of.tallied !== true) found.set(of.table, Math.max(found.get(of.table) ?? 0, of.columns.length));
  return found;
}
