import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SluiceError } from '@sluice/core/errors';
import type { Auth } from '../auth/auth.js';
import type { Clock } from '../sessions/clock.js';
import type { Sessions } from '../sessions/sessions.js';
import type { TransportContext, TransportCounters } from './context.js';
import { transportError } from './errors.js';
import { failure, type Answer, type Exchange } from './exchange.js';
import { answerFetch, fetchExchange } from './fetch-exchange.js';
import { TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { answerNode, nodeExchange } from './node-exchange.js';
import { Routes, type Providers } from './routes.js';
import { Sockets } from './sockets.js';
import { Streams } from './streams.js';

/** How often a server that stops looks whether everybody has gone. */
const STOP_POLL_MS = 50;

/** What monitors ask for, whatever the server's state: everything else is for clients. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

export interface TransportOptions extends Providers {
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
  /** What keeps clients out for now: a server that has not started yet. */
  readonly closed?: () => SluiceError | null;
  /** Told of what must not happen: a fault of ours that one request ran into. */
  readonly onError?: (error: unknown) => void;
  /** Told of each connection that is refused, or ended for what the client sent. */
  readonly onRefused?: (error: SluiceError) => void;
}

export interface TransportStatus {
  readonly sockets: number;
  /** Subscriptions made by POST. */
  readonly streams: number;
  /** Messages that WebSocket clients have sent. */
  readonly received: number;
  /** Connections that were closed for what the client did, by error code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** All that speaks to clients: WebSockets, HTTP, event streams. Listens nowhere itself: a server hands it requests. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #context: TransportContext;
  readonly #sockets: Sockets;
  readonly #streams: Streams;
  readonly #routes: Routes;
  readonly #base: string;
  readonly #perAddress = new Map<string, number>();
  #stopping = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#base = options.basePath ?? '/sluice';
    const counters: TransportCounters = { refused: new Map(), received: 0 };
    this.#context = { ...options, limits: { ...TRANSPORT_LIMITS, ...options.limits }, counters };
    this.#sockets = new Sockets(this.#context);
    this.#streams = new Streams(this.#context);
    this.#routes = new Routes(this.#context, this.#streams, options);
  }

  /** @returns false when the path is not ours: the request is for somebody else. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (this.#below(request.url ?? '/')?.path !== '/ws') return false;
    socket.on('error', () => socket.destroy());
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      this.#options.onRefused?.(refusal.error);
      refuseUpgrade(socket, refusal.status, refusal.error);
      return true;
    }
    const address = this.#addressOf(request);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#sockets.take(request, socket, head, () => this.#leave(address));
    return true;
  }

  /** @returns false when the path is not ours. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const below = this.#below(request.url ?? '/');
    if (below === null) return false;
    const { origin, host } = request.headers;
    const exchange = nodeExchange(request, below.path, below.query);
    this.#answer(exchange, origin, host).then(
      (answer) => answerNode(response, answer),
      () => response.destroy(), // the client went away in the middle of its request
    );
    return true;
  }

  /** For frameworks that speak Fetch: everything but WebSockets. @returns null when the path is not ours. */
  async fetchHandler(request: Request): Promise<Response | null> {
    const { pathname, search, host } = new URL(request.url);
    const below = this.#below(pathname + search);
    if (below === null) return null;
    const exchange = fetchExchange(request, below.path, below.query);
    return answerFetch(await this.#answer(exchange, request.headers.get('origin') ?? undefined, host));
  }

  status(): TransportStatus {
    const { counters } = this.#context;
    return {
      sockets: this.#sockets.size,
      streams: this.#streams.size,
      received: counters.received,
      refused: new Map(counters.refused),
    };
  }

  /**
   * Tells clients to go elsewhere, serves them until then, at most so long, then closes what is left.
   * @param spreadMs over how long they come back
   */
  async close(graceMs: number, spreadMs: number = graceMs / 2): Promise<void> {
    const { clock } = this.#context;
    this.#stopping = true;
    this.#sockets.goaway(spreadMs);
    this.#streams.goaway(graceMs, spreadMs);
    const endMs = clock.nowMs() + graceMs;
    while (this.#sockets.size + this.#streams.listening > 0 && clock.nowMs() < endMs) {
      await new Promise<void>((resolve) => clock.after(Math.min(STOP_POLL_MS, graceMs), resolve));
    }
    this.#streams.close();
    this.#sockets.close();
  }

  #below(url: string): { path: string; query: URLSearchParams } | null {
    const [path = '', search] = url.split('?', 2);
    if (path !== this.#base && !path.startsWith(`${this.#base}/`)) return null;
    return { path: path.slice(this.#base.length), query: new URLSearchParams(search) };
  }

  async #answer(exchange: Exchange, origin: string | undefined, host: string | undefined): Promise<Answer> {
    const cors = this.#cors(origin, host);
    if (exchange.method === 'OPTIONS')
      return { status: cors === null ? 403 : 204, headers: cors ?? {}, body: '' };
    const error = this.#httpRefusal(exchange, cors === null ? notAllowed(origin, host) : null);
    if (error !== null) {
      this.#options.onRefused?.(error);
      return failure(error);
    }
    try {
      const answer = await this.#routes.answer(exchange);
      return { ...answer, headers: { ...answer.headers, ...cors } };
    } catch (fault) {
      this.#options.onError?.(fault);
      return failure(transportError('server_fault'));
    }
  }

  #httpRefusal(exchange: Exchange, ofOrigin: SluiceError | null): SluiceError | null {
    return OPEN_PATHS.has(exchange.path) ? null : (ofOrigin ?? this.#closed());
  }

  #closed(): SluiceError | null {
    return this.#stopping ? transportError('server_stopping') : (this.#options.closed?.() ?? null);
  }

  /** Headers that let the page read the answer; null when it may not. */
  #cors(origin: string | undefined, host: string | undefined): Record<string, string> | null {
    if (origin === undefined) return {};
    if (!this.#originAllowed(origin, host)) return null;
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': 'authorization, content-type, last-event-id',
      vary: 'origin',
    };
  }

  #refusal(request: IncomingMessage): { status: number; error: SluiceError } | null {
    const closed = this.#closed();
    if (closed !== null) return { status: 503, error: closed };
    const { origin, host } = request.headers;
    if (!this.#originAllowed(origin, host)) return { status: 403, error: notAllowed(origin, host) };
    const taken = this.#perAddress.get(this.#addressOf(request)) ?? 0;
    if (taken >= this.#context.limits.connectionsPerAddressMax) {
      return { status: 429, error: transportError('connections_too_many') };
    }
    return null;
  }

  #originAllowed(origin: string | undefined, host: string | undefined): boolean {
    const { allowedOrigins = [] } = this.#options;
    if (origin === undefined || allowedOrigins === '*' || allowedOrigins.includes(origin)) return true;
    const [from, to] = [origin, `http://${host ?? ''}`];
    return URL.canParse(from) && URL.canParse(to) && new URL(from).hostname === new URL(to).hostname;
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

/** With both names: a proxy that puts its own in the place of the Host is the usual cause. */
function notAllowed(origin = '', host = ''): SluiceError {
  const detail = `a page of ${origin.slice(0, 200)}, asking ${host.slice(0, 200)}`;
  return transportError('origin_not_allowed', detail);
}

function refuseUpgrade(socket: Duplex, status: number, error: SluiceError): void {
  const body = JSON.stringify({ error: error.toWire() });
  socket.end(
    `HTTP/1.1 ${status} ${error.code}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
