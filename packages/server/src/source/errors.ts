import { SluiceError } from '@sluice/core/errors';

/** What can go wrong between Postgres and us. Connection and statement errors first, then the stream's own. */
export const SOURCE_ERRORS = {
  database_url_invalid: {
    message: 'The database URL cannot be read',
    hint: 'Write it as postgres://user@host:5432/database, with special characters percent-encoded.',
    retry: false,
    stage: 'source',
  },
  database_unreachable: {
    message: 'Postgres does not answer at the configured address',
    hint: 'Check host, port and firewall, and that Postgres is running and listens there.',
    retry: true,
    stage: 'source',
  },
  database_tls_failed: {
    message: 'The TLS connection to Postgres failed',
    hint: 'Check that the server speaks TLS, that its certificate is for this host and has not expired, and that `ssl.caFile` (or sslrootcert) holds the certificate authority of its provider.',
    retry: false,
    stage: 'source',
  },
  database_auth_failed: {
    message: 'Postgres refused the user or the password',
    hint: 'Check user, password (or the password function) and pg_hba.conf; a role for the stream needs REPLICATION and LOGIN.',
    retry: false,
    stage: 'source',
  },
  database_password_failed: {
    message: 'The password function failed',
    hint: 'Look into the function given as `password`: it has to return a string, or the token service behind it is down.',
    retry: true,
    stage: 'source',
  },
  database_unknown: {
    message: 'The database does not exist on this server',
    hint: 'Check the name at the end of the database URL.',
    retry: false,
    stage: 'source',
  },
  database_too_many_connections: {
    message: 'Postgres has no connection left for us',
    hint: 'Raise max_connections or lower `poolMax`; `sluice check` says how many connections we use.',
    retry: true,
    stage: 'source',
  },
  database_starting: {
    message: 'Postgres is starting, stopping or recovering',
    hint: 'Nothing to do: we try again until it accepts connections.',
    retry: true,
    stage: 'source',
  },
  database_disconnected: {
    message: 'The connection to Postgres broke',
    hint: 'Nothing to do: we connect again. When it keeps happening look into the log of Postgres and of what lies between.',
    retry: true,
    stage: 'source',
  },
  database_pool_busy: {
    message: 'No pooled connection to Postgres became free in time',
    hint: 'Raise `poolMax`, or look for statements that take long.',
    retry: true,
    stage: 'source',
  },
  database_is_standby: {
    message: 'The server is a standby, or read-only',
    hint: 'Point the database URL at the primary: snapshots on a standby are not exact.',
    retry: true,
    stage: 'source',
  },
  statement_timeout: {
    message: 'A statement ran longer than it may',
    hint: 'Add an index for the query, or raise the statement timeout.',
    retry: true,
    stage: 'source',
  },
  lock_timeout: {
    message: 'A table stayed locked by someone else',
    hint: 'Look for a migration or an open transaction that holds an ACCESS EXCLUSIVE lock.',
    retry: true,
    stage: 'source',
  },
  permission_denied: {
    message: 'A role lacks a privilege that is needed',
    hint: 'Run what `sluice check --print-grants` prints, as the owner of the tables.',
    retry: false,
    stage: 'source',
  },
  read_given_up: {
    message: 'A read was given up so that the stream can catch up with the WAL',
    hint: 'Nothing to do: it is made again when the stream has caught up.',
    retry: true,
    stage: 'source',
  },
  relation_unknown: {
    message: 'A table that is to be read does not exist any more',
    hint: 'It was dropped or renamed; the query must be written anew.',
    retry: false,
    stage: 'source',
  },
  statement_failed: {
    message: 'Postgres answered a statement with an error',
    hint: 'The detail names the SQLSTATE; run the statement by hand to see all of it.',
    retry: false,
    stage: 'source',
  },
  statement_conflict: {
    message: 'Postgres cancelled a transaction in favour of another one',
    hint: 'Nothing to do: it is tried again.',
    retry: true,
    stage: 'source',
  },
  wal_level_not_logical: {
    message: 'This Postgres does not write a logical WAL',
    hint: 'Set wal_level = logical and restart (RDS and Aurora: rds.logical_replication = 1; Cloud SQL: cloudsql.logical_decoding = on).',
    retry: false,
    stage: 'source',
  },
  replication_not_allowed: {
    message: 'The role may not replicate, or something in the way cannot carry replication',
    hint: 'ALTER ROLE … REPLICATION (RDS: GRANT rds_replication), and give `replication` a URL that goes past any pooler.',
    retry: false,
    stage: 'source',
  },
  replication_slots_full: {
    message: 'All replication slots or WAL senders of this Postgres are in use',
    hint: 'Raise max_replication_slots and max_wal_senders, or drop slots that nobody reads.',
    retry: true,
    stage: 'source',
  },
  publication_missing: {
    message: 'The publication does not exist in this database',
    hint: 'Run what `sluice check --print-grants` prints, as the owner of the tables.',
    retry: false,
    stage: 'source',
  },
  publication_partial: {
    message: 'The publication does not send everything that happens to its tables',
    hint: 'It needs publish = insert, update, delete, truncate, publish_via_partition_root = false, and no row filters or column lists.',
    retry: false,
    stage: 'source',
  },
  slot_creation_blocked: {
    message: 'Creating the replication slot waits for transactions that are still open',
    hint: 'End the transactions named in the detail (COMMIT PREPARED or ROLLBACK PREPARED for prepared ones).',
    retry: true,
    stage: 'source',
  },
  slot_in_use: {
    message: 'Another process reads the permanent replication slot',
    hint: 'Nothing to do: this one waits its turn. Give each group of processes a slot name of its own.',
    retry: true,
    stage: 'source',
  },
  slot_lost: {
    message: 'The replication slot vanished or was invalidated',
    hint: 'A new one is made and everything is hydrated anew. Look at max_slot_wal_keep_size and idle_replication_slot_timeout.',
    retry: true,
    stage: 'source',
  },
  slot_foreign: {
    message: 'The permanent slot exists but is not ours: another plugin or another database',
    hint: 'Choose another `slot.name`, or drop the slot by hand.',
    retry: false,
    stage: 'source',
  },
  slot_given_up: {
    message: 'The replication slot held back more WAL than it may and was given up',
    hint: 'Everything is hydrated anew. Raise `maxRetainedWalBytes` if the disk has room, or find out what kept the stream from being read.',
    retry: true,
    stage: 'source',
  },
  servers_differ: {
    message: 'The pooled connections and the replication connection reach different servers or databases',
    hint: 'Point `database` and `replication` at the same database of the same primary.',
    retry: false,
    stage: 'source',
  },
  stream_malformed: {
    message: 'The replication stream holds something that is not protocol 1 of pgoutput',
    hint: 'Something between Postgres and us alters bytes, or this Postgres is newer than we know; we connect again.',
    retry: true,
    stage: 'source',
  },
  stream_silent: {
    message: 'The replication connection fell silent',
    hint: 'Nothing to do: we connect again. A firewall may drop idle connections.',
    retry: true,
    stage: 'source',
  },
  chain_broken: {
    message: 'The stream was interrupted while a snapshot was being read',
    hint: 'Nothing to do: it is read again once the stream is back.',
    retry: true,
    stage: 'source',
  },
  retained_full: {
    message: 'More transactions had to be kept for open snapshots than fit',
    hint: 'Everything is hydrated anew. Raise `retainedBytesMax`, or look for commits that stay invisible (synchronous_standby_names) and for hydrations that take minutes.',
    retry: true,
    stage: 'source',
  },
  fetch_queue_full: {
    message: 'Too many snapshots wait to be read',
    hint: 'Raise limits.fetchConcurrency (and poolMax) or limits.fetchQueueMax, or open fewer queries at once.',
    retry: true,
    stage: 'source',
  },
  source_stopped: {
    message: 'The server is shutting down',
    hint: 'Connect again: another process, or the next one, will answer.',
    retry: true,
    stage: 'source',
  },
} as const;

export type SourceErrorCode = keyof typeof SOURCE_ERRORS;

export function sourceError(code: SourceErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, SOURCE_ERRORS[code], detail, options);
}

/** An error that Postgres itself raised for a statement; `sqlState` is its five-character code. */
export class StatementError extends SluiceError {
  readonly sqlState: string;

  constructor(code: SourceErrorCode, sqlState: string, detail: string) {
    super(code, SOURCE_ERRORS[code], detail);
    this.sqlState = sqlState;
  }
}
