import { SluiceError } from '@sluice/core/errors';
import type { Position } from '@sluice/core/position';
import {
  CLOSE,
  PROTOCOL_VERSION,
  type ClientMessage,
  type ServerMessage,
  type Welcome,
} from '@sluice/core/wire';
import { backoffMs, type Backoff } from './backoff.js';
import type { Clock } from './clock.js';
import { clientError, fromWire } from './errors.js';
import { Heartbeat } from './heartbeat.js';
import { parseMessage } from './message.js';
import type { Socket, SocketConstructor } from './socket.js';
import type { Wakeup } from './wakeups.js';

/** A token, or what fetches one: asked anew at each attempt to connect. */
export type Token = string | undefined | (() => string | undefined | Promise<string | undefined>);

export interface ConnectionParts {
  /** Null where it is not known: every attempt fails. */
  readonly url: string | null;
  readonly token: Token;
  readonly constructSocket: () => Promise<SocketConstructor>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number;
  readonly sendBytesMax: number;
  readonly handler: ConnectionHandler;
}

/** What a connection tells. Calls come one at a time, never from inside a call to the connection's `send`. */
export interface ConnectionHandler {
  /** What was reached before: the server serves nothing older (P3). */
  position(): Position | null;
  connecting(): void;
  /** The server has greeted; from here on `send` works. */
  opened(welcome: Welcome): void;
  /** Any message but hello, pong, goaway and errors of the connection. `bytes`: its length as text. */
  received(message: ServerMessage, bytes: number): void;
  /**
   * The connection, or an attempt at one, is over; another attempt is planned.
   * `announced`: the server had said that it goes, or we hand over to a new connection on its word.
   */
  lost(error: SluiceError, announced: boolean): void;
  /** It is over, and an attempt would end the same way; only `restart` tries again. */
  failed(error: SluiceError): void;
}

/**
 * One socket at a time, for ever again.
 *
 *            ╭───────── fatal ──────────▶ failed ── restart ──╮
 *   idle ─▶ opening ── hello ──▶ open ── lost ──▶ waiting ── after the back-off ─▶ opening
 *
 * Everything that belongs to one attempt hangs on its `Attempt`; what arrives for an earlier one is dropped.
 */
export class Connection {
  readonly #parts: ConnectionParts;
  #token: Token;
  #attempt: Attempt | null = null;
  #cancelWait: (() => void) | null = null;
  #failures = 0;
  #stopped = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#token = parts.token;
  }

  get isOpen(): boolean {
    return this.#attempt?.welcomed ?? false;
  }

  /** Begins, or begins again after `failed`. */
  restart(): void {
    if (this.#stopped || this.#attempt) return;
    this.#failures = 0;
    this.#open();
  }

  /** Renews the token: on an open connection at once, otherwise with the next attempt, which begins now. */
  async authenticate(token?: Token): Promise<void> {
    if (token !== undefined) this.#token = token;
    const attempt = this.#attempt;
    if (!attempt?.welcomed) return this.restart();
    const fresh = await this.fetchToken();
    if (this.#attempt === attempt && fresh !== undefined) this.send({ kind: 'auth', token: fresh });
  }

  send(message: ClientMessage): void {
    const attempt = this.#attempt;
    if (!attempt?.welcomed || !attempt.socket) return;
    if (attempt.socket.bufferedAmount > this.#parts.sendBytesMax) {
      // Not from inside the caller's work: `lost` takes its ground away.
      queueMicrotask(() => this.#lose(attempt, clientError('send_bytes_exceeded')));
      return;
    }
    attempt.socket.send(JSON.stringify(message));
  }

  wake(wakeup: Wakeup): void {
    if (this.#attempt) this.#attempt.heartbeat?.probe();
    else if (this.#cancelWait && wakeup !== 'offline') this.#open();
  }

  /** Ends for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.end();
  }

  #open(): void {
    this.#cancelWait?.();
    this.#cancelWait = null;
    const attempt = new Attempt(this.#parts.clock);
    this.#attempt = attempt;
    attempt.later(this.#parts.connectTimeoutMs, () => {
      if (!attempt.welcomed) this.#lose(attempt, clientError('connect_timeout', placeOf(this.#parts.url)));
    });
    this.#parts.handler.connecting();
    this.#begin(attempt).catch((error: unknown) => {
      const known = error instanceof SluiceError ? error : clientError('connection_lost', undefined, error);
      this.#lose(attempt, known);
    });
  }

  async #begin(attempt: Attempt): Promise<void> {
    const { url } = this.#parts;
    if (url === null) throw clientError('url_relative');
    const WebSocket = await this.#parts.constructSocket();
    const token = await this.fetchToken();
    if (this.#attempt !== attempt) return;
    const socket = new WebSocket(url);
    attempt.socket = socket;
    socket.onopen = () => this.#greet(attempt, socket, token);
    socket.onmessage = (event: { readonly data: unknown }) => this.#receive(attempt, event.data);
    socket.onerror = () => undefined; // a close follows, which says all there is to say
    socket.onclose = (event: { readonly code: number }) =>
      this.#lose(
        attempt,
        attempt.greeted ? closedWith(event.code) : clientError('connect_failed', placeOf(url)),
      );
  }

  #greet(attempt: Attempt, socket: Socket, token: string | undefined): void {
    if (this.#attempt !== attempt) return;
    attempt.greeted = true;
    const position = this.#parts.handler.position();
    const hello: ClientMessage = {
      kind: 'hello',
      versions: [PROTOCOL_VERSION],
      edits: true,
      ...(token === undefined ? {} : { token }),
      ...(position === null ? {} : { position }),
    };
    socket.send(JSON.stringify(hello));
  }

  /** @throws SluiceError `token_failed` */
  async fetchToken(): Promise<string | undefined> {
    if (typeof this.#token !== 'function') return this.#token;
    try {
      return await this.#token();
    } catch (error) {
      throw clientError('token_failed', undefined, error);
    }
  }

  #receive(attempt: Attempt, data: unknown): void {
    if (this.#attempt !== attempt) return;
    attempt.heartbeat?.heard();
    const parsed = parseMessage(data);
    if (parsed.ok === 'ignored') return;
    if (!parsed.ok) return this.#lose(attempt, clientError('protocol_violated', parsed.detail));
    const { message } = parsed;
    switch (message.kind) {
      case 'pong':
        return;
      case 'hello':
        return this.#welcome(attempt, message);
      case 'goaway':
        return this.#handOver(attempt, message.afterMs);
      case 'error':
        if (message.id === undefined && message.reach === undefined) {
          return this.#lose(attempt, fromWire(message.error));
        }
    }
    if (!attempt.welcomed) return this.#lose(attempt, clientError('protocol_violated', 'no hello'));
    this.#parts.handler.received(message, typeof data === 'string' ? data.length : 0);
  }

  #welcome(attempt: Attempt, welcome: Welcome): void {
    if (attempt.welcomed || welcome.version !== PROTOCOL_VERSION) {
      return this.#lose(attempt, clientError('protocol_violated', 'hello'));
    }
    attempt.welcomed = true;
    attempt.heartbeat = new Heartbeat(this.#parts.clock, welcome.pingMs, {
      ping: () => this.send({ kind: 'ping' }),
      dead: () => this.#lose(attempt, clientError('connection_silent')),
    });
    attempt.later(this.#parts.backoff.stableMs, () => void (this.#failures = 0));
    this.#parts.handler.opened(welcome);
  }

  /** The server goes. Until the time it names the connection is as good as ever. */
  #handOver(attempt: Attempt, afterMs: number): void {
    if (attempt.goesAtMs !== null) return;
    attempt.goesAtMs = this.#parts.clock.now() + afterMs;
    attempt.later(afterMs, () => this.#lose(attempt, clientError('connection_lost', 'the server goes')));
  }

  /**
   * @param error says by its `retry` whether to try again. Where tokens come from a function, a connection that was
   * accepted once is always tried again: its token may just have expired.
   */
  #lose(attempt: Attempt, error: SluiceError): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = null;
    attempt.end();
    const renewable = attempt.welcomed && typeof this.#token === 'function';
    if (!error.retry && !renewable) return this.#parts.handler.failed(error);
    const announced = attempt.goesAtMs !== null;
    const delayMs = announced
      ? Math.max(0, (attempt.goesAtMs ?? 0) - this.#parts.clock.now())
      : backoffMs(this.#parts.backoff, this.#failures++, this.#parts.random);
    this.#cancelWait = this.#parts.clock.after(delayMs, () => this.#open());
    this.#parts.handler.lost(error, announced);
  }

  /** Something is wrong with what the server says: as if it were lost. */
  reject(error: SluiceError): void {
    if (this.#attempt) this.#lose(this.#attempt, error);
  }
}

/** One socket and what hangs on it. */
class Attempt {
  readonly #clock: Clock;
  readonly #cancels: (() => void)[] = [];
  socket: Socket | null = null;
  /** The socket has opened, and we have spoken. */
  greeted = false;
  welcomed = false;
  heartbeat: Heartbeat | null = null;
  /** When the server goes, on the clock; null while it has not said so. */
  goesAtMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  later(delayMs: number, run: () => void): void {
    this.#cancels.push(this.#clock.after(delayMs, run));
  }

  end(): void {
    for (const cancel of this.#cancels) cancel();
    this.heartbeat?.stop();
    const socket = this.socket;
    if (!socket) return;
    // `onerror` stays: a socket that is closed while it opens reports an error, which nobody else would hear.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(CLOSE.normal);
  }
}

/** Without what comes after `?`: there may be a token. */
function placeOf(url: string | null): string | undefined {
  return url?.split('?', 1)[0];
}

/** What a close code says when no message came before it. */
function closedWith(code: number): SluiceError {
  const fatal = code === CLOSE.unauthorized || code === CLOSE.version;
  return clientError(fatal ? 'connection_refused' : 'connection_lost', `closed with ${code}`);
}
