import { must } from '@sluice/core/assert';
import type { Binding, TablePlan } from '@sluice/core/plan';
import type { PgText, Row } from '@sluice/core/value';
import { hydrateSql } from '../planner/hydrate-sql.js';
import type { ParamType, Planned } from '../planner/planned.js';
import { rerunBatchSql, rerunSql } from '../planner/rerun-sql.js';
import type { Table } from '../registry/registry.js';
import type { Run } from '../source/source.js';
import { isTransient } from './errors.js';
import type { Hydration } from './table-gear.js';

/*
 * Runs what the planner wrote, for many bindings at once, inside a snapshot's transaction. An error of one binding
 * must not be that of the others (C17): then each runs on its own, back to a savepoint, which keeps the snapshot.
 */

/** The rows of each binding in the plan's columns; in the plan's order, at most `counts` of each. */
export async function hydrate(
  run: Run,
  plan: TablePlan,
  types: readonly ParamType[],
  table: Pick<Table, 'schema' | 'name' | 'kind'>,
  bindings: readonly Binding[],
  counts: readonly number[],
): Promise<Hydration> {
  return apart(run, bindings, async (some, from) => {
    const sql = hydrateSql(plan, table, types, some, counts.slice(from, from + some.length));
    const { rows } = await run(sql.text, sql.params);
    return byOrdinal(rows, some.length, (row) => row.slice(1));
  });
}

/** A query's result for each binding, in its order. */
export async function runBatch(
  run: Run,
  planned: Planned,
  bindings: readonly Binding[],
): Promise<readonly Row[][]> {
  if (planned.gear.kind !== 'rerun') throw new Error('assertion failed: only re-run plans are run again');
  const { sql } = planned.gear;
  if (bindings.length === 1) return [(await run(rerunSql(sql), bindings[0])).rows];
  const batch = rerunBatchSql(sql, planned.paramTypes, bindings);
  const { rows } = await run(batch.text, batch.params);
  return byOrdinal(rows, bindings.length, (row) => row.slice(1, -1));
}

/** Sorts the rows of a batch by their binding's number, which counts from 1. */
function byOrdinal(rows: readonly PgText[][], count: number, cut: (row: PgText[]) => PgText[]): PgText[][][] {
  const results: PgText[][][] = Array.from({ length: count }, () => []);
  for (const row of rows)
    must(results[Number(row[0]) - 1], 'a row of a binding that was asked for').push(cut(row));
  return results;
}

export type OutcomeOf<T> = T | { readonly error: unknown };

/** Does the work for all bindings at once, and one by one when that fails. */
export async function apart<B, T>(
  run: Run,
  bindings: readonly B[],
  work: (some: readonly B[], from: number) => Promise<readonly T[]>,
  from = 0,
): Promise<OutcomeOf<T>[]> {
  await run('SAVEPOINT sluice_batch');
  try {
    const results = await work(bindings, from);
    await run('RELEASE SAVEPOINT sluice_batch');
    return [...results];
  } catch (error) {
    await run('ROLLBACK TO SAVEPOINT sluice_batch');
    if (isTransient(error)) throw error;
    if (bindings.length === 1) return [{ error }];
    const outcomes: OutcomeOf<T>[] = [];
    for (const [at, one] of bindings.entries()) outcomes.push(...(await apart(run, [one], work, from + at)));
    return outcomes;
  }
}
