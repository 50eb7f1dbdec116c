import { SluiceError } from '@sluice/core/errors';
import { sourceError, StatementError, type SourceErrorCode } from './errors.js';

/** By SQLSTATE (Postgres manual, "PostgreSQL Error Codes"), the whole code or its class. */
const BY_STATE: Readonly<Record<string, SourceErrorCode>> = {
  '08': 'database_disconnected',
  '28': 'database_auth_failed',
  '3D000': 'database_unknown',
  '53300': 'database_too_many_connections',
  '53400': 'replication_slots_full',
  '57P01': 'database_disconnected',
  '57P02': 'database_disconnected',
  '57P03': 'database_starting',
  '57P05': 'database_disconnected',
  '57014': 'statement_timeout',
  '55P03': 'lock_timeout',
  '55006': 'slot_in_use',
  '25P03': 'statement_timeout',
  '25P04': 'statement_timeout',
  '25006': 'database_is_standby',
  '42501': 'permission_denied',
  '42P01': 'relation_unknown',
  '3F000': 'relation_unknown',
  '40': 'statement_conflict',
};

/** What Node says when there is no connection at all. */
const BY_SYSTEM: Readonly<Record<string, SourceErrorCode>> = {
  ECONNREFUSED: 'database_unreachable',
  ENOTFOUND: 'database_unreachable',
  EAI_AGAIN: 'database_unreachable',
  EHOSTUNREACH: 'database_unreachable',
  ENETUNREACH: 'database_unreachable',
  ETIMEDOUT: 'database_unreachable',
  ENOENT: 'database_unreachable',
  EACCES: 'database_unreachable',
  ECONNRESET: 'database_disconnected',
  EPIPE: 'database_disconnected',
};

/** Node's own TLS errors, and those of OpenSSL about certificates and the handshake. */
const TLS_CODES =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERROR_IN_CERT|INVALID_|PATH_LENGTH|HOSTNAME_MISMATCH|EPROTO$)/;

/** By the words of `pg`, which gives these no code. */
const BY_WORDS: readonly (readonly [RegExp, SourceErrorCode])[] = [
  [/after calling end on the pool/, 'source_stopped'],
  [/timeout exceeded when trying to connect/, 'database_pool_busy'],
  [/timeout expired|due to connection timeout/, 'database_unreachable'],
  [/does not support SSL|establishing an SSL connection/, 'database_tls_failed'],
  [/SASL|SCRAM|[Pp]assword must be/, 'database_auth_failed'],
  [/Query read timeout|terminated|not queryable|not yet connected|closed/i, 'database_disconnected'],
];

/**
 * Any error of the driver as a registered one. Nothing of its text is passed on but what can hold no value and no
 * secret: the SQLSTATE, and for class 42 (the query itself is wrong) Postgres's sentence, which quotes only names.
 */
export function fromPostgres(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^[0-9A-Z]{5}$/.test(code) && BY_SYSTEM[code] === undefined) return fromState(code, error.message);
  const system = BY_SYSTEM[code];
  if (system !== undefined) return sourceError(system, code);
  if (TLS_CODES.test(code)) {
    return sourceError('database_tls_failed', code);
  }
  const known = BY_WORDS.find(([words]) => words.test(error.message));
  if (/password must be a string/.test(error.message))
    return sourceError('database_auth_failed', 'Postgres asks for a password, and none was given');
  if (known) return sourceError(known[1]);
  if (error instanceof AggregateError && error.errors.length > 0) return fromPostgres(error.errors[0]);
  throw error; // a bug of ours must not pass for an error of the world
}

/** What to make of a SQLSTATE and the primary message that came with it. */
export function fromState(sqlState: string, message: string): SluiceError {
  const code = specialCase(sqlState, message) ?? BY_STATE[sqlState] ?? BY_STATE[sqlState.slice(0, 2)];
  const detail = sqlState.startsWith('42') ? `SQLSTATE ${sqlState}: ${message}` : `SQLSTATE ${sqlState}`;
  return new StatementError(code ?? 'statement_failed', sqlState, detail);
}

/** Codes that mean several things, told apart by words that Postgres has kept for a decade. */
function specialCase(sqlState: string, message: string): SourceErrorCode | null {
  if (sqlState === '55000' && /wal_level/.test(message)) return 'wal_level_not_logical';
  if (sqlState === '55000' && /max_replication_slots/.test(message)) return 'replication_slots_full';
  if (sqlState === '55000' && /replication slot/.test(message)) return 'slot_lost';
  if (sqlState === '42704' && /replication slot/.test(message)) return 'slot_lost';
  if (sqlState === '42704' && /publication/.test(message)) return 'publication_missing';
  if (sqlState === '42501' && /replication|WAL sender/i.test(message)) return 'replication_not_allowed';
  if (sqlState === '28000' && /replication/.test(message)) return 'replication_not_allowed';
  if (sqlState === '53300' && /WAL sender|max_wal_senders/.test(message)) return 'replication_slots_full';
  if (sqlState === '08P01' && /replication|startup/.test(message)) return 'replication_not_allowed';
  return null;
}

export function sqlStateOf(error: unknown): string | null {
  return error instanceof StatementError ? error.sqlState : null;
}
