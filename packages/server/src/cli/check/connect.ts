import pg from 'pg';
import { SluiceError } from '@sluice/core/errors';
import { fromPostgres } from '../../source/postgres-errors.js';

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

/** Why a connection could not be made, and where to. No user and no password is named. */
export function connectionError(error: unknown, connection: pg.ClientConfig): SluiceError {
  const { host, port, database } = connection;
  const place = `${host ?? 'localhost'}:${port ?? 5432}/${database ?? ''}`;
  const { code, message, hint, retry, detail } = fromPostgres(error);
  const entry = { message, hint, retry, stage: 'source' } as const;
  return new SluiceError(code, entry, detail === undefined ? place : `${place}: ${detail}`, { cause: error });
}

/** The SQLSTATE, or Node's code. */
export function codeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
