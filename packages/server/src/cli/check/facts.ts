import type pg from 'pg';

/** What a database says of itself, to a role that may not do much. Plain data: the rules are in `findings.ts`. */
export interface Facts {
  readonly versionNum: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly standby: boolean;
  readonly database: string;
  readonly connectionsUsed: number;
  readonly sendersUsed: number;
  readonly role: RoleFacts;
  readonly clientRole: ClientRoleFacts | null;
  readonly publication: PublicationFacts | null;
  readonly tables: readonly TableFacts[];
  /** Those of the application: with tables or views in them. */
  readonly schemas: readonly string[];
  readonly slots: readonly SlotFacts[];
  readonly eventTrigger: boolean;
  /** On RDS and Aurora the right to replicate is membership in a role. */
  readonly rdsReplicationRole: boolean;
}

export interface RoleFacts {
  readonly name: string;
  readonly superuser: boolean;
  /** By attribute, or by membership in rds_replication. */
  readonly replication: boolean;
  readonly bypassRls: boolean;
  /** -1: none. */
  readonly connectionLimit: number;
  readonly mayCreate: boolean;
  /** TEMPORARY on the database: what it takes to have Postgres resolve a query. */
  readonly mayAnalyse: boolean;
}

export interface ClientRoleFacts {
  readonly name: string;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  /** The service role may SET ROLE to it. */
  readonly granted: boolean;
}

export interface PublicationFacts {
  readonly owner: string;
  /** The connected role may alter and drop it. */
  readonly owned: boolean;
  readonly allTables: boolean;
  readonly complete: boolean;
  readonly viaRoot: boolean;
}

/** A table, or a partitioned one with its leaves taken together. */
export interface TableFacts {
  readonly oid: number;
  /** Schema-qualified, quoted where needed. */
  readonly name: string;
  readonly schema: string;
  readonly kind: 'table' | 'partitioned' | 'foreign' | 'materialized';
  readonly unlogged: boolean;
  readonly rowSecurity: boolean;
  readonly identity: 'default' | 'nothing' | 'full' | 'index';
  readonly hasKey: boolean;
  /** The tables that need a replica identity and have none: itself, or leaves. */
  readonly withoutIdentity: readonly string[];
  readonly owner: string;
  readonly owned: boolean;
  readonly ownedByClientRole: boolean;
  readonly readable: boolean;
  readonly readableByClientRole: boolean;
  readonly published: boolean;
  /** A WHERE or a column list in the publication. */
  readonly filtered: boolean;
}

export interface SlotFacts {
  readonly name: string;
  readonly active: boolean;
  readonly temporary: boolean;
  readonly logical: boolean;
  readonly here: boolean;
  readonly walStatus: string | null;
  readonly retainedBytes: number | null;
}

export interface FactsOptions {
  readonly publication: string;
  readonly clientRole: string;
}

const SETTINGS = [
  'wal_level',
  'max_replication_slots',
  'max_wal_senders',
  'max_slot_wal_keep_size',
  'max_connections',
  'superuser_reserved_connections',
  'reserved_connections',
  'synchronous_standby_names',
  'synchronized_standby_slots',
  'rds.logical_replication',
];

/** Reads them in a few statements, none of which needs more than the right to connect. */
export async function readFacts(client: pg.Client, options: FactsOptions): Promise<Facts> {
  const server = await one<ServerRow>(client, SERVER);
  const settings = await client.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
    [SETTINGS],
  );
  const hasFilters = server.versionNum >= 150_000;
  const clientRole = await client.query<ClientRoleFacts>(
    CLIENT_ROLE.replace('MEMBERSHIP', server.versionNum >= 160_000 ? 'SET' : 'MEMBER'),
    [options.clientRole],
  );
  const publication = await client.query<PublicationFacts>(PUBLICATION, [options.publication]);
  const tables = await client.query<TableFacts>(
    TABLES.replace('FILTERED', hasFilters ? 'prqual IS NOT NULL OR prattrs IS NOT NULL' : 'false').replace(
      'MEMBERS',
      publication.rows.length > 0
        ? 'SELECT relid FROM pg_get_publication_tables($1)'
        : 'SELECT 0::oid AS relid WHERE $1 = $1',
    ),
    [options.publication, options.clientRole],
  );
  const slots = await client.query<SlotFacts>(SLOTS);
  return {
    ...server,
    settings: Object.fromEntries(settings.rows.map((row) => [row.name, row.setting])),
    role: await one<RoleFacts>(client, ROLE),
    clientRole: clientRole.rows[0] ?? null,
    publication: publication.rows[0] ?? null,
    tables: tables.rows,
    slots: slots.rows,
  };
}

async function one<T extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<T> {
  const row = (await client.query<T>(sql)).rows[0];
  if (row === undefined) throw new Error(`assertion failed: no row for ${sql}`);
  return row;
}

interface ServerRow {
  readonly versionNum: number;
  readonly standby: boolean;
  readonly database: string;
  readonly connectionsUsed: number;
  readonly sendersUsed: number;
  readonly eventTrigger: boolean;
  readonly rdsReplicationRole: boolean;
  readonly schemas: readonly string[];
}

/** What belongs to the application: not to Postgres, an extension or us. */
const OF_THE_APPLICATION = `
  n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'sluice')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

const SERVER = `
SELECT current_setting('server_version_num')::int AS "versionNum",
       pg_is_in_recovery() AS standby,
       current_database() AS database,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS "connectionsUsed",
       (SELECT count(*)::int FROM pg_stat_replication) AS "sendersUsed",
       EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'sluice_ddl' AND evtenabled <> 'D') AS "eventTrigger",
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication') AS "rdsReplicationRole",
       ARRAY(SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND ${OF_THE_APPLICATION}
             ORDER BY 1)::text[] AS schemas`;

const ROLE = `
SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS "bypassRls", rolconnlimit AS "connectionLimit",
       rolsuper OR rolreplication OR coalesce(
         (SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = 'rds_replication'), false) AS replication,
       has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
       has_database_privilege(current_database(), 'TEMPORARY') AS "mayAnalyse"
FROM pg_roles WHERE rolname = current_user`;

const CLIENT_ROLE = `
SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS "bypassRls",
       pg_has_role(oid, 'MEMBERSHIP') AS granted
FROM pg_roles WHERE rolname = $1`;

const PUBLICATION = `
SELECT pg_get_userbyid(pubowner) AS owner, pg_has_role(pubowner, 'USAGE') AS owned, puballtables AS "allTables",
       pubinsert AND pubupdate AND pubdelete AND pubtruncate AS complete, pubviaroot AS "viaRoot"
FROM pg_publication WHERE pubname = $1`;

/** Partitions are told by their root: published when every leaf is, filtered when any is. */
const TABLES = `
WITH member AS (MEMBERS),
filter AS (
  SELECT prrelid AS relid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
  WHERE p.pubname = $1 AND (FILTERED)),
client AS (SELECT oid FROM pg_roles WHERE rolname = $2),
leaf AS (
  SELECT coalesce(pg_partition_root(c.oid), c.oid) AS root, c.oid, c.relreplident,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS keyed,
         c.oid IN (SELECT relid FROM member) AS published,
         c.oid IN (SELECT relid FROM filter) AS filtered
  FROM pg_class c WHERE c.relkind = 'r')
SELECT c.oid::int8::float8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' ELSE 'materialized' END AS kind,
       c.relpersistence = 'u' AS unlogged, c.relrowsecurity AS "rowSecurity",
       CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' ELSE 'index' END AS identity,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS "hasKey",
       ARRAY(SELECT format('%I.%I', ln.nspname, lc.relname)
             FROM leaf JOIN pg_class lc ON lc.oid = leaf.oid JOIN pg_namespace ln ON ln.oid = lc.relnamespace
             WHERE leaf.root = c.oid AND (leaf.relreplident = 'n' OR leaf.relreplident = 'd' AND NOT leaf.keyed)
             ORDER BY 1)::text[] AS "withoutIdentity",
       pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS owned,
       coalesce(c.relowner = (SELECT oid FROM client), false) AS "ownedByClientRole",
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
       coalesce((SELECT has_schema_privilege(client.oid, n.oid, 'USAGE')
                    AND (has_table_privilege(client.oid, c.oid, 'SELECT')
                         OR has_any_column_privilege(client.oid, c.oid, 'SELECT')) FROM client), false)
         AS "readableByClientRole",
       CASE WHEN c.relkind = 'p' AND NOT EXISTS (SELECT FROM leaf WHERE leaf.root = c.oid)
            THEN EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                         WHERE p.pubname = $1 AND r.prrelid = c.oid)
            ELSE coalesce((SELECT bool_and(leaf.published OR c.oid IN (SELECT relid FROM member)) FROM leaf WHERE leaf.root = c.oid), false)
       END AS published,
       c.oid IN (SELECT relid FROM filter)
         OR coalesce((SELECT bool_or(leaf.filtered) FROM leaf WHERE leaf.root = c.oid), false) AS filtered
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND ${OF_THE_APPLICATION}
ORDER BY n.nspname, c.relname`;

const SLOTS = `
SELECT slot_name AS name, active, temporary, slot_type = 'logical' AS logical,
       coalesce(database = current_database(), false) AS here, wal_status AS "walStatus",
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
                       restart_lsn)::float8 AS "retainedBytes"
FROM pg_replication_slots ORDER BY slot_name`;
