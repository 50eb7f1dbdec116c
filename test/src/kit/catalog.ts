import type pg from 'pg';

/** Columns that change by themselves: statistics, freezing, hints. */
const VOLATILE = `
  relpages reltuples relallvisible relallfrozen relfrozenxid relminmxid relhasindex datfrozenxid
  datminmxid rolpassword xmin active active_pid restart_lsn confirmed_flush_lsn catalog_xmin
  safe_wal_size inactive_since wal_status
`
  .trim()
  .split(/\s+/);

/** Everything in which a database could have been changed, as rows of the catalog: more than a dump shows. */
const CATALOGS = `
  pg_class pg_attribute pg_attrdef pg_type pg_enum pg_proc pg_operator pg_namespace pg_constraint
  pg_index pg_inherits pg_trigger pg_event_trigger pg_rewrite pg_policy pg_publication
  pg_publication_rel pg_publication_namespace pg_subscription pg_extension pg_default_acl
  pg_description pg_seclabel pg_largeobject_metadata pg_foreign_server pg_roles pg_auth_members
  pg_db_role_setting pg_database pg_tablespace pg_replication_slots pg_replication_origin
  pg_file_settings
`
  .trim()
  .split(/\s+/);

/** The schema, roles, rights, settings, publications and slots of a database, to compare with another moment. */
export async function catalogOf(client: pg.Client): Promise<ReadonlyMap<string, readonly string[]>> {
  const there = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relname = ANY($1)`,
    [CATALOGS],
  );
  const catalog = new Map<string, readonly string[]>();
  for (const { name } of there.rows) {
    const { rows } = await client.query<{ row: string }>(
      `SELECT (to_jsonb(c) - $1::text[])::text AS row FROM ${name} c ORDER BY 1`,
      [VOLATILE],
    );
    catalog.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return catalog;
}

/** What is in one and not in the other. */
export function catalogDiff(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...before].flatMap(([name, rows]) => {
    const now = after.get(name) ?? [];
    return [
      ...rows.filter((row) => !now.includes(row)).map((row) => `${name} - ${row}`),
      ...now.filter((row) => !rows.includes(row)).map((row) => `${name} + ${row}`),
    ];
  });
}
