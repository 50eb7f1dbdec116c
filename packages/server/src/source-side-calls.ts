import type { MessagePort } from 'node:worker_threads';
import { SluiceError } from '@sluice/core/errors';
import type { WireError } from '@sluice/core/wire';
import type { LogLevel } from './config/config.js';
import type { SourceSideOptions } from './source-side.js';
import type { ConnectionConfig } from './source/connection-config.js';
import type { QuerySpec } from './views/port.js';

/*
 * What passes between the thread of the sessions and that of the views, besides the views' own channel: calls and
 * their answers, and the one question in the other direction, for a password that a function of the application makes.
 *
 *   ThreadedSourceSide ──call──▶ source-side-worker ──▶ LocalSourceSide
 *                      ◀─answer─
 *                      ◀─password? changed─
 */

export interface WorkerData {
  readonly options: ThreadOptions;
  readonly logLevel: LogLevel;
  readonly views: MessagePort;
}

/** A connection whose password function stays behind. */
export type ThreadConnection = Omit<ConnectionConfig, 'password'> & {
  readonly password?: string;
  readonly asksPassword: boolean;
};

export type ThreadOptions = Omit<SourceSideOptions, 'database' | 'replication'> & {
  readonly database: ThreadConnection;
  readonly replication: ThreadConnection;
};

export type Call =
  | { readonly method: 'start' | 'stop' | 'status' }
  | { readonly method: 'schema'; readonly role: string }
  | { readonly method: 'explain'; readonly spec: QuerySpec };
export type Which = 'database' | 'replication';

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'password'; readonly id: number; readonly password: string | null };

export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'changed' }
  | { readonly kind: 'password'; readonly id: number; readonly which: Which };

/** An error that crossed: classes do not, codes do. */
export function revived({ code, message, hint, retry, detail }: WireError): SluiceError {
  return new SluiceError(code, { message, hint: hint ?? '', retry, stage: 'source' }, detail);
}

export function withoutFunctions(connection: ConnectionConfig): ThreadConnection {
  const { password, ...rest } = connection;
  if (typeof password === 'function') return { ...rest, asksPassword: true };
  return password === undefined
    ? { ...rest, asksPassword: false }
    : { ...rest, password, asksPassword: false };
}

export function withPassword(connection: ThreadConnection, ask: () => Promise<string>): ConnectionConfig {
  const { asksPassword, password, ...rest } = connection;
  if (asksPassword) return { ...rest, password: ask };
  return password === undefined ? rest : { ...rest, password };
}
