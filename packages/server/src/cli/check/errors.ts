import { SluiceError } from '@sluice/core/errors';

/**
 * What can stand between Sluice and a database. The same codes are the findings of `sluice check` and the errors
 * of `sluice start`.
 */
export const CHECK_ERRORS = {
  database_unreachable: {
    message: 'Postgres does not answer there.',
    hint: 'Check host and port of the database URL, that Postgres runs, and that a firewall lets us through.',
    retry: true,
    stage: 'cli',
  },
  database_starting: {
    message: 'Postgres is starting up or shutting down.',
    hint: 'Try again in a few seconds.',
    retry: true,
    stage: 'cli',
  },
  database_missing: {
    message: 'There is no database of that name on this server.',
    hint: 'Check the last part of the database URL.',
    retry: false,
    stage: 'cli',
  },
  password_wrong: {
    message: 'Postgres refuses the password.',
    hint: 'Check user and password of the database URL; encode special characters in it, as %40 for @.',
    retry: false,
    stage: 'cli',
  },
  login_refused: {
    message: 'Postgres does not let this role connect.',
    hint: 'The role must exist, have LOGIN and CONNECT on the database, and pg_hba.conf must admit it from here; the provider may require TLS (sslmode=verify-full).',
    retry: false,
    stage: 'cli',
  },
  connections_exhausted: {
    message: 'Postgres has no connection left for us.',
    hint: 'Raise max_connections or the connection limit of the role, or lower poolMax here and elsewhere.',
    retry: true,
    stage: 'cli',
  },
  tls_not_offered: {
    message: 'The server does not offer TLS.',
    hint: 'Switch TLS on in Postgres (ssl = on), or remove sslmode / tls from the configuration on a network that you trust.',
    retry: false,
    stage: 'cli',
  },
  tls_not_trusted: {
    message: "The server's certificate is not trusted.",
    hint: "Give the provider's CA bundle with sslrootcert=/path/to/ca.pem in the URL or tls.caFile in the configuration; the host must be the name on the certificate.",
    retry: false,
    stage: 'cli',
  },
  server_too_old: {
    message: 'This release of Postgres does not decode its WAL reliably.',
    hint: 'Upgrade to the latest minor release of a supported major (14 or later).',
    retry: false,
    stage: 'cli',
  },
  server_is_standby: {
    message: 'This server is a standby.',
    hint: 'Connect to the primary: snapshots of a standby do not tell reliably which transactions they see.',
    retry: false,
    stage: 'cli',
  },
  wal_level_not_logical: {
    message: 'Postgres does not write the WAL that logical decoding needs.',
    hint: 'Set wal_level = logical and restart Postgres; on RDS and Aurora set rds.logical_replication = 1 in the parameter group and reboot.',
    retry: false,
    stage: 'cli',
  },
  slots_exhausted: {
    message: 'No replication slot is free.',
    hint: 'Raise max_replication_slots and restart Postgres, or drop slots that nobody uses (SELECT slot_name, active FROM pg_replication_slots).',
    retry: false,
    stage: 'cli',
  },
  senders_exhausted: {
    message: 'No WAL sender is free.',
    hint: 'Raise max_wal_senders and restart Postgres, or stop a standby or subscriber that is not needed.',
    retry: false,
    stage: 'cli',
  },
  replication_not_allowed: {
    message: 'The role may not replicate.',
    hint: 'As a superuser: ALTER ROLE … REPLICATION; on RDS and Aurora: GRANT rds_replication TO …. `sluice check --print-grants` prints it.',
    retry: false,
    stage: 'cli',
  },
  replication_refused: {
    message: 'A replication connection is refused, most likely by a pooler.',
    hint: 'Set the key "replication" (--replication-url) to a URL that leads to Postgres itself; `database` may stay on the pooler.',
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
  publication_missing: {
    message: 'The publication does not exist.',
    hint: 'Let the owner of the tables run what `sluice check --print-grants` prints.',
    retry: false,
    stage: 'cli',
  },
  publication_incomplete: {
    message: 'The publication does not send everything that happens.',
    hint: "Let its owner run: ALTER PUBLICATION … SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false).",
    retry: false,
    stage: 'cli',
  },
  publication_filters: {
    message: 'The publication hides rows or columns of a table.',
    hint: 'Let its owner add the table without WHERE and without a list of columns; who may read what is decided by grants.',
    retry: false,
    stage: 'cli',
  },
} as const;

export type CheckErrorCode = keyof typeof CHECK_ERRORS;

export function checkError(code: CheckErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, CHECK_ERRORS[code], detail, options);
}

/** What is worth knowing and stops nothing. */
export const CHECK_WARNINGS = {
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
  event_trigger_missing: {
    message: 'Changes of the schema are noticed by polling the catalog.',
    hint: 'Where you may create one, the event trigger of `sluice check --print-grants --event-trigger` tells their exact position.',
  },
} as const;

export type CheckWarningCode = keyof typeof CHECK_WARNINGS;
