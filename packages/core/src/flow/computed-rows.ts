import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import type { Compile } from './compile.js';
import type { ComputedList, ComputedRows } from './plan.js';
import { setFunction } from './set-functions.js';

/** Rows that one call may make: a list that is longer is left to Postgres. */
export const COMPUTED_ROWS_MAX = 10_000;

type Rows = readonly (readonly PgText[])[];

/** @returns the flat rows for parameters @throws NotReproduced, PgError from either call */
export function compileRows(
  { lists, ordinality }: ComputedRows,
  compile: Compile,
): (params: readonly PgText[]) => Rows {
  const compiled = lists.map((list) => ({ width: list.width, make: compileList(list, compile) }));
  return (params) => {
    const made = compiled.map(({ width, make }) => ({ width, rows: make(params) }));
    const count = Math.max(...made.map(({ rows }) => rows.length));
    if (count > COMPUTED_ROWS_MAX) notReproduced(`a list of more than ${COMPUTED_ROWS_MAX} rows`);
    return Array.from({ length: count }, (_, at) => [
      ...made.flatMap(({ width, rows }) => rows[at] ?? Array.from({ length: width }, () => null)),
      ...(ordinality ? [String(at + 1)] : []),
    ]);
  };
}

function compileList(list: ComputedList, compile: Compile): (params: readonly PgText[]) => Rows {
  if (list.kind === 'values') {
    const rows = list.rows.map((row) => row.map(compile));
    return (params) => rows.map((row) => row.map((value) => value([], params)));
  }
  const args = list.args.map(compile);
  const call = setFunction(list.fn, compile, COMPUTED_ROWS_MAX);
  // All of those that are known are strict.
  return (params) => {
    const values = args.map((arg) => arg([], params));
    const present = values.filter((value) => value !== null);
    return present.length < values.length && !call.takesNull ? [] : call.rows(values);
  };
}
