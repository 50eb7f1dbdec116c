import type { Run } from '../source/source.js';

/** An index that finds rows by its first columns; expressions are null. Neither partial nor invalid. */
export interface TableIndex {
  readonly table: number;
  readonly name: string;
  readonly columns: readonly (string | null)[];
}

/** What the catalog says of tables, as far as it tells how fast rows are found. */
export interface TableFacts {
  readonly indexes: readonly TableIndex[];
  /** How many rows statistics say that a table has; absent where nothing is known. */
  readonly rows: ReadonlyMap<number, number>;
}

const INDEXES_SQL = `
  SELECT i.indrelid::text, c.relname::text,
    (SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, n)
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num AND k.num > 0
     WHERE k.n <= i.indnkeyatts)::text
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = c.relam
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
  ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, c.relname COLLATE "C"`;

/** Partitions have rows of their own; their root has none, and statistics only where it was analysed. */
const ROWS_SQL = `
  SELECT oid::text, reltuples::int8::text FROM pg_catalog.pg_class
  WHERE oid = ANY ($1::oid[]) AND reltuples >= 0`;

export async function readTableFacts(run: Run, tables: readonly number[]): Promise<TableFacts> {
  const oids = [`{${tables.join(',')}}`];
  const indexes = await run(INDEXES_SQL, oids);
  const counts = await run(ROWS_SQL, oids);
  return {
    indexes: indexes.rows.map(([table, name, columns]) => ({
      table: Number(table),
      name: name ?? '',
      columns: JSON.parse(columns ?? '[]') as (string | null)[],
    })),
    rows: new Map(counts.rows.map(([oid, rows]) => [Number(oid), Number(rows)])),
  };
}

/** The index of which most first columns are among these; null when not even one is. */
export function indexFor(
  { indexes }: TableFacts,
  table: number,
  columns: readonly string[],
): TableIndex | null {
  let best: TableIndex | null = null;
  let bestLength = 0;
  for (const index of indexes) {
    if (index.table !== table) continue;
    const miss = index.columns.findIndex((column) => column === null || !columns.includes(column));
    const length = miss < 0 ? index.columns.length : miss;
    if (length > bestLength) [best, bestLength] = [index, length];
  }
  return best;
}
