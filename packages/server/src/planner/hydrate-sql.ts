import type { Operand, Predicate, TablePlan } from '@sluice/core/plan';
import { must } from '@sluice/core/assert';
import type { Binding } from '@sluice/core/plan';
import type { Table } from '../registry/registry.js';
import type { ParamType } from './planned.js';
import { bindingsParams, bindingsTable, type BuiltSql } from './rerun-sql.js';

/** Rows to fetch for one binding: offset + limit + margin; null for all. */
export type WindowRows = number | null;

/**
 * One statement that reads the rows of many bindings of a template:
 *
 *   SELECT b.ord, the plan's columns in order
 *   FROM the bindings AS b CROSS JOIN LATERAL (SELECT … FROM the table WHERE … ORDER BY … LIMIT b's window)
 *
 * Result columns: the binding's number (from 1), then one for each of `plan.columns`. Rows of one binding come in
 * the plan's order when it has windows; bindings without rows do not come.
 */
export function hydrateSql(
  plan: TablePlan,
  table: Pick<Table, 'schema' | 'name' | 'kind'>,
  types: readonly ParamType[],
  bindings: readonly Binding[],
  windows: readonly WindowRows[] | null,
): BuiltSql {
  const columns = plan.columns.map((column, i) => `t.${quote(column.name)} AS "c${i}"`).join(', ');
  const only = table.kind === 'partitioned' ? '' : 'ONLY ';
  const order = windows === null ? '' : `\nORDER BY ${orderSql(plan)} LIMIT "b"."window"`;
  const outer = windows === null ? '' : ` ORDER BY "b"."ord", "r"."n"`;
  const number = windows === null ? '' : `, pg_catalog.row_number() OVER (ORDER BY ${orderSql(plan)}) AS "n"`;
  const windowed = windows === null ? bindingsTable(types, 1) : windowedBindings(types);
  return {
    text: `SELECT "b"."ord", ${plan.columns.map((_, i) => `"r"."c${i}"`).join(', ')}
FROM ${windowed} AS "b" CROSS JOIN LATERAL (SELECT ${columns}${number}
FROM ${only}${quote(table.schema)}.${quote(table.name)} AS t
WHERE ${predicateSql(plan, plan.where)}${order}) AS "r"${outer}`,
    params: [
      ...bindingsParams(types.length, bindings),
      ...(windows === null ? [] : [`{${windows.map((rows) => rows ?? 'NULL').join(',')}}`]),
    ],
  };
}

/** Each binding beside the number of rows it wants. */
function windowedBindings(types: readonly ParamType[]): string {
  const last = Math.max(types.length, 1) + 1;
  return `(SELECT v.*, w."window" FROM ${bindingsTable(types, 1)} AS v JOIN ROWS FROM (pg_catalog.unnest($${last}::pg_catalog.int8[])) WITH ORDINALITY AS w("window", "at") ON w."at" OPERATOR(pg_catalog.=) v."ord")`;
}

/** The plan's order, then its key: a total order (C16). */
export function orderSql(plan: TablePlan): string {
  const terms = plan.order.map(
    (term) =>
      `${columnSql(plan, term.column)} ${term.descending ? 'DESC' : 'ASC'} NULLS ${term.nullsFirst ? 'FIRST' : 'LAST'}`,
  );
  return [...terms, ...plan.key.map((column) => columnSql(plan, column))].join(', ');
}

const OPERATORS = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;

/** A condition over the table `t` and the binding `b`; operators are Postgres's own whatever the search_path. */
export function predicateSql(plan: TablePlan, predicate: Predicate): string {
  switch (predicate.op) {
    case 'true':
      return 'true';
    case 'and':
    case 'or': {
      const args = predicate.args.map((arg) => `(${predicateSql(plan, arg)})`);
      return args.length === 0
        ? String(predicate.op === 'and')
        : args.join(predicate.op === 'and' ? ' AND ' : ' OR ');
    }
    case 'not':
      return `NOT (${predicateSql(plan, predicate.arg)})`;
    case 'distinct':
    case 'not_distinct': {
      const not = predicate.op === 'distinct' ? '' : 'NOT ';
      return `${operandSql(plan, predicate.left)} IS ${not}DISTINCT FROM ${operandSql(plan, predicate.right)}`;
    }
    case 'any':
      return `${operandSql(plan, predicate.left)} OPERATOR(pg_catalog.=) ANY ("b"."p${predicate.array + 1}")`;
    case 'all_ne':
      return `${operandSql(plan, predicate.left)} OPERATOR(pg_catalog.<>) ALL ("b"."p${predicate.array + 1}")`;
    case 'is_null':
      return `${operandSql(plan, predicate.arg)} IS NULL`;
    case 'is_not_null':
      return `${operandSql(plan, predicate.arg)} IS NOT NULL`;
    case 'bool':
      return operandSql(plan, predicate.arg);
    case 'is': {
      const value = predicate.value === null ? 'UNKNOWN' : predicate.value ? 'TRUE' : 'FALSE';
      return `(${predicateSql(plan, predicate.arg)}) IS ${predicate.negated ? 'NOT ' : ''}${value}`;
    }
    default:
      return `${operandSql(plan, predicate.left)} OPERATOR(pg_catalog.${OPERATORS[predicate.op]}) ${operandSql(plan, predicate.right)}`;
  }
}

function operandSql(plan: TablePlan, operand: Operand): string {
  return 'column' in operand ? columnSql(plan, operand.column) : `"b"."p${operand.param + 1}"`;
}

/** Text that is compared by bytes says so. */
function columnSql(plan: TablePlan, index: number): string {
  const column = must(plan.columns[index], 'a plan refers to its own columns');
  const name = `t.${quote(column.name)}`;
  return column.type.kind === 'text' && column.type.ordered ? `(${name} COLLATE "C")` : name;
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
