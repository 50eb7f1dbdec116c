import { must } from '@sluice/core/assert';
import type { Binding, TablePlan } from '@sluice/core/plan';
import type { PgText, Row } from '@sluice/core/value';
import { hydrateSql } from '../planner/hydrate-sql.js';
import type { ParamType, Planned } from '../planner/planned.js';
import { limitedSql, rerunBatchSql } from '../planner/rerun-sql.js';
import type { Table } from '../registry/registry.js';
import { ByteCount, TooManyBytes } from '../source/byte-count.js';
import type { Run } from '../source/source.js';
import { isTransient, viewsError } from './errors.js';
import type { ViewLimits } from './host-options.js';
import type { Hydration } from './table-gear.js';

/*
 * Runs what the planner wrote, for many bindings at once, inside a snapshot's transaction. An error of one binding
 * must not be that of the others (C17): then each runs on its own, back to a savepoint, which keeps the snapshot. No more
 * is read than shows that it is too much: one row beyond those that a view may hold, and so many bytes.
 */

/** The rows of each binding in the plan's columns; in the plan's order, at most `counts` of each. */
export async function hydrate(
  run: Run,
  plan: TablePlan,
  types: readonly ParamType[],
  table: Pick<Table, 'schema' | 'name' | 'kind'>,
  bindings: readonly Binding[],
  counts: readonly number[],
  bytesMax: number,
): Promise<Hydration> {
  return apart(run, bindings, async (some, from) => {
    const sql = hydrateSql(plan, table, types, some, counts.slice(from, from + some.length));
    const { rows } = await run(sql.text, sql.params, { bytes: new ByteCount(bytesMax) });
    return byOrdinal(rows, some.length, (row) => row.slice(1));
  });
}

/** A query's result for each binding, in its order. */
export async function runBatch(
  run: Run,
  planned: Planned,
  bindings: readonly Binding[],
  { rowsPerViewMax, bytesPerViewMax }: Pick<ViewLimits, 'rowsPerViewMax' | 'bytesPerViewMax'>,
): Promise<readonly Row[][]> {
  if (planned.gear.kind !== 'rerun') throw new Error('assertion failed: only re-run plans are run again');
  const { sql } = planned.gear;
  const most = rowsPerViewMax + 1;
  const bytes = new ByteCount(bytesPerViewMax);
  if (bindings.length === 1) return [(await run(limitedSql(sql, most), bindings[0], { bytes })).rows];
  const batch = rerunBatchSql(sql, planned.paramTypes, bindings, most);
  const { rows } = await run(batch.text, batch.params, { bytes });
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
    if (bindings.length === 1) return [{ error: asAnswer(error) }];
    const outcomes: OutcomeOf<T>[] = [];
    for (const [at, one] of bindings.entries()) outcomes.push(...(await apart(run, [one], work, from + at)));
    return outcomes;
  }
}

function asAnswer(error: unknown): unknown {
  return error instanceof TooManyBytes ? viewsError('result_too_large') : error;
}
