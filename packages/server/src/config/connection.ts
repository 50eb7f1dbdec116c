import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { DatabaseConfig, TlsConfig } from './config.js';
import { configError } from './errors.js';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What the driver needs to connect.
 * `sslmode=require` and its kin verify the certificate, as the driver does today; its next major version will
 * not, and says so on stderr for each of them: hence the rewriting.
 * @throws SluiceError `database_url_invalid`
 */
export function connectionOf(database: DatabaseConfig): pg.ClientConfig {
  const fromUrl = database.url === undefined ? {} : parseUrl(database.url);
  return {
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'sluice',
    ...fromUrl,
    ...(database.host === undefined ? {} : { host: database.host }),
    ...(database.port === undefined ? {} : { port: database.port }),
    ...(database.database === undefined ? {} : { database: database.database }),
    ...(database.user === undefined ? {} : { user: database.user }),
    ...(database.password === undefined ? {} : { password: database.password }),
    ...(database.tls === undefined ? {} : { ssl: tlsOf(database.tls) }),
  };
}

function parseUrl(url: string): pg.ClientConfig {
  try {
    const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
    if (scheme !== 'postgres' && scheme !== 'postgresql') throw new Error('not a postgres:// URL');
    const verified = url.includes('uselibpqcompat=true')
      ? url
      : url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
    const { password, ...rest } = parseIntoClientConfig(verified);
    return password === '' ? rest : { ...rest, ...(password === undefined ? {} : { password }) };
  } catch (error) {
    // Its message may hold parts of the URL, the password among them.
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    throw configError(
      'database_url_invalid',
      code === 'ENOENT' ? 'a certificate file does not exist' : undefined,
    );
  }
}

function tlsOf(tls: boolean | TlsConfig): pg.ClientConfig['ssl'] {
  if (typeof tls === 'boolean') return tls;
  const ca = tls.caFile === undefined ? tls.ca : readAuthorities(tls.caFile);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw configError('config_invalid', `database.tls.caFile cannot be read: ${file}`, { cause: error });
  }
}

/** Where a connection leads, for messages: no user, no password. */
export function placeOf(connection: pg.ClientConfig): string {
  return `${connection.host ?? 'localhost'}:${connection.port ?? 5432}/${connection.database ?? connection.user ?? ''}`;
}
