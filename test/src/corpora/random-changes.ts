import pg from 'pg';
import type { Random } from '../kit/random.js';

// Writes to tables that are known by the catalog alone: rows are changed to what other rows hold, copied under a new
// key, and deleted. References are to rows that are there, as an application's would be.

interface Column {
  readonly name: string;
  readonly type: string;
  readonly inKey: boolean;
  readonly notNull: boolean;
  /** The table and column that it refers to. */
  readonly refers: readonly [string, string] | null;
}

interface WrittenTable {
  readonly name: string;
  readonly columns: readonly Column[];
}

const TABLES = `
  SELECT c.oid::regclass::text AS "table", quote_ident(a.attname) AS column, a.atttypid::regtype::text AS type,
    a.attnotnull AS not_null,
    coalesce(a.attnum = ANY (i.indkey), false) AS in_key,
    f.confrelid::regclass::text AS refers_table,
    (SELECT quote_ident(r.attname) FROM pg_attribute r
      WHERE r.attrelid = f.confrelid AND r.attnum = f.confkey[1]) AS refers_column
  FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    AND c.relnamespace::regnamespace::text !~ '^pg_'
  ORDER BY 1, a.attnum`;

/** The tables of a database that can be written to so. */
export async function writtenTables(client: pg.Client): Promise<readonly WrittenTable[]> {
  // All names with their schemas, and no operator but Postgres's own.
  await client.query('SET search_path = pg_catalog');
  const { rows } = await client.query<{
    readonly table: string;
    readonly column: string;
    readonly type: string;
    readonly not_null: boolean;
    readonly in_key: boolean;
    readonly refers_table: string | null;
    readonly refers_column: string | null;
  }>(TABLES);
  const tables = new Map<string, Column[]>();
  for (const row of rows) {
    const columns = tables.get(row.table) ?? [];
    tables.set(row.table, columns);
    if (columns.some(({ name }) => name === row.column)) continue; // refers to several
    columns.push({
      name: row.column,
      type: row.type,
      inKey: row.in_key,
      notNull: row.not_null,
      refers:
        row.refers_table === null || row.refers_column === null
          ? null
          : [row.refers_table, row.refers_column],
    });
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

/** One transaction of so many statements. One that the tables do not take is left out. @returns how many were done */
export async function changeAtRandom(
  client: pg.Client,
  tables: readonly WrittenTable[],
  random: Random,
  statements: number,
): Promise<number> {
  let done = 0;
  await client.query('BEGIN');
  await client.query('SELECT setseed($1)', [random.float()]);
  for (let left = statements; left > 0; left--) {
    await client.query('SAVEPOINT one');
    const isDone = await client.query(randomStatement(random.pick(tables), random)).then(
      ({ rowCount }) => (rowCount ?? 0) > 0,
      () => false,
    );
    if (isDone) done++;
    else await client.query('ROLLBACK TO one');
  }
  await client.query('COMMIT');
  return done;
}

function randomStatement(table: WrittenTable, random: Random): string {
  const kind = random.float();
  const some = `(tableoid, ctid) IN (SELECT tableoid, ctid FROM ${table.name} ORDER BY random() LIMIT ${random.between(1, 3)})`;
  if (kind < 0.12) return `DELETE FROM ${table.name} WHERE ${some}`;
  if (kind < 0.4) return copied(table, random.between(1, 3));
  const other = table.columns.filter(({ inKey }) => !inKey);
  const changed = random.pick(other.length === 0 || random.chance(0.03) ? table.columns : other);
  return `UPDATE ${table.name} SET ${changed.name} = ${newValue(table, changed, random)} WHERE ${some}`;
}

const NUMBERS: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'numeric']);

function newValue(table: WrittenTable, column: Column, random: Random): string {
  if (!column.notNull && random.chance(0.12)) return 'NULL';
  if (column.refers === null && NUMBERS.has(column.type) && random.chance(0.4))
    return `${column.name} + ${random.between(-2, 3)}`;
  return picked(table, column);
}

/** What some row has. */
function picked(table: WrittenTable, column: Column): string {
  const [from, name] = column.refers ?? [table.name, column.name];
  return `(SELECT ${name} FROM ${from} ORDER BY random() LIMIT 1)`;
}

/** Rows again, under other keys. */
function copied({ name, columns }: WrittenTable, count: number): string {
  const table = { name, columns };
  const keys = columns.filter(({ inKey }) => inKey);
  const values = columns.map((column) => {
    if (!column.inKey) return column.name;
    if (column.refers !== null || keys.length > 1) return picked(table, column);
    if (NUMBERS.has(column.type)) return `(SELECT max(${column.name}) FROM ${name}) + row_number() OVER ()`;
    return column.type === 'uuid' ? 'gen_random_uuid()' : `${column.name} || '+'`;
  });
  const names = columns.map((column) => column.name).join(', ');
  return `INSERT INTO ${name} (${names}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM (SELECT * FROM ${name} ORDER BY random() LIMIT ${count}) AS some
    ON CONFLICT DO NOTHING`;
}
