import type pg from 'pg';

/** A table of a world, as the catalog has it. */
export interface WorldTable {
  readonly oid: number;
  readonly name: string;
  readonly columns: readonly WorldColumn[];
  /** Attribute numbers of a key that its replica identity holds; empty when there is none. */
  readonly key: readonly number[];
  readonly identityFull: boolean;
}

export interface WorldColumn {
  readonly name: string;
  readonly attnum: number;
  /** Its values may be stored apart, and then not be sent again. */
  readonly isLong: boolean;
}

const TABLES_SQL = `
  SELECT c.oid::int8, c.relname, c.relreplident, json_agg(json_build_object('name', a.attname, 'attnum', a.attnum, 'isLong', a.attlen = -1) ORDER BY a.attnum),
    (SELECT json_agg(k) FROM pg_index i, unnest(i.indkey) k WHERE i.indrelid = c.oid AND i.indisprimary)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' GROUP BY c.oid ORDER BY c.relname`;

export async function readTables(client: pg.Client, schema: string): Promise<readonly WorldTable[]> {
  const { rows } = await client.query<string[]>({ text: TABLES_SQL, values: [schema], rowMode: 'array' });
  return rows.map(([oid, name = '', identity, columns, key]) => ({
    oid: Number(oid),
    name,
    columns: JSON.parse(columns ?? '[]') as WorldColumn[],
    key: JSON.parse(key ?? '[]') as number[],
    identityFull: identity === 'f',
  }));
}
