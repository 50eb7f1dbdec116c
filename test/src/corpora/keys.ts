import pg from 'pg';

const KEYLESS = `
  SELECT c.oid::regclass::text AS name,
    array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
    (SELECT array_agg(DISTINCT quote_ident(own.attname))
     FROM pg_partition_tree(c.oid) t JOIN pg_partitioned_table p ON p.partrelid = t.relid,
       unnest(p.partattrs) at JOIN pg_attribute own ON own.attnum = at
     WHERE own.attrelid = t.relid) AS parted
  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
    AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
  GROUP BY c.oid ORDER BY c.oid`;

interface Keyless {
  readonly name: string;
  readonly columns: readonly string[] | null;
  /** Columns by which it or its parts are partitioned, which a key must hold. */
  readonly parted: readonly string[] | null;
}

/** Of the first columns, those that together may be a key. */
const COLUMNS_TRIED = 4;

/**
 * Tables of tests seldom have a key, those of applications do: one over columns whose values are unique,
 * or where there are none a column more, of a name that no other table has.
 */
export async function giveKeys(
  client: pg.Client,
): Promise<{ readonly found: number; readonly added: number }> {
  // All names with their schemas, and no operator but Postgres's own.
  await client.query('SET search_path = pg_catalog');
  const { rows } = await client.query<Keyless>(KEYLESS);
  const counts = { found: 0, added: 0 };
  for (const [at, { name, columns, parted }] of rows.entries()) {
    const first = (columns ?? []).slice(0, COLUMNS_TRIED);
    const pairs = first.flatMap((one, here) => first.slice(here + 1).map((other) => `${one}, ${other}`));
    let isFound = false;
    for (const key of [...first, ...pairs]) {
      isFound = await isDone(client, `ALTER TABLE ${name} ADD PRIMARY KEY (${key})`);
      if (isFound) break;
    }
    if (isFound) counts.found++;
    else if (
      await isDone(
        client,
        `ALTER TABLE ${name} ADD COLUMN key_${at} bigserial, ADD PRIMARY KEY (${[...(parted ?? []), `key_${at}`].join(', ')})`,
      )
    )
      counts.added++;
  }
  return counts;
}

export function isDone(client: pg.Client, sql: string): Promise<boolean> {
  return client.query(sql).then(
    () => true,
    () => false,
  );
}
