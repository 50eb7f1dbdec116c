import type { Binding } from '@sluice/core/plan';
import { must } from '@sluice/core/assert';
import { textArray } from './catalog-lookup.js';
import type { Parsed } from './parse.js';
import type { ParamType, RerunSql } from './planned.js';
import type { ParamLocation } from './references.js';

/**
 * A user's statement, run again. Its text is never rebuilt: it is cut where its parameters stand and put between
 * brackets, so it means what it meant. The line break before a closing bracket ends a trailing `-- comment`.
 *
 *   alone     SELECT * FROM (<text>) LIMIT most             parameters $1, $2, …
 *   batched   SELECT ord, rows…, n
 *             FROM (the bindings, one row each) CROSS JOIN LATERAL (SELECT *, row_number() … FROM (<text>) LIMIT most)
 *
 * The limit is what Postgres itself stops at when a result is larger than any that is wanted: it keeps the order of what
 * is between the brackets, and plans what is smaller as it would without.
 *
 * Batched, a parameter is a column of the row beside it. One thing a column cannot do: an aggregate over
 * parameters alone (`sum($1)`) would belong to the outer query; such a statement is repeated in a UNION ALL.
 */

/** Alias of the bindings; doubled underscores until the text does not contain it. */
const BINDINGS = 'sluice binding';

/** Cuts the statement at its parameters. Locations are byte offsets (libpg-query counts bytes). */
export function cutAtParams(
  { bytes, start: offset }: Pick<Parsed, 'bytes' | 'start'>,
  params: readonly ParamLocation[],
  lateral: boolean,
): RerunSql {
  const pieces: string[] = [];
  let from = 0;
  for (const param of params) {
    const start = param.start - offset;
    pieces.push(bytes.toString('utf8', from, start));
    from = start + tokenLength(bytes, start);
  }
  pieces.push(bytes.toString('utf8', from));
  return { pieces, refs: params.map((param) => param.index), lateral };
}

function tokenLength(bytes: Buffer, start: number): number {
  const match = /^\$\d+/.exec(bytes.toString('latin1', start, start + 12));
  return must(match, 'a parameter stands where the parser saw it')[0].length;
}

/** The statement alone, as it was written; its parameters are the binding's values in order. */
export function rerunSql(sql: RerunSql): string {
  return fill(sql, (index) => `$${index + 1}`);
}

/** The same, and no more of its rows than so many. */
export function limitedSql(sql: RerunSql, rowsMax: number): string {
  return `SELECT * FROM (\n${rerunSql(sql)}\n) AS "sluice query" LIMIT ${rowsMax}`;
}

/** A statement with its parameters, ready to run. */
export interface BuiltSql {
  readonly text: string;
  readonly params: readonly (string | null)[];
}

/**
 * The statement for many bindings at once. Result columns: the binding's number (from 1), the columns of the
 * statement, the row's number within its binding; ordered by both. No more than `rowsMax` rows of a binding.
 */
export function rerunBatchSql(
  sql: RerunSql,
  types: readonly ParamType[],
  bindings: readonly Binding[],
  rowsMax: number,
): BuiltSql {
  return sql.lateral ? lateralSql(sql, types, bindings, rowsMax) : unionSql(sql, types, bindings, rowsMax);
}

function lateralSql(
  sql: RerunSql,
  types: readonly ParamType[],
  bindings: readonly Binding[],
  rowsMax: number,
): BuiltSql {
  const alias = freshAlias(sql);
  const text = fill(sql, (index) => `"${alias}"."p${index + 1}"`);
  return {
    text: `SELECT "${alias}"."ord", "sluice rows".* FROM ${bindingsTable(types, 1)} AS "${alias}"
CROSS JOIN LATERAL (SELECT *, pg_catalog.row_number() OVER () AS "sluice n" FROM (
${text}
) AS "sluice query" LIMIT ${rowsMax}) AS "sluice rows" ORDER BY "${alias}"."ord", "sluice n"`,
    params: bindingsParams(types.length, bindings),
  };
}

function unionSql(
  sql: RerunSql,
  types: readonly ParamType[],
  bindings: readonly Binding[],
  rowsMax: number,
): BuiltSql {
  const arms = bindings.map((_, at) => {
    const text = fill(sql, (index) => `$${at * types.length + index + 1}`);
    return `(SELECT ${at + 1}::pg_catalog.int8 AS "ord", "sluice query".*, pg_catalog.row_number() OVER () AS "sluice n" FROM (
${text}
) AS "sluice query" LIMIT ${rowsMax})`;
  });
  return {
    text: `SELECT * FROM (${arms.join(' UNION ALL ')}) AS "sluice rows" ORDER BY "ord", "sluice n"`,
    params: bindings.flat(),
  };
}

/**
 * The bindings as a table: columns `p1`, `p2`, … of their types, and `ord` from 1. Every parameter travels as an
 * array of texts and is cast by its type's own input: `unnest` would flatten an array of arrays, and arrays of
 * some types (box) have a separator of their own. `first` is the number of the first statement parameter it uses.
 */
export function bindingsTable(types: readonly ParamType[], first: number): string {
  if (types.length === 0)
    return `(SELECT u."ord" FROM pg_catalog.unnest($${first}::pg_catalog.int8[]) AS u("ord"))`;
  const arrays = types.map((_, i) => `pg_catalog.unnest($${first + i}::pg_catalog.text[])`).join(', ');
  const names = types.map((_, i) => `"p${i + 1}"`).join(', ');
  const columns = types.map((type, i) => `u."p${i + 1}"::${type.name} AS "p${i + 1}"`).join(', ');
  return `(SELECT ${columns}, u."ord" FROM ROWS FROM (${arrays}) WITH ORDINALITY AS u(${names}, "ord"))`;
}

/** The values for `bindingsTable`. */
export function bindingsParams(count: number, bindings: readonly Binding[]): readonly string[] {
  if (count === 0) return [`{${bindings.map((_, i) => i + 1).join(',')}}`];
  return Array.from({ length: count }, (_, i) => textArray(bindings.map((binding) => binding[i] ?? null)));
}

function fill(sql: RerunSql, ref: (index: number) => string): string {
  let text = sql.pieces[0] ?? '';
  for (const [at, index] of sql.refs.entries()) text += ` ${ref(index)} ${sql.pieces[at + 1] ?? ''}`;
  return text;
}

function freshAlias(sql: RerunSql): string {
  let alias = BINDINGS;
  while (sql.pieces.some((piece) => piece.includes(alias))) alias += '_';
  return alias;
}
