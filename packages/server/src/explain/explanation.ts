import type { Explanation } from '@sluice/core/explanation';
import type { TablePlan } from '@sluice/core/plan';
import type { BlockPlan, Gear, Planned, PlanParam } from '../planner/planned.js';
import type { PostgresPlan } from '../planner/postgres-plan.js';
import { rerunSql } from '../planner/rerun-sql.js';
import type { Registry, Table } from '../registry/registry.js';
import type { Run } from '../source/source.js';
import { blockTree } from './block-tree.js';
import { estimateOf } from './estimate.js';
import { indexFor, readTableFacts, type TableFacts } from './indexes.js';
import { lookupsOf } from './lookups.js';
import { remedyFor } from './remedies.js';
import { bareTable } from './table-name.js';
import { tablesToTally } from '../planner/blocks/tallied.js';
import { readSpellings, type Spellings } from './spellings.js';
import { tableTree } from './table-tree.js';

/** With the plan itself. Nothing in it is a value of anybody but the query's own. */
export interface ExplainedPlan extends Explanation {
  readonly plan:
    | TablePlan
    | (BlockPlan & { readonly tables: Readonly<Record<string, string>> })
    | { readonly sql: string };
}

/**
 * @param run as the service role: asks the catalog about indexes and names
 * @param expected see `Planner.estimate`
 */
export async function explain(
  planned: Planned,
  registry: Registry,
  run: Run,
  expected: PostgresPlan | null,
): Promise<ExplainedPlan> {
  const { gear, shape } = planned;
  const tables = planned.reads.flatMap((oid) => registry.tables.get(oid) ?? []);
  const facts = await readTableFacts(run, planned.reads);
  const spellings = await readSpellings(run, gear);
  const reason = gear.kind === 'rerun' ? gear.reason : null;
  const { lookups, hints } =
    gear.kind === 'rerun' ? { lookups: [], hints: [] } : lookupsOf(gear.plan, tables, facts);
  return {
    gear: gear.kind,
    reason,
    remedy: reason === null ? null : remedyFor(reason),
    template: planned.template,
    parameters: planned.paramTypes.map(({ name }) => name.replace(/^pg_catalog\./, '')),
    columns: shape.columns.map(({ name, type }) => ({ name, type })),
    reads: tables.map((table) => `${table.schema}.${table.name}`),
    readsAnything: planned.readsAnything,
    readsClock: planned.readsClock,
    key: keyOf(planned),
    ordered: shape.ordered,
    hints: [...hintsOf(planned, tables), ...hints],
    chunks: gear.kind === 'rerun' ? [] : gear.plan.chunks,
    lookups,
    tree: treeOf(planned, tables, facts, spellings),
    estimate: expected === null ? null : estimateOf(planned, expected, registry, facts),
    observed: null,
    plan: planOf(gear, tables),
  };
}

function treeOf(
  { gear, shape }: Planned,
  tables: readonly Table[],
  facts: TableFacts,
  spellings: Spellings,
): readonly string[] {
  if (gear.kind === 'rerun') return rerunSql(gear.sql).trim().split('\n');
  const { plan, params } = gear;
  const param = (index: number): string => paramName(params, index);
  const tableName = (oid: number): string => {
    const table = tables.find((one) => one.oid === oid);
    return table === undefined ? '?' : `${table.schema}.${table.name}`;
  };
  if (plan.kind === 'table') return tableTree(plan, tableName(plan.table), param);
  return blockTree(plan.block, {
    tableName,
    param,
    index: (table, columns) => indexFor(facts, table, columns)?.name ?? null,
    spellings,
    columns: shape.columns.map(({ name }) => name),
  });
}

/** A constant that was lifted shows as it was written; it is the query's own, and no secret. */
function paramName(params: readonly PlanParam[], index: number): string {
  const param = params[index];
  if (param === undefined) return '?';
  if (param.kind === 'param') return `$${param.index + 1}`;
  if (param.value === null) return 'NULL';
  if (param.type.oid === BOOLEAN) return param.value === 't' ? 'true' : 'false';
  return NUMBERS.has(param.type.oid) ? param.value : `'${param.value.replaceAll("'", "''")}'`;
}
const BOOLEAN = 16;
/** smallint, integer, bigint, numeric. */
const NUMBERS: ReadonlySet<number> = new Set([21, 23, 20, 1700]);

function planOf(gear: Gear, tables: readonly Table[]): ExplainedPlan['plan'] {
  if (gear.kind === 'rerun') return { sql: rerunSql(gear.sql) };
  if (gear.plan.kind === 'table') return gear.plan;
  return {
    ...gear.plan,
    tables: Object.fromEntries(tables.map(({ oid, schema, name }) => [String(oid), `${schema}.${name}`])),
  };
}

function keyOf({ gear, keyColumns, shape }: Planned): readonly string[] | null {
  if (gear.kind === 'incremental' && gear.plan.kind === 'table') {
    const { plan } = gear;
    return plan.key.map((column) => plan.columns[column]?.name ?? '?');
  }
  return keyColumns?.map((column) => shape.columns[column]?.name ?? '?') ?? null;
}

function hintsOf(planned: Planned, tables: readonly Table[]): readonly string[] {
  const hints: string[] = [];
  if (planned.readsClock)
    hints.push("It reads the clock: subscribe with a tick such as '1m', with which time moves.");
  if (planned.readsAnything) {
    hints.push('It is run again at every transaction: something in it cannot be looked into (C22).');
  }
  for (const { schema, name, replicaIdentity, identityColumns } of tables) {
    if (planned.gear.kind === 'incremental' && replicaIdentity !== 'full' && identityColumns === null) {
      hints.push(
        `ALTER TABLE ${bareTable({ schema, name })} REPLICA IDENTITY FULL would let deleted rows be told apart (C9).`,
      );
    }
  }
  return [...hints, ...tallyHints(planned, tables)];
}

/** Aggregates that hold rows because deletes and updates do not bring them. */
function tallyHints({ gear }: Planned, tables: readonly Table[]): readonly string[] {
  if (gear.kind === 'rerun' || gear.plan.kind === 'table') return [];
  const wanted = new Set(tablesToTally(gear.plan.block));
  return tables
    .filter(({ oid }) => wanted.has(oid))
    .map(({ schema, name, kind }) => {
      const which = `${schema}.${name}`;
      const where = kind === 'partitioned' ? `(each partition of ${which})` : which;
      return `It holds the rows of ${which} that it aggregates. With ALTER TABLE ${where} REPLICA IDENTITY FULL it would hold none of them; each update and delete then writes the whole old row to the WAL.`;
    });
}
