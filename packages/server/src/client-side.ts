import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Auth } from './auth/auth.js';
import type { Config } from './config/config.js';
import { ForeignErrors } from './metrics/foreign-errors.js';
import { loggable } from './metrics/log.js';
import { ToldErrors } from './metrics/told-errors.js';
import { Queries } from './resolving/resolve.js';
import { SYSTEM_CLOCK } from './sessions/clock.js';
import { Resolver } from './sessions/resolver.js';
import { Sessions } from './sessions/sessions.js';
import { Transport, type TransportOptions } from './transport/transport.js';
import type { ViewsPort } from './views/port.js';

const AUTH_TIMEOUT_MS = 10_000;

/** What the rest of the server gives to the transport. */
type Providers = Pick<TransportOptions, 'schema' | 'healthy' | 'ready' | 'metrics' | 'closed'>;

/** The stages that clients see: who they are, what they are told, and how it travels. */
export interface ClientSide {
  readonly sessions: Sessions;
  readonly transport: Transport;
}

export function makeClientSide(
  config: Config,
  port: ViewsPort,
  log: Logger,
  providers: Providers,
): ClientSide {
  const { limits, allowSql } = config;
  const foreign = new ForeignErrors(log, config.onError);
  const told = new ToldErrors(log, SYSTEM_CLOCK.nowMs);
  const queries = new Queries(config, { fetch, nowMs: Date.now });
  const resolver = new Resolver({
    allowSql,
    clock: SYSTEM_CLOCK,
    resolve: (name, args, ctx) => queries.resolve({ name, args, ctx }),
    onError: (query, error) => foreign.failed(error, { function: 'query', query }),
  });
  const sessions = new Sessions({
    port,
    resolver,
    clock: SYSTEM_CLOCK,
    secret: randomBytes(32),
    onQueryError: (query, error) => told.query(query, error),
    limits: {
      holdMs: config.holdMs,
      keepMs: config.keepMs,
      subscriptionsMax: limits.subscriptionsMax,
      subscriptionsPerPrincipalMax: limits.subscriptionsPerPrincipalMax,
      reachesMax: limits.reachesMax,
      bufferBytesMax: limits.bufferBytesMax,
    },
  });
  const auth = new Auth({
    ...(config.auth === undefined ? {} : { hook: config.auth }),
    defaultRole: config.role,
    timeoutMs: AUTH_TIMEOUT_MS,
    nowMs: Date.now,
    onError: (error) => foreign.failed(error, { function: 'auth' }),
  });
  const transport = new Transport({
    ...providers,
    sessions,
    auth,
    clock: SYSTEM_CLOCK,
    wallMs: Date.now,
    basePath: config.basePath,
    allowedOrigins: config.allowedOrigins.includes('*') ? '*' : config.allowedOrigins,
    trustProxy: config.trustProxy,
    limits: {
      messageBytesMax: limits.messageBytesMax,
      messagesBurst: limits.messagesBurst,
      messagesPerSecond: limits.messagesPerSecond,
      connectionsPerAddressMax: limits.connectionsPerAddressMax,
      streamsMax: limits.streamsMax,
    },
    onRefused: (error) => told.connection(error.toWire()),
    onError: (error) => log.error({ event: 'request_failed', error: loggable(error) }),
  });
  return { sessions, transport };
}
