/**
 * What can stand between Sluice and a database, besides what the source says itself (`source/errors.ts`). The same
 * codes are the findings of `sluice check` and the errors of `sluice start`.
 */
export const CHECK_ERRORS = {
  server_too_old: {
    message:
      'This release of Postgres leaves changes out of the stream when tables are published under load.',
    hint: 'Upgrade to the latest minor release of a supported major (14 or later).',
    retry: false,
    stage: 'cli',
  },
  client_role_missing: {
    message: 'The client role does not exist.',
    hint: 'Let the owner run what `sluice check --print-grants` prints, or name an existing role with "role".',
    retry: false,
    stage: 'cli',
  },
  client_role_not_granted: {
    message: 'The service role may not become the client role.',
    hint: 'Let the owner run what `sluice check --print-grants` prints: GRANT client role TO service role.',
    retry: false,
    stage: 'cli',
  },
  client_role_too_strong: {
    message: 'The client role passes by row security.',
    hint: 'Use a role that is no superuser, has no BYPASSRLS and owns none of the tables.',
    retry: false,
    stage: 'cli',
  },
} as const;

/** What is worth knowing and stops nothing. */
export const CHECK_WARNINGS = {
  server_minor_old: {
    message:
      'This release of Postgres can break off or stall the stream, and shows too much of its statistics.',
    hint: 'Upgrade to the latest minor release; answers are right all the same.',
  },
  temporary_not_allowed: {
    message:
      'The service role may not create temporary objects: queries of more than one table are run again instead of being maintained.',
    hint: 'Let the owner run: GRANT TEMPORARY ON DATABASE … TO the service role.',
  },
  tables_not_published: {
    message: 'These tables are not in the publication: queries that read them are refused.',
    hint: 'Let the owner add them: ALTER PUBLICATION … ADD TABLE ….',
  },
  tables_not_readable: {
    message: 'The service role may not read these published tables: queries on them fail.',
    hint: 'Let the owner run: GRANT SELECT ON … TO the service role.',
  },
  tables_hidden_from_clients: {
    message: 'The client role may not read these published tables.',
    hint: 'GRANT SELECT on those that clients shall see.',
  },
  identity_missing: {
    message: 'UPDATE and DELETE fail on these published tables: they have no replica identity.',
    hint: 'Add a primary key, or: ALTER TABLE … REPLICA IDENTITY FULL.',
  },
  identity_full: {
    message: 'These tables have a key and REPLICA IDENTITY FULL: old rows are written to the WAL whole.',
    hint: 'Keep it where `sluice explain` asks for it; else ALTER TABLE … REPLICA IDENTITY DEFAULT saves WAL.',
  },
  row_security: {
    message: 'Queries on these tables are refused: they have row security enabled.',
    hint: 'Leave them out of live queries until permissions are supported.',
  },
  tables_unlogged: {
    message: 'These tables never replicate: they are unlogged. Queries that read them are refused.',
    hint: 'ALTER TABLE … SET LOGGED, if they shall be live.',
  },
  tables_not_streamed: {
    message:
      'Changes of foreign tables and materialised views are not in the WAL. Queries that read them are refused.',
    hint: 'Query the tables below them instead.',
  },
  role_too_strong: {
    message: 'The service role has more rights than it needs.',
    hint: 'Connect as a role that has only what `sluice check --print-grants` prints.',
  },
  role_owns_tables: {
    message: 'The service role owns tables: it could change them.',
    hint: 'Connect as a role that has only what `sluice check --print-grants` prints.',
  },
  pooler_found: {
    message: 'The connection goes through a pooler.',
    hint: 'That is fine for reads. The stream needs a direct connection: key "replication".',
  },
  slots_few: {
    message:
      'One replication slot or WAL sender is free: two servers cannot run at the same time, as in a rolling restart.',
    hint: 'Raise max_replication_slots and max_wal_senders.',
  },
  slot_left_over: {
    message: 'A slot of ours is held by nobody and keeps WAL.',
    hint: 'If no server will come back to it: `sluice drop`.',
  },
  slot_limit_missing: {
    message: 'max_slot_wal_keep_size is not set: a forgotten slot of anybody can fill the disk.',
    hint: 'Set it to what the disk can spare. Our own slot is given up at maxRetainedWalBytes in any case.',
  },
  connections_few: {
    message: 'We may use more connections than Postgres has left.',
    hint: 'Lower poolMax or raise max_connections.',
  },
  synchronous_standby: {
    message: 'Commits wait for a standby: the stream sees them before any SELECT does.',
    hint: 'Set "visible": true (--visible); on Postgres 17 and later also synchronized_standby_slots.',
  },
  drizzle_tables_missing: {
    message: 'The Drizzle schema has tables that this role finds nowhere on its search path.',
    hint: 'Run the migrations, remove the tables from the schema, or name their schema with pgSchema.',
  },
  drizzle_columns_missing: {
    message: 'The Drizzle schema has columns that the database does not have: queries that select them fail.',
    hint: 'Run the migrations, or remove the columns from the schema.',
  },
  drizzle_types_differ: {
    message:
      'The Drizzle schema gives columns another type than the database: rows have other values than their types say.',
    hint: 'Run the migrations, or change the columns in the schema to the type that the database has.',
  },
  drizzle_nulls_differ: {
    message: 'The Drizzle schema and the database do not agree on which columns may be NULL.',
    hint: 'ALTER TABLE … ALTER COLUMN … SET NOT NULL, or add or remove notNull() in the schema.',
  },
  event_trigger_missing: {
    message: 'Changes of the schema are noticed by polling the catalog.',
    hint: 'Where you may create one, the event trigger of `sluice check --print-grants --event-trigger` tells their exact position.',
  },
} as const;

export type CheckWarningCode = keyof typeof CHECK_WARNINGS;
