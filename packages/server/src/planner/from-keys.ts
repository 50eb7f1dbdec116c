import type { Alias, ColumnRef, Node, SelectStmt } from 'libpg-query';
import type { Registry, Table } from '../registry/registry.js';
import type { Description } from './session.js';

/*
 * What names the rows of a FROM, by the names in the query rather than by Postgres's description: that tells a
 * column's table, but not which of its occurrences.
 *
 *   FROM issue a JOIN issue b ON …, (SELECT id, name FROM app_user) u
 *        a: key (id)   b: key (id)   u: passes its key (id) on
 *
 * A row of the join is named by a key of every one of them together: two rows that agree in all keys are made of the
 * same rows. Under a left or right join too: a side that is missing is null as a whole, once for each row of the other.
 * (A full join of two that have one row each has two rows, and nothing that names them.)
 * Whatever is not plain (a function in FROM, a name that two of them expose, merged columns) gives no key.
 */

/** A relation in FROM: the columns that it exposes, and the sets of them that name its rows. */
interface Exposed {
  readonly alias: string;
  readonly columns: readonly (string | null)[];
  readonly keys: readonly (readonly number[])[];
  /** Of a table: which one, and the number of each column. */
  readonly table: { readonly oid: number; readonly numbers: readonly number[] } | null;
}

/** A column of the result, and where in FROM it comes from unchanged. */
export interface Output {
  readonly name: string | null;
  readonly from: { readonly item: Exposed; readonly column: number } | null;
}

/** The key of a subquery in FROM, by the places of its columns; null when none shows. */
export type KeyOf = (select: SelectStmt, outputs: readonly Output[]) => readonly number[] | null;

/** @returns the result's columns; null when their number cannot be told. */
export function outputsOf(select: SelectStmt, registry: Registry, keyOf: KeyOf): readonly Output[] | null {
  if (select.larg !== undefined) {
    const left = outputsOf(select.larg, registry, keyOf);
    return left?.map(({ name }) => ({ name, from: null })) ?? null;
  }
  if (select.valuesLists !== undefined) return null;
  const scope = scopeOf(select, registry, keyOf);
  const outputs: Output[] = [];
  for (const node of select.targetList ?? []) {
    if (!('ResTarget' in node)) return null;
    const { name, val } = node.ResTarget;
    const found = val === undefined ? null : target(val, name ?? null, scope);
    if (found === null) return null;
    outputs.push(...found);
  }
  return outputs;
}

/** The columns that name a row of the join; null when a relation of FROM has no key among them. */
export function keyOfJoin(
  select: SelectStmt,
  outputs: readonly Output[],
  registry: Registry,
  keyOf: KeyOf,
): readonly number[] | null {
  const items = scopeOf(select, registry, keyOf)?.items;
  if (items === undefined) return null;
  const key = new Set<number>();
  for (const item of items) {
    const places = item.keys
      .map((columns) => columns.map((column) => placeOf(outputs, item.alias, column)))
      .find((found) => found.every((place) => place >= 0));
    if (places === undefined) return null;
    for (const place of places) key.add(place);
  }
  return [...key].toSorted((a, b) => a - b);
}

/** Forgets where a column comes from when Postgres says otherwise. */
export function confirmed(
  outputs: readonly Output[],
  columns: Description['columns'],
): readonly Output[] | null {
  if (outputs.length !== columns.length) return null;
  return outputs.map((output, index) => {
    const table = output.from?.item.table;
    if (output.from === null || table === null || table === undefined) return output;
    const described = columns[index];
    const same =
      described?.tableOid === table.oid && described.columnNumber === table.numbers[output.from.column];
    return same ? output : { ...output, from: null };
  });
}

function placeOf(outputs: readonly Output[], alias: string, column: number): number {
  return outputs.findIndex(
    ({ from }) => from !== null && from.item.alias === alias && from.column === column,
  );
}

// ------------------------------------------------------------ FROM

interface Scope {
  readonly items: readonly Exposed[];
  /** USING or NATURAL: `*` is not simply all columns of all, and some have two homes. */
  readonly merged: boolean;
}

/** @returns null when something in FROM is of another kind, or the names of two are the same. */
function scopeOf(select: SelectStmt, registry: Registry, keyOf: KeyOf): Scope | null {
  // A name may be that of a common table expression.
  if (select.withClause !== undefined) return null;
  const items: Exposed[] = [];
  let merged = false;
  const collect = (node: Node): boolean => {
    if ('JoinExpr' in node) {
      const { larg, rarg, alias, usingClause, isNatural, jointype } = node.JoinExpr;
      if (jointype === 'JOIN_FULL') return false;
      merged ||= isNatural === true || (usingClause ?? []).length > 0;
      return (
        alias === undefined && larg !== undefined && rarg !== undefined && collect(larg) && collect(rarg)
      );
    }
    const item = exposed(node, registry, keyOf);
    if (item === null || items.some(({ alias }) => alias === item.alias)) return false;
    items.push(item);
    return true;
  };
  return (select.fromClause ?? []).every(collect) ? { items, merged } : null;
}

function exposed(node: Node, registry: Registry, keyOf: KeyOf): Exposed | null {
  if ('RangeVar' in node) {
    const { schemaname, relname = '', alias } = node.RangeVar;
    const table = tableNamed(registry, schemaname, relname);
    return table === null ? null : renamed(ofTable(table), alias, relname);
  }
  if (!('RangeSubselect' in node)) return null;
  const { subquery, alias } = node.RangeSubselect;
  if (subquery === undefined || alias === undefined || !('SelectStmt' in subquery)) return null;
  const outputs = outputsOf(subquery.SelectStmt, registry, keyOf);
  const key = outputs === null ? null : keyOf(subquery.SelectStmt, outputs);
  if (outputs === null || key === null) return null;
  return renamed({ columns: outputs.map(({ name }) => name), keys: [key], table: null }, alias, '');
}

function ofTable(table: Table): Omit<Exposed, 'alias'> {
  const columns = table.columns.map(({ name }) => name);
  return {
    columns,
    keys: [table.primaryKey, ...table.uniqueKeys].flatMap((names) =>
      names === null ? [] : [names.map((name) => columns.indexOf(name))],
    ),
    table: { oid: table.oid, numbers: table.columns.map(({ number }) => number) },
  };
}

/** Under its alias, whose list of names may rename the first columns. */
function renamed(item: Omit<Exposed, 'alias'>, alias: Alias | undefined, name: string): Exposed {
  const names = (alias?.colnames ?? []).map((node) => ('String' in node ? (node.String.sval ?? null) : null));
  const columns = item.columns.map((column, index) =>
    index < names.length ? (names[index] ?? null) : column,
  );
  return { ...item, columns, alias: alias?.aliasname ?? name };
}

/** A table whose rows are all its own, and whose name is that of no other. */
export function tableNamed(
  registry: Registry,
  schema: string | undefined,
  name: string | undefined,
): Table | null {
  const named = [...registry.tables.values()].filter(
    (table) => table.name === name && (schema === undefined || table.schema === schema),
  );
  const [table] = named;
  if (table === undefined || named.length > 1 || table.inheritedBy.length > 0) return null;
  return table.kind === 'table' || table.kind === 'partitioned' ? table : null;
}

// ------------------------------------------------------------ the list of results

function target(node: Node, name: string | null, scope: Scope | null): readonly Output[] | null {
  if (!('ColumnRef' in node)) return [{ name, from: null }];
  const path = pathOf(node.ColumnRef);
  if (path.at(-1) === STAR) return scope === null ? null : starred(path, scope);
  const column = String(path.at(-1) ?? '');
  return [{ name: name ?? column, from: scope === null ? null : resolved(path, scope) }];
}

const STAR = Symbol('*');

function pathOf({ fields = [] }: ColumnRef): readonly (string | typeof STAR)[] {
  return fields.map((field) => ('String' in field ? (field.String.sval ?? '') : STAR));
}

function starred(path: readonly (string | symbol)[], scope: Scope): readonly Output[] | null {
  const [alias, ...more] = path.slice(0, -1);
  if (more.length > 0 || (alias === undefined && scope.merged)) return null;
  const items = alias === undefined ? scope.items : scope.items.filter((item) => item.alias === alias);
  if (items.length === 0) return null;
  return items.flatMap((item) => item.columns.map((name, column) => ({ name, from: { item, column } })));
}

/** `alias.column`, or a column that one relation alone exposes. */
function resolved(path: readonly (string | symbol)[], scope: Scope): Output['from'] {
  const [first, second, ...more] = path;
  if (more.length > 0) return null;
  const [alias, name] = second === undefined ? [null, first] : [first, second];
  const found = scope.items
    .filter((item) => alias === null || item.alias === alias)
    .flatMap((item) =>
      item.columns.flatMap((column, index) => (column === name ? [{ item, column: index }] : [])),
    );
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : null;
}
