import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { sourceError } from './errors.js';

/** Where Postgres is and who we are there. What is given beside `url` wins over what the URL says. */
export interface ConnectionConfig {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** A function is asked at each new connection: tokens that expire (RDS IAM) stay fresh. */
  readonly password?: string | (() => string | Promise<string>);
  /** `true` verifies against the system's certificate authorities; `ca` holds a provider's own bundle (PEM). */
  readonly ssl?: boolean | Pick<TlsOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;
  /** Default `sluice`. */
  readonly applicationName?: string;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** For `pg`. @throws `database_url_invalid` */
export function clientConfig(connection: string | ConnectionConfig): pg.ClientConfig {
  const config: ConnectionConfig = typeof connection === 'string' ? { url: connection } : connection;
  return {
    ...(config.url === undefined ? {} : parseUrl(config.url)),
    ...defined({
      host: config.host,
      port: config.port,
      database: config.database,
      user: config.user,
      password: typeof config.password === 'function' ? asked(config.password) : config.password,
      ssl: config.ssl,
    }),
    application_name: config.applicationName ?? 'sluice',
    connectionTimeoutMillis: config.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** Its own error may quote what it was asked with. */
function asked(password: () => string | Promise<string>): () => Promise<string> {
  return async () => {
    try {
      const answer: unknown = await password();
      if (typeof answer === 'string') return answer;
    } catch {
      // told below, without its words
    }
    throw sourceError('database_password_failed');
  };
}

function parseUrl(url: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url)) throw sourceError('database_url_invalid');
  try {
    const parsed = parseIntoClientConfig(url);
    if (parsed.port !== undefined && !Number.isInteger(parsed.port))
      throw sourceError('database_url_invalid');
    return parsed;
  } catch (error) {
    const unread =
      error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : null;
    if (unread !== null)
      throw sourceError('database_tls_failed', `a certificate file cannot be read: ${unread}`);
    throw sourceError('database_url_invalid'); // its own error would quote the URL
  }
}

function defined(options: pg.ClientConfig): pg.ClientConfig {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
