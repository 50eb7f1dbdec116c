import { must } from '@sluice/core/assert';
import type { Demand, Source } from '@sluice/core/flow/plan';
import type { ValueType } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { Registry, Table } from '../../registry/registry.js';
import { quote } from '../hydrate-sql.js';
import type { ParamType } from '../planned.js';
import { bindingsParams, bindingsTable, type BuiltSql } from '../rerun-sql.js';
import { baseTypeOf } from '../types.js';

/**
 * One statement that reads the rows of a table that agree with any of many lists of values:
 *
 *   SELECT d.ord, the source's columns FROM the lists AS d JOIN the table AS t ON t.column = d.p1 AND …
 *
 * Result columns: the list's number (from 1), then the source's. `limit` bounds all of them together.
 */
export function demandSql(
  source: Source,
  demand: Demand,
  table: Pick<Table, 'schema' | 'name' | 'kind' | 'columns'>,
  registry: Registry,
  lists: readonly (readonly PgText[])[],
  limit: number,
): BuiltSql {
  const { from, params } = fromLists(source, demand, table, registry, lists);
  const columns = source.columns.map(({ name }) => `, t.${quote(name)}`).join('');
  return { text: `SELECT d."ord"${columns}\n${from}\nLIMIT ${limit}`, params };
}

function fromLists(
  source: Source,
  demand: Demand,
  table: Pick<Table, 'schema' | 'name' | 'kind' | 'columns'>,
  registry: Registry,
  lists: readonly (readonly PgText[])[],
): { readonly from: string; readonly params: BuiltSql['params'] } {
  const types = demand.pairs.map(({ column, type }) =>
    comparedType(type, must(source.columns[column], 'a column of the source').name, table, registry),
  );
  const only = table.kind === 'partitioned' ? '' : 'ONLY ';
  const on = demand.pairs.map(({ column }, at) => {
    const name = must(source.columns[column], 'a column of the source').name;
    return `t.${quote(name)} OPERATOR(pg_catalog.=) d."p${at + 1}"`;
  });
  return {
    from: `FROM ${bindingsTable(types, 1)} AS d JOIN ${only}${quote(table.schema)}.${quote(table.name)} AS t ON ${on.length === 0 ? 'true' : on.join(' AND ')}`,
    params: bindingsParams(types.length, lists),
  };
}

/**
 * The same of a source that is tallied: one row for each list and each image, and how many rows of the table have it.
 *
 *   SELECT d.ord, the source's columns, count(*) FROM … GROUP BY d.ord, the source's columns
 *
 * Images are texts: what is equal and prints differently, as 1.0 and 1.00, is apart.
 */
export function tallySql(
  source: Source,
  demand: Demand,
  table: Pick<Table, 'schema' | 'name' | 'kind' | 'columns'>,
  registry: Registry,
  lists: readonly (readonly PgText[])[],
  limit: number,
): BuiltSql {
  const { from, params } = fromLists(source, demand, table, registry, lists);
  const columns = source.columns.map(({ name, type }) => `, ${imageSql(`t.${quote(name)}`, type)}`);
  const by = ['d."ord"', ...columns.map((_, at) => String(at + 2))].join(', ');
  return {
    text: `SELECT d."ord"${columns.join('')}, count(*)
${from}
GROUP BY ${by}
LIMIT ${limit}`,
    params,
  };
}

/** A value by which exactly those rows are grouped that have the same text. */
function imageSql(column: string, { kind }: ValueType): string {
  if (BY_THEMSELVES.has(kind)) return column;
  if (kind === 'text') return `${column} COLLATE pg_catalog."C"`;
  // concat calls a type's own output function, as no cast to text does.
  return `CASE WHEN ${column} IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.concat(${column}) END COLLATE pg_catalog."C"`;
}

/** Types of which equal values have equal texts, and which GROUP BY takes. */
const BY_THEMSELVES: ReadonlySet<ValueType['kind']> = new Set([
  'bool',
  'int',
  'uuid',
  'bytea',
  'date',
  'timestamp',
  'timestamptz',
  'enum',
]);

/** By kind: the type that the values of the other side are read in. An integer may be of any width. */
const COMPARED: Readonly<Partial<Record<ValueType['kind'], string>>> = {
  int: 'int8',
  numeric: 'numeric',
  text: 'text',
  char: 'bpchar',
  bool: 'bool',
  uuid: 'uuid',
  bytea: 'bytea',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
};

function comparedType(
  type: ValueType,
  column: string,
  table: Pick<Table, 'columns'>,
  registry: Registry,
): ParamType {
  const known = COMPARED[type.kind];
  const own = must(
    table.columns.find(({ name }) => name === column),
    'a plan reads columns of its table',
  );
  const oid = baseTypeOf(registry, own.typeOid);
  if (known !== undefined) return { oid, name: `pg_catalog.${known}` };
  const named = registry.types.get(oid);
  if (named === undefined) return { oid, name: 'pg_catalog.oid' };
  return { oid, name: `${quote(named.schema)}.${quote(named.name)}` };
}
