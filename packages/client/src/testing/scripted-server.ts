import { formatPosition, type Position } from '@sluice/core/position';
import { parseLsn, LSN_ZERO } from '@sluice/core/lsn';
import type { Shape, ScalarDecoderKind } from '@sluice/core/shape';
import type { ClientMessage, ServerMessage, Subscribed } from '@sluice/core/wire';
import { WebSocketServer, type WebSocket } from 'ws';
import { within } from './deadline.js';

/** A WebSocket server that says what a test tells it to: real sockets, and nothing of ours behind them. */
export class ScriptedServer {
  readonly #server: WebSocketServer;
  readonly #waiting: ((peer: Peer) => void)[] = [];
  readonly #arrived: Peer[] = [];
  /** Every connection so far. */
  readonly peers: Peer[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      this.peers.push(peer);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(peer);
      else this.#arrived.push(peer);
    });
  }

  static async start(port = 0): Promise<ScriptedServer> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    return new ScriptedServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next connection that no call has had. */
  connection(): Promise<Peer> {
    const peer = this.#arrived.shift();
    return peer
      ? Promise.resolve(peer)
      : within('a connection', new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** A connection that has been greeted. */
  async greeted(pingMs: number = 30_000, seed: string = SEED): Promise<Peer> {
    const peer = await this.connection();
    await peer.next('hello');
    peer.send({ kind: 'hello', version: 1, seed, pingMs });
    return peer;
  }

  async stop(): Promise<void> {
    for (const peer of this.peers) peer.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One client, as the server sees it. */
export class Peer {
  readonly #socket: WebSocket;
  readonly #inbox: ClientMessage[] = [];
  #waiting: (() => void)[] = [];
  /** The code that the client closed with. */
  readonly closed: Promise<number>;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data: Buffer) => {
      this.#inbox.push(JSON.parse(data.toString()) as ClientMessage);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }

  /** What came and was not taken. */
  get inbox(): readonly ClientMessage[] {
    return this.#inbox;
  }

  /** Takes the first message of a kind, once it has come. */
  async next<K extends ClientMessage['kind']>(kind: K): Promise<Extract<ClientMessage, { kind: K }>> {
    for (;;) {
      const index = this.#inbox.findIndex((message) => message.kind === kind);
      if (index >= 0) return this.#inbox.splice(index, 1)[0] as Extract<ClientMessage, { kind: K }>;
      await within(kind, new Promise<void>((resolve) => this.#waiting.push(resolve)));
    }
  }

  send(...messages: readonly ServerMessage[]): void {
    for (const message of messages) this.#socket.send(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Resolves when the client has read everything sent so far: a WebSocket ping is answered in order. */
  async read(): Promise<void> {
    const pong = new Promise((resolve) => this.#socket.once('pong', resolve));
    this.#socket.ping();
    await within('pong', pong);
  }

  /** Answers a subscribe: view, whole rows, and the move that makes them current. */
  answer(id: number, view: string, rows: readonly (readonly string[])[], lsn: string): void {
    this.send(subscribed(id, view), wholeRows(view, rows, lsn), {
      kind: 'move',
      position: at(lsn),
      current: [view],
    });
  }
}

export const SEED: string = '000102030405060708090a0b0c0d0e0f';
export const EPOCH: string = '7301442958736401234.1';

/** `at('0/1F')` */
export function at(lsn: string, epoch: string = EPOCH): Position {
  return formatPosition(epoch, parseLsn(lsn) ?? LSN_ZERO);
}

/** A shape of integer `id` and text `title`, unless other columns are given. */
export function shape(columns: Readonly<Record<string, ScalarDecoderKind>> = TWO, ordered = true): Shape {
  return {
    ordered,
    columns: Object.entries(columns).map(([name, decoder]) => ({ name, type: decoder, decoder })),
  };
}

const TWO = { id: 'integer', title: 'text' } as const;

export function subscribed(id: number, view: string, extra: Partial<Subscribed> = {}): Subscribed {
  return { kind: 'subscribed', id, view, chain: 'c1', shape: shape(), gear: 'incremental', ...extra };
}

/** Rows keyed by their first value. */
export function wholeRows(
  view: string,
  rows: readonly (readonly string[])[],
  lsn: string,
): Extract<ServerMessage, { kind: 'rows' }> {
  return { kind: 'rows', view, at: at(lsn), rows: rows.map((row) => [row[0] ?? '', row]) };
}
