import type { FuncCall, Node, SelectStmt } from 'libpg-query';
import type { Registry, Table } from '../registry/registry.js';
import type { Dependencies } from './dependencies.js';
import { confirmed, keyOfJoin, outputsOf, tableNamed, type KeyOf } from './from-keys.js';
import type { Description } from './session.js';

type Functions = Pick<Dependencies, 'aggregates' | 'setFunctions'>;

/**
 * C16. Output columns in which no two rows agree, where the tree shows it; null otherwise. `views` verifies
 * uniqueness as it runs, so this is a hint that is right wherever it is given.
 */
export function keyColumnsOf(
  select: SelectStmt,
  columns: Description['columns'],
  registry: Registry,
  functions: Functions,
): readonly number[] | null {
  const subqueryKey: KeyOf = (inner, outputs) =>
    keyOf(inner, outputs.length, functions, () => keyOfJoin(inner, outputs, registry, subqueryKey));
  return keyOf(select, columns.length, functions, () => {
    const described = joinedKey(select.fromClause ?? [], columns, registry, functions);
    if (described !== null) return described;
    const outputs = confirmed(outputsOf(select, registry, subqueryKey) ?? [], columns);
    return outputs === null ? null : keyOfJoin(select, outputs, registry, subqueryKey);
  });
}

/** @param ofJoin the key of a select without grouping, duplicates or common table expressions. */
function keyOf(
  select: SelectStmt,
  count: number,
  functions: Functions,
  ofJoin: () => readonly number[] | null,
): readonly number[] | null {
  const targets = select.targetList ?? [];
  const all = Array.from({ length: count }, (_, index) => index);
  if (select.valuesLists !== undefined) return select.valuesLists.length === 1 ? [] : null;
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return select.all === true ? null : all;
  if (calls(targets, functions.setFunctions, true)) return null;
  if (select.distinctClause !== undefined)
    return select.distinctClause.every((node) => Object.keys(node).length === 0) ? all : null;
  if (select.groupClause !== undefined) return groupedKey(select);
  if (select.havingClause !== undefined || calls(targets, functions.aggregates, false)) return [];
  return select.withClause === undefined ? ofJoin() : null;
}

/** Every GROUP BY expression stands in the output; grouping sets repeat groups. */
function groupedKey(select: SelectStmt): readonly number[] | null {
  const targets = (select.targetList ?? []).map((node) => ('ResTarget' in node ? node.ResTarget : {}));
  if (targets.some((target) => JSON.stringify(target.val ?? null).includes('A_Star'))) return null;
  const key: number[] = [];
  for (const node of select.groupClause ?? []) {
    if ('GroupingSet' in node) return null;
    const place = placeOf(node, targets);
    if (place === null) return null;
    key.push(place);
  }
  return key;
}

function placeOf(
  node: Node,
  targets: readonly { readonly name?: string; readonly val?: Node }[],
): number | null {
  if ('A_Const' in node) {
    const ordinal = 'ival' in node.A_Const ? (node.A_Const.ival?.ival ?? 0) : 0;
    return ordinal >= 1 && ordinal <= targets.length ? ordinal - 1 : null;
  }
  const text = bare(node);
  const place = targets.findIndex((target) => target.val !== undefined && bare(target.val) === text);
  if (place >= 0) return place;
  const name = columnName(node);
  const aliased = targets.findIndex((target) => name !== null && target.name === name);
  return aliased >= 0 ? aliased : null;
}

/** The expression without the places where it stands. */
function bare(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value));
}

function columnName(node: Node): string | null {
  if (!('ColumnRef' in node)) return null;
  const [field, ...more] = node.ColumnRef.fields ?? [];
  return more.length === 0 && field !== undefined && 'String' in field ? (field.String.sval ?? null) : null;
}

/** A call of one of these functions, at this query level. Aggregates with OVER are window functions. */
function calls(node: unknown, names: ReadonlySet<string>, windows: boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => calls(item, names, windows));
  if (typeof node !== 'object' || node === null) return false;
  return Object.entries(node).some(([kind, inner]: [string, unknown]) => {
    if (kind === 'SubLink') return false;
    if (kind === 'FuncCall') {
      const call = inner as FuncCall;
      const last = call.funcname?.at(-1);
      const name = last !== undefined && 'String' in last ? (last.String.sval ?? '') : '';
      if (names.has(name) && (windows || call.over === undefined)) return true;
    }
    return calls(inner, names, windows);
  });
}

/**
 * Joins of base tables: a row is named by the keys of all of them, those that a LEFT JOIN extends with nulls too.
 * Subqueries of one row (the relations of a query builder: aggregates, `LIMIT 1`) add nothing to the name.
 */
function joinedKey(
  from: readonly Node[],
  columns: Description['columns'],
  registry: Registry,
  functions: Functions,
): readonly number[] | null {
  const tables: Table[] = [];
  if (from.length === 0) return [];
  for (const item of from)
    if (!isOneRow(item, functions) && !collectTables(item, registry, tables, functions)) return null;
  const key: number[] = [];
  const oids = new Set(tables.map((table) => table.oid));
  // The description names a column's table, not which of its occurrences: a self-join is ambiguous.
  if (oids.size !== tables.length) return null;
  for (const table of tables) {
    const found = [table.primaryKey, ...table.uniqueKeys]
      .filter((names) => names !== null)
      .map((names) => names.map((name) => outputOf(table, name, columns)))
      .find((places) => places.every((place) => place >= 0));
    if (found === undefined) return null;
    key.push(...found);
  }
  return key.toSorted((a, b) => a - b);
}

function outputOf(table: Table, name: string, columns: Description['columns']): number {
  const number = table.columns.find((column) => column.name === name)?.number;
  return columns.findIndex((column) => column.tableOid === table.oid && column.columnNumber === number);
}

/** Whether it gives at most one row for each row beside it. A limit that is a parameter is taken for 1: views verify. */
function isOneRow(node: Node, functions: Functions): boolean {
  if ('JoinExpr' in node) {
    const { larg, rarg, jointype } = node.JoinExpr;
    // A full join of two that have one row each has two.
    if (jointype === 'JOIN_FULL') return false;
    return [larg, rarg].every((side) => side !== undefined && isOneRow(side, functions));
  }
  if (!('RangeSubselect' in node)) return false;
  const { subquery } = node.RangeSubselect;
  return subquery !== undefined && 'SelectStmt' in subquery && givesOneRow(subquery.SelectStmt, functions);
}

function givesOneRow(select: SelectStmt, functions: Functions): boolean {
  if (select.valuesLists !== undefined || (select.op !== undefined && select.op !== 'SETOP_NONE'))
    return false;
  const { limitCount, fromClause = [], targetList = [] } = select;
  if (limitCount !== undefined && ('ParamRef' in limitCount || isOne(limitCount))) return true;
  if (calls(targetList, functions.setFunctions, true) || select.groupClause !== undefined) return false;
  if (calls(targetList, functions.aggregates, false)) return true;
  return fromClause.every((item) => isOneRow(item, functions));
}

function isOne(node: Node): boolean {
  return 'A_Const' in node && 'ival' in node.A_Const && node.A_Const.ival?.ival === 1;
}

function collectTables(node: Node, registry: Registry, tables: Table[], functions: Functions): boolean {
  if ('JoinExpr' in node) {
    const { larg, rarg, jointype } = node.JoinExpr;
    return [larg, rarg].every(
      (side) =>
        side !== undefined &&
        ((jointype !== 'JOIN_FULL' && isOneRow(side, functions)) ||
          collectTables(side, registry, tables, functions)),
    );
  }
  if (!('RangeVar' in node)) return false;
  const { schemaname, relname } = node.RangeVar;
  const table = tableNamed(registry, schemaname, relname);
  if (table === null) return false;
  tables.push(table);
  return true;
}
