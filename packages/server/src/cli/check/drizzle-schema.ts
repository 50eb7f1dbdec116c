import type pg from 'pg';
import { get, isEntity, isObject, tableColumns, tableName } from '../../resolving/drizzle-entity.js';
import { warning, type Finding } from './finding.js';

/*
 * Does a Drizzle schema say of the tables what the catalog says? What a builder infers of its rows, and how clients
 * read them, comes from the schema alone: where it is wrong, so are they.
 */

interface DrizzleTable {
  /** As people write it: `shop.item`. */
  readonly label: string;
  readonly schema: string | null;
  readonly name: string;
  readonly columns: readonly DrizzleColumn[];
}

interface DrizzleColumn {
  /** The name in the database; where Drizzle derives it (`casing`), those that it may be. */
  readonly names: readonly string[];
  readonly type: string;
  readonly notNull: boolean;
}

interface CatalogColumn {
  readonly name: string;
  readonly type: string;
  readonly oid: number;
  readonly baseOid: number;
  readonly notNull: boolean;
}

interface Differences {
  readonly tables: string[];
  readonly columns: string[];
  readonly types: string[];
  readonly nulls: string[];
}

/** @param schema what a module exports: its tables are compared, everything else is left alone */
export async function drizzleFindings(client: pg.Client, schema: object): Promise<Finding[]> {
  const differences: Differences = { tables: [], columns: [], types: [], nulls: [] };
  for (const table of tablesOf(schema)) await compare(client, table, differences);
  const { tables, columns, types, nulls } = differences;
  return [
    ...(tables.length > 0 ? [warning('drizzle_tables_missing', tables.join(', '))] : []),
    ...(columns.length > 0 ? [warning('drizzle_columns_missing', columns.join(', '))] : []),
    ...(types.length > 0 ? [warning('drizzle_types_differ', types.join(', '))] : []),
    ...(nulls.length > 0 ? [warning('drizzle_nulls_differ', nulls.join(', '))] : []),
  ];
}

/** What `drizzle(…, { schema })` was given; empty when the database was made without, or is none of Drizzle's. */
export function schemaOf(db: object | undefined): object {
  const schema = isEntity(db, 'PgDatabase') ? get(get(db, '_'), 'fullSchema') : null;
  return isObject(schema) ? schema : {};
}

function tablesOf(schema: object): DrizzleTable[] {
  return Object.values(schema)
    .filter((value) => isEntity(value, 'PgTable'))
    .map((table: unknown) => {
      const name = String(tableName(table));
      const inSchema = get(table, Symbol.for('drizzle:Schema'));
      const schemaName = typeof inSchema === 'string' ? inSchema : null;
      const columns = Object.values(tableColumns(table)).filter(isObject).map(columnOf);
      return {
        label: schemaName === null ? name : `${schemaName}.${name}`,
        schema: schemaName,
        name,
        columns,
      };
    });
}

function columnOf(column: object): DrizzleColumn {
  const name = String(get(column, 'name'));
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const type: unknown = Reflect.apply(get(column, 'getSQLType') as () => unknown, column, []);
  return {
    names: get(column, 'keyAsName') === true ? [name, snake] : [name],
    type: SERIALS[String(type)] ?? String(type),
    notNull: get(column, 'notNull') === true,
  };
}

/** What these stand for. */
const SERIALS: Readonly<Record<string, string>> = {
  smallserial: 'smallint',
  serial: 'integer',
  bigserial: 'bigint',
};

async function compare(client: pg.Client, table: DrizzleTable, found: Differences): Promise<void> {
  const { rows } = await client.query<CatalogColumn>(COLUMNS, [table.schema, table.name]);
  if (rows.length === 0) {
    found.tables.push(table.label);
    return;
  }
  const catalog = new Map(rows.map((row) => [row.name, row]));
  for (const { names, type, notNull } of table.columns) {
    const column = names.map((name) => catalog.get(name)).find((one) => one !== undefined);
    const label = `${table.label}.${column?.name ?? names[0] ?? ''}`;
    if (column === undefined) {
      found.columns.push(label);
      continue;
    }
    const oid = await typeOid(client, type);
    if (oid !== column.oid && oid !== column.baseOid) {
      found.types.push(`${label} is ${column.type}, there ${type}`);
    }
    if (notNull !== column.notNull) {
      found.nulls.push(
        `${label} ${column.notNull ? 'is NOT NULL, there nullable' : 'may be NULL, there notNull()'}`,
      );
    }
  }
}

/** Postgres reads the name itself; null when it knows none such. */
async function typeOid(client: pg.Client, type: string): Promise<number | null> {
  const { rows } = await client.query<{ oid: number | null }>(
    'SELECT to_regtype($1)::oid::int8::int AS oid',
    [type.replace(/^(timestamp|time) \((\d)\)/, '$1($2)')],
  );
  return rows[0]?.oid ?? null;
}

/** Without a schema: the first table of that name on the search path. */
const COLUMNS = `
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
       a.atttypid::int8::int AS oid,
       (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END)::int8::int AS "baseOid"
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND a.attrelid = to_regclass(CASE WHEN $1::text IS NULL THEN '' ELSE quote_ident($1) || '.' END || quote_ident($2::text))
ORDER BY a.attnum`;
