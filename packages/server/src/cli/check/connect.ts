import pg from 'pg';
import type { SluiceError } from '@sluice/core/errors';
import { placeOf } from '../../config/connection.js';
import { checkError, type CheckErrorCode } from './errors.js';

/** Runs work on one connection of its own. @throws SluiceError when Postgres cannot be reached or refuses us */
export async function withConnection<T>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined); // the query that is under way rejects with it
  try {
    await client.connect();
  } catch (error) {
    throw connectionError(error, connection);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** By SQLSTATE or Node's code. */
const CODES: Readonly<Record<string, CheckErrorCode>> = {
  ECONNREFUSED: 'database_unreachable',
  ENOTFOUND: 'database_unreachable',
  EAI_AGAIN: 'database_unreachable',
  ENOENT: 'database_unreachable',
  EHOSTUNREACH: 'database_unreachable',
  ENETUNREACH: 'database_unreachable',
  ETIMEDOUT: 'database_unreachable',
  ECONNRESET: 'database_unreachable',
  '28P01': 'password_wrong',
  '28000': 'login_refused',
  '3D000': 'database_missing',
  '42501': 'login_refused',
  '53300': 'connections_exhausted',
  '57P03': 'database_starting',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_not_trusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_not_trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_not_trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_not_trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_not_trusted',
  CERT_HAS_EXPIRED: 'tls_not_trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_not_trusted',
};

/** Why a connection could not be made. The detail names the place and the code; it holds no secret. */
export function connectionError(error: unknown, connection: pg.ClientConfig): SluiceError {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : '';
  const place = placeOf(connection);
  const options = { cause: error };
  if (text.includes('does not support SSL')) return checkError('tls_not_offered', place, options);
  if (text.startsWith('SASL') || text.includes('password must be')) {
    return checkError('password_wrong', `${place}: a password is asked for and none is configured`, options);
  }
  const known = CODES[code];
  if (known !== undefined) return checkError(known, `${place}: ${code}`, options);
  return checkError('database_unreachable', code === '' ? place : `${place}: ${code}`, options);
}

export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
