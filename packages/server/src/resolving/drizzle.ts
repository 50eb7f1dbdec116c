import type { Absent, ValueShape } from '@sluice/core/shape';
import { entityKinds, get, isEntity, isObject, tableColumns, tableName } from './drizzle-entity.js';
import { fieldValue, jsonFieldValue } from './drizzle-values.js';
import { fieldsOf, NO_WAY, type FieldPlan } from './field-plan.js';
import type { BuiltQuery, Fail } from './built-query.js';

/*
 * Drizzle's select builders and relational queries. What Drizzle does with a row when it runs a query itself
 * (drizzle-orm 0.45: `mapResultRow`, `mapRelationalRow`) is described here instead, so that clients can do it.
 */

interface Selected {
  readonly path: readonly string[];
  readonly field: unknown;
}

/** Whether a value is anything of Drizzle. */
export function isDrizzle(value: unknown): boolean {
  for (const _ of entityKinds(value)) return true;
  return false;
}

/** @throws what `fail` throws, when it is nothing that can be live */
export function drizzleQuery(value: unknown, fail: Fail): BuiltQuery {
  if (isEntity(value, 'PgRelationalQuery')) return relational(value, fail);
  if (isEntity(value, 'PgSelectQueryBuilder')) return select(value, fail);
  const kind = entityKinds(value).next().value ?? '';
  const remedy =
    REMEDIES[kind] ?? 'Return db.select()…, db.query.….findMany() or findFirst() of drizzle-orm/pg-core.';
  return fail(`${kind} of Drizzle is no query that can be live. ${remedy}`);
}

const REMEDIES: Readonly<Record<string, string>> = {
  PgCountBuilder: 'Return db.select({ count: count() }).from(table).',
  SQL: 'Return db.select({ … }).from(table), or rows({ sql, params }).',
  PgRaw: 'Return db.select({ … }).from(table), or rows({ sql, params }).',
};

function select(builder: unknown, fail: Fail): BuiltQuery {
  const selected = [...inOrder(get(builder, 'config', 'fields'), [])];
  const columns = selected.map(({ path, field }) => ({ path, value: fieldValue(field) }));
  const plan = { columns, absent: absentObjects(selected, get(builder, 'joinsNotNullableMap')) };
  return { ...textOf(call(builder, 'toSQL'), fail), fields: fieldsOf(plan, fail) };
}

/** As Drizzle numbers the columns of a selection: depth first. */
function* inOrder(fields: unknown, path: readonly string[]): Generator<Selected> {
  for (const [name, field] of Object.entries(isObject(fields) ? fields : {})) {
    const at = [...path, name];
    if (isColumn(field)) yield { path: at, field };
    else yield* inOrder(isEntity(field, 'Table') ? tableColumns(field) : field, at);
  }
}

function isColumn(field: unknown): boolean {
  return ['Column', 'SQL', 'SQL.Aliased', 'Subquery'].some((kind) => isEntity(field, kind));
}

/**
 * Which objects are null for a row that an outer join has filled up. Drizzle looks at the first column that stands in
 * the object: if all columns in it are of one table, which the join may leave out, its NULL means that nothing was
 * joined.
 */
function absentObjects(selected: readonly Selected[], notNull: unknown): readonly Absent[] {
  const objects = new Map<string, { readonly first: number; readonly tables: Set<unknown> }>();
  for (const [index, { path, field }] of selected.entries()) {
    const [name] = path;
    if (path.length !== 2 || name === undefined || !isEntity(field, 'Column')) continue;
    const object = objects.get(name) ?? { first: index, tables: new Set() };
    objects.set(name, object);
    object.tables.add(tableName(get(field, 'table')));
  }
  return [...objects].flatMap(([name, { first, tables }]) => {
    const [table] = tables;
    const optional = tables.size === 1 && get(notNull, String(table)) !== true;
    return optional ? [{ path: [name], columns: [first] }] : [];
  });
}

function relational(builder: unknown, fail: Fail): BuiltQuery {
  const built = call(builder, '_toSQL');
  const config = { tables: get(builder, 'schema'), table: get(builder, 'tableConfig') };
  const selection = list(get(built, 'query', 'selection'));
  const columns = selection.map((item): FieldPlan['columns'][number] => {
    const name = String(get(item, 'tsKey'));
    const value = get(item, 'isJson') === true ? nested(item, config, fail) : null;
    return { path: [name], value: value === null ? fieldValue(get(item, 'field')) : () => value };
  });
  return { ...textOf(get(built, 'builtQuery'), fail), fields: fieldsOf({ columns, absent: [] }, fail) };
}

interface TableConfig {
  readonly tables: unknown;
  readonly table: unknown;
}

/** The rows of a relation: lists in JSON, by position; of a to-one relation a single one, or null. */
function nested(item: unknown, { tables, table }: TableConfig, fail: Fail): ValueShape {
  const relation = get(table, 'relations', String(get(item, 'tsKey')));
  const inner = { tables, table: get(tables, String(get(item, 'relationTableTsKey'))) };
  const tuple = list(get(item, 'selection')).map((member): readonly [string, ValueShape] => {
    const name = String(get(member, 'tsKey'));
    if (get(member, 'isJson') === true) return [name, nested(member, inner, fail)];
    return [name, jsonFieldValue(get(member, 'field')) ?? fail(`column ${name} of a relation: ${NO_WAY}`)];
  });
  return isEntity(relation, 'One') ? { tuple } : { list: { tuple } };
}

function textOf(built: unknown, fail: Fail): { readonly sql: string; readonly params: readonly unknown[] } {
  const [sql, params] = [get(built, 'sql'), get(built, 'params')];
  if (typeof sql !== 'string' || !Array.isArray(params)) return fail('this version of Drizzle is not known');
  if (params.some((param) => isEntity(param, 'Placeholder'))) {
    return fail('placeholders are for prepared statements: use args');
  }
  return { sql, params };
}

function call(value: unknown, method: string): unknown {
  const found = get(value, method);
  return typeof found === 'function' ? (found.call(value) as unknown) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
