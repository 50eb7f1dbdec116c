import { readFileSync } from 'node:fs';
import type { ConnectionConfig } from '../source/connection-config.js';
import type { DatabaseConfig, TlsConfig } from './config.js';
import { configError } from './errors.js';

/**
 * What the source connects with.
 * `sslmode=require` and its kin verify the certificate, as the driver does today; its next major version will not,
 * and says so on stderr for each of them: hence the rewriting.
 */
export function connectionConfig(database: DatabaseConfig): ConnectionConfig {
  const { url, ssl, ...rest } = database;
  const verified = url?.includes('uselibpqcompat=true')
    ? url
    : url?.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
  return {
    ...rest,
    ...(verified === undefined ? {} : { url: verified }),
    ...(ssl === undefined ? {} : { ssl: typeof ssl === 'boolean' ? ssl : withAuthorities(ssl) }),
  };
}

function withAuthorities({
  caFile,
  ...tls
}: TlsConfig): Exclude<ConnectionConfig['ssl'], boolean | undefined> {
  if (caFile === undefined) return tls;
  try {
    return { ...tls, ca: readFileSync(caFile, 'utf8') };
  } catch (error) {
    throw configError('config_invalid', `database.ssl.caFile cannot be read: ${caFile}`, { cause: error });
  }
}
