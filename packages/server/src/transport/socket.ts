import type { Duplex } from 'node:stream';
import { SluiceError } from '@sluice/core/errors';
import { CLOSE, PROTOCOL_VERSION, type ClientMessage, type Hello, type WireError } from '@sluice/core/wire';
import type { RawData, WebSocket } from 'ws';
import type { AuthRequest, Grant } from '../auth/auth.js';
import { authError } from '../auth/errors.js';
import { encode } from '../sessions/encode.js';
import type { Session, Sink } from '../sessions/session.js';
import { countRefusal, type TransportContext } from './context.js';
import { transportError } from './errors.js';
import { Expiry } from './expiry.js';
import { PlainSink } from './plain-sink.js';
import { writeFrames } from './frames.js';
import { Rate } from './rate.js';
import { parseObject, readLooseParams, readMessage, readQuery, type JsonObject } from './read-message.js';

/** Versions that this server speaks: its own and the one before. */
export const VERSIONS: readonly number[] = [PROTOCOL_VERSION, PROTOCOL_VERSION - 1].filter(
  (version) => version > 0,
);

/** How long a peer may take to answer a close before its socket is torn down. */
const CLOSE_MS = 5000;

/*
 * One WebSocket. What it is allowed to say depends on where it stands:
 *
 *   greeting ──hello──▶ checking ──granted──▶ open ──auth──▶ open
 *       └──── {query} ─────▲ │                             every state ──▶ closed
 *                            └──denied──▶ closed
 *
 * What arrives while the token is being checked waits its turn.
 */
type State = 'greeting' | 'checking' | 'open' | 'closed';

export class SocketConnection implements Sink {
  readonly #context: TransportContext;
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #request: AuthRequest;
  readonly #gone: (connection: SocketConnection) => void;
  readonly #rate: Rate;
  readonly #expiry: Expiry;
  readonly #cancelHello: () => void;
  #state: State = 'greeting';
  #session: Session | null = null;
  #plain: PlainSink | null = null;
  #waiting: ClientMessage[] = [];
  /** Renewals are checked one after the other: the last one sent counts. */
  #renewals: Promise<void> = Promise.resolve();
  #alive = true;
  #spoke = false;

  constructor(
    context: TransportContext,
    socket: WebSocket,
    raw: Duplex,
    request: AuthRequest,
    gone: (connection: SocketConnection) => void,
  ) {
    const { clock, limits, wallMs } = context;
    this.#context = context;
    this.#socket = socket;
    this.#raw = raw;
    this.#request = request;
    this.#gone = gone;
    this.#rate = new Rate(limits.messagesBurst, limits.messagesPerSecond, clock.nowMs());
    this.#expiry = new Expiry(clock, wallMs, () => {
      this.#refuse(CLOSE.unauthorized, authError('token_expired'));
    });
    this.#cancelHello = clock.after(limits.helloMs, () => {
      if (this.#state === 'greeting') this.#refuse(CLOSE.helloTimeout, transportError('hello_timeout'));
    });
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    socket.on('pong', () => (this.#alive = true));
    socket.on('close', () => this.#closed());
    socket.on('error', () => this.#closed()); // a frame that is none, or larger than it may be: ws has closed it
    raw.on('drain', () => this.#session?.drained());
  }

  // ------------------------------------------------------------ as the session's sink

  /** The messages of a turn leave together: where they are small, as one buffer. */
  send(messages: readonly Uint8Array[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#spoke = true;
    writeFrames(this.#raw, messages);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, error: WireError | null): void {
    this.#closed();
    this.#socket.close(code, error?.code ?? '');
    this.#context.clock.after(CLOSE_MS, () => this.#socket.terminate());
  }

  // ------------------------------------------------------------ for the transport

  /** The server is about to stop. */
  goaway(afterMs: number): void {
    if (this.#plain === null) this.send([encode({ kind: 'goaway', afterMs })]);
  }

  end(code: number): void {
    if (this.#session === null) this.close(code, null);
    else this.#session.close(code, null);
  }

  /** Asks whether the peer lives. Ends the connection when it did not answer the last time. */
  ping(): void {
    if (!this.#alive) {
      this.#closed();
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
    // A page does not see pings: it hears something all the same.
    if (!this.#spoke && this.#state === 'open' && this.#plain === null) this.send([encode({ kind: 'pong' })]);
    this.#spoke = false;
  }

  // ------------------------------------------------------------ what the client says

  #hear(data: RawData, isBinary: boolean): void {
    this.#alive = true;
    this.#context.counters.received += 1;
    try {
      if (!this.#rate.take(this.#context.clock.nowMs())) throw transportError('messages_too_many');
      if (isBinary) throw transportError('message_binary');
      const object = parseObject(textOf(data));
      const plain =
        this.#state === 'greeting' && !('kind' in object) && ('query' in object || 'sql' in object);
      if (plain) {
        this.#startPlain(object);
        return;
      }
      const message = readMessage(object);
      if (message !== null) this.#take(message);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#refuse(closeCode(error), error);
    }
  }

  #take(message: ClientMessage): void {
    if (this.#state === 'closed') return;
    if ((message.kind === 'hello') !== (this.#state === 'greeting')) throw transportError('hello_expected');
    if (message.kind === 'hello') {
      this.#greet(message);
    } else if (this.#state === 'checking') {
      this.#waiting.push(message);
      if (this.#waiting.length > this.#context.limits.waitingMessagesMax)
        throw transportError('messages_too_many');
    } else {
      this.#act(message);
    }
  }

  #act(message: ClientMessage): void {
    const session = this.#session;
    if (session === null || this.#plain !== null)
      throw transportError('message_malformed', 'this connection has one query');
    switch (message.kind) {
      case 'subscribe':
        session.subscribe(message);
        break;
      case 'unsubscribe':
        session.unsubscribe(message);
        break;
      case 'reach':
        session.reach(message);
        break;
      case 'ping':
        session.pong(message.id);
        break;
      case 'auth':
        this.#renew(message.token);
        break;
      case 'hello':
        throw transportError('hello_expected');
    }
  }

  // ------------------------------------------------------------ who it is

  #greet(hello: Hello): void {
    const version = hello.versions.find((candidate) => VERSIONS.includes(candidate));
    if (version === undefined) {
      throw transportError('version_unsupported', `the server speaks ${VERSIONS.join(', ')}`);
    }
    void this.#admit(hello.token, (grant) => {
      const { sessions, limits } = this.#context;
      this.#session = sessions.connect(this, grant.principal, hello.position ?? null, hello.edits === true);
      const seed = sessions.seed(grant.principal);
      this.send([encode({ kind: 'hello', version, seed, pingMs: limits.pingMs })]);
    });
  }

  #startPlain(object: JsonObject): void {
    const query = readQuery(object, readLooseParams);
    const { token } = object;
    void this.#admit(typeof token === 'string' ? token : undefined, (grant) => {
      const plain = new PlainSink({
        emit: (event) => this.send([Buffer.from(event.data)]),
        bufferedBytes: () => this.bufferedBytes,
        close: (code, error) => this.close(code, error),
      });
      this.#plain = plain;
      this.#session = this.#context.sessions.connect(plain, grant.principal, null, true);
      this.#session.subscribe({ kind: 'subscribe', id: 0, ...query });
    });
  }

  async #admit(token: string | undefined, granted: (grant: Grant) => void): Promise<void> {
    this.#state = 'checking';
    this.#cancelHello();
    const grant = await this.#check(token);
    if (grant === null || !this.#is('checking')) return;
    this.#state = 'open';
    granted(grant);
    this.#expiry.set(grant);
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      for (const message of waiting) if (this.#is('open')) this.#act(message);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#refuse(closeCode(error), error);
    }
  }

  #renew(token: string): void {
    this.#renewals = this.#renewals.then(async () => {
      const grant = await this.#check(token);
      if (grant === null || !this.#is('open')) return;
      this.#session?.renew(grant.principal);
      this.#expiry.set(grant);
    });
  }

  async #check(token: string | undefined): Promise<Grant | null> {
    try {
      return await this.#context.auth.check({ ...this.#request, ...(token === undefined ? {} : { token }) });
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#refuse(error.retry ? CLOSE.internal : CLOSE.unauthorized, error);
      return null;
    }
  }

  #is(state: State): boolean {
    return this.#state === state;
  }

  // ------------------------------------------------------------ the end

  #refuse(code: number, error: SluiceError): void {
    if (this.#state === 'closed') return;
    countRefusal(this.#context, error);
    if (this.#session !== null) {
      this.#session.close(code, error.toWire());
      return;
    }
    this.send([encode({ kind: 'error', error: error.toWire() })]);
    this.close(code, error.toWire());
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#waiting = [];
    this.#cancelHello();
    this.#expiry.stop();
    this.#session?.closed();
    this.#gone(this);
  }
}

function closeCode(error: SluiceError): number {
  if (error.code === 'message_invalid') return CLOSE.invalid;
  if (error.code === 'message_binary') return CLOSE.unsupported;
  if (error.code === 'version_unsupported') return CLOSE.version;
  if (error.code === 'messages_too_many') return CLOSE.tooMany;
  return CLOSE.policy;
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
