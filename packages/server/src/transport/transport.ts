import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SluiceError } from '@sluice/core/errors';
import type { Auth } from '../auth/auth.js';
import type { Clock } from '../sessions/clock.js';
import type { Sessions } from '../sessions/sessions.js';
import type { TransportContext, TransportCounters } from './context.js';
import { transportError } from './errors.js';
import { TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { Sockets } from './sockets.js';

export interface TransportOptions {
  readonly sessions: Sessions;
  readonly auth: Auth;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Default `/sluice`. */
  readonly basePath?: string;
  /**
   * Origins whose pages may connect, besides those of this server's own host name. `'*'`: all, which is safe only
   * when `auth` reads the token and no cookie.
   */
  readonly allowedOrigins?: readonly string[] | '*';
  /** Take the client's address from the last entry of X-Forwarded-For: only behind a proxy that sets it. */
  readonly trustProxy?: boolean;
  readonly limits?: Partial<TransportLimits>;
  /** What the other parts of the server answer. */
  readonly schema?: () => Promise<unknown>;
  readonly healthy?: () => Promise<Report>;
  readonly ready?: () => Promise<Report>;
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Whether all is well, and what there is to say about it. */
export interface Report {
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

/** All that speaks to clients: WebSockets, HTTP, event streams. Listens nowhere itself: a server hands it requests. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #context: TransportContext;
  readonly #sockets: Sockets;
  readonly #base: string;
  readonly #perAddress = new Map<string, number>();
  #stopping = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#base = options.basePath ?? '/sluice';
    const counters: TransportCounters = { refused: new Map(), received: 0 };
    this.#context = { ...options, limits: { ...TRANSPORT_LIMITS, ...options.limits }, counters };
    this.#sockets = new Sockets(this.#context);
  }

  /** @returns false when the path is not ours: the request is for somebody else. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path !== `${this.#base}/ws`) return false;
    socket.on('error', () => socket.destroy());
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      refuseUpgrade(socket, refusal.status, refusal.error);
      return true;
    }
    const address = this.#addressOf(request);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#sockets.take(request, socket, head, () => this.#leave(address));
    return true;
  }

  /** @returns false when the path is not ours. */
  handleRequest(_request: IncomingMessage, _response: ServerResponse): boolean {
    return false;
  }

  /** Tells clients to go elsewhere, serves them until then, at most so long, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#sockets.goaway(graceMs / 2);
    const end = this.#context.clock.nowMs() + graceMs;
    while (this.#sockets.size > 0 && this.#context.clock.nowMs() < end) {
      await new Promise<void>((resolve) => this.#context.clock.after(Math.min(50, graceMs), resolve));
    }
    this.#sockets.close();
  }

  #refusal(request: IncomingMessage): { status: number; error: SluiceError } | null {
    if (this.#stopping) return { status: 503, error: transportError('server_stopping') };
    if (!this.#originAllowed(request)) return { status: 403, error: transportError('origin_not_allowed') };
    const taken = this.#perAddress.get(this.#addressOf(request)) ?? 0;
    if (taken >= this.#context.limits.connectionsPerAddressMax) {
      return { status: 429, error: transportError('connections_too_many') };
    }
    return null;
  }

  #originAllowed(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    const { allowedOrigins = [] } = this.#options;
    if (origin === undefined || allowedOrigins === '*' || allowedOrigins.includes(origin)) return true;
    return URL.canParse(origin) && new URL(origin).hostname === new URL(`http://${host ?? ''}`).hostname;
  }

  #addressOf(request: IncomingMessage): string {
    const forwarded = request.headers['x-forwarded-for'];
    const last =
      this.#options.trustProxy === true
        ? String(forwarded ?? '')
            .split(',')
            .at(-1)
            ?.trim()
        : '';
    return last || (request.socket.remoteAddress ?? '');
  }

  #leave(address: string): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}

function refuseUpgrade(socket: Duplex, status: number, error: SluiceError): void {
  const body = JSON.stringify({ error: error.toWire() });
  socket.end(
    `HTTP/1.1 ${status} ${error.code}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
