import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Auth } from './auth/auth.js';
import type { Config } from './config/config.js';
import { Limiter } from './limiter.js';
import { ForeignErrors } from './metrics/foreign-errors.js';
import { loggable } from './metrics/log.js';
import { ToldErrors } from './metrics/told-errors.js';
import { Queries } from './resolving/resolve.js';
import { SYSTEM_CLOCK } from './sessions/clock.js';
import { Resolver } from './sessions/resolver.js';
import { Sessions } from './sessions/sessions.js';
import { transportError } from './transport/errors.js';
import { Transport, type TransportOptions } from './transport/transport.js';
import type { SourceSide } from './source-side.js';

const AUTH_TIMEOUT_MS = 10_000;
/** Explanations at a time, each a few statements on connections that views are read with; and those that may wait. */
const EXPLAINS = 2;
const EXPLAINS_WAITING = 100;

/** What the rest of the server gives to the transport. */
type Providers = Pick<TransportOptions, 'schema' | 'healthy' | 'ready' | 'metrics' | 'closed'>;

/** The stages that clients see: who they are, what they are told, and how it travels. */
export interface ClientSide {
  readonly sessions: Sessions;
  readonly transport: Transport;
}

export function makeClientSide(
  config: Config,
  source: Pick<SourceSide, 'port' | 'explain'>,
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
    port: source.port,
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
    ...(config.explain === true ? { explain: explainer(resolver, source) } : {}),
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

/** Whoever may subscribe to a query may have it explained: resolved as then, with the same refusals. */
function explainer(
  resolver: Resolver,
  source: Pick<SourceSide, 'explain'>,
): NonNullable<TransportOptions['explain']> {
  const turns = new Limiter(EXPLAINS, EXPLAINS_WAITING, () => transportError('explains_too_many'));
  return (query, principal) =>
    turns.run(async () => source.explain((await resolver.resolve(query, principal)).spec));
}
