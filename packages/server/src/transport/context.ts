import type { IncomingMessage } from 'node:http';
import type { SluiceError } from '@sluice/core/errors';
import type { Auth, AuthRequest } from '../auth/auth.js';
import type { Clock } from '../sessions/clock.js';
import type { Sessions } from '../sessions/sessions.js';
import type { Exchange } from './exchange.js';
import type { TransportLimits } from './limits.js';

/** What the parts of the transport share. */
export interface TransportContext {
  readonly sessions: Sessions;
  readonly auth: Auth;
  readonly clock: Clock;
  /** Milliseconds since 1970: when tokens expire. */
  readonly wallMs: () => number;
  readonly limits: TransportLimits;
  readonly counters: TransportCounters;
  /** Told of each connection that is refused, or ended for what the client sent. */
  readonly onRefused?: (error: SluiceError) => void;
}

export interface TransportCounters {
  /** Connections that were closed for what the client sent, by error code. */
  readonly refused: Map<string, number>;
  received: number;
}

export function countRefusal({ counters, onRefused }: TransportContext, error: SluiceError): void {
  onRefused?.(error);
  counters.refused.set(error.code, (counters.refused.get(error.code) ?? 0) + 1);
}

export function authRequestOf(request: IncomingMessage): AuthRequest {
  const token = bearer(request.headers.authorization);
  return { headers: request.headers, url: request.url ?? '/', ...(token === undefined ? {} : { token }) };
}

export function authRequestIn(exchange: Exchange): AuthRequest {
  const token = bearer(exchange.header('authorization'));
  const { headers, url } = exchange;
  return { headers, url, ...(token === undefined ? {} : { token }) };
}

function bearer(header: string | null | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
}
