import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMessage, ServerMessage } from '@sluice/core/wire';
import { WebSocket } from 'ws';
import { Auth, type AuthHook } from '../auth/auth.js';
import { SYSTEM_CLOCK, type Clock } from '../sessions/clock.js';
import type { SessionLimits } from '../sessions/limits.js';
import { Resolver, type Resolve } from '../sessions/resolver.js';
import { Sessions } from '../sessions/sessions.js';
import { Transport, type TransportOptions } from '../transport/transport.js';
import { within } from './deadline.js';
import { ScriptedViews } from './scripted-views.js';

export interface ServingOptions {
  readonly auth?: AuthHook;
  readonly allowSql?: boolean;
  readonly resolve?: Resolve;
  readonly limits?: Partial<SessionLimits>;
  readonly transport?: Partial<TransportOptions>;
  readonly clock?: Clock;
  readonly wallMs?: () => number;
}

/** Sessions and transport on a real port, over views that the test scripts. */
export class Serving {
  readonly views: ScriptedViews = new ScriptedViews();
  readonly sessions: Sessions;
  readonly transport: Transport;
  readonly server: Server;
  readonly #sockets: WebSocket[] = [];

  private constructor(options: ServingOptions) {
    const { clock = SYSTEM_CLOCK, wallMs = Date.now, allowSql = true, resolve, limits = {} } = options;
    const resolver = new Resolver({ allowSql, ...(resolve ? { resolve } : {}) });
    this.sessions = new Sessions({ port: this.views, clock, resolver, secret: Buffer.alloc(32, 7), limits });
    const hook = options.auth ? { hook: options.auth } : {};
    const auth = new Auth({ defaultRole: 'sluice_client', timeoutMs: 1000, nowMs: wallMs, ...hook });
    this.transport = new Transport({ sessions: this.sessions, auth, clock, wallMs, ...options.transport });
    this.server = createServer((request, response) => {
      if (!this.transport.handleRequest(request, response)) response.writeHead(404).end();
    });
    this.server.on('upgrade', (request, socket, head) => {
      if (!this.transport.handleUpgrade(request, socket, head)) socket.destroy();
    });
  }

  static async start(options: ServingOptions = {}): Promise<Serving> {
    const serving = new Serving(options);
    serving.server.listen(0, '127.0.0.1');
    await once(serving.server, 'listening');
    return serving;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/sluice`;
  }

  /** Opens a WebSocket and says nothing. */
  async dial(headers: Readonly<Record<string, string>> = {}): Promise<Wire> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/sluice/ws`, { headers });
    this.#sockets.push(socket);
    const wire = new Wire(socket);
    await once(socket, 'open');
    return wire;
  }

  /** Opens a WebSocket and says hello. */
  async connect(hello: Partial<Extract<ClientMessage, { kind: 'hello' }>> = {}): Promise<Wire> {
    const wire = await this.dial();
    wire.send({ kind: 'hello', versions: [1], ...hello });
    await wire.until((message) => message.kind === 'hello');
    return wire;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await this.transport.close(0);
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A client of the wire: what it was sent, in order. */
export class Wire {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as ServerMessage);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Everything up to and including the first message that satisfies. */
  async until(is: (message: ServerMessage) => boolean): Promise<ServerMessage[]> {
    for (;;) {
      const at = this.received.findIndex(is);
      if (at >= 0) return this.received.splice(0, at + 1);
      if (this.closed !== null) throw new Error(`closed: ${this.closed.code} ${this.closed.reason}`);
      await this.#next();
    }
  }

  /** The next message alone. */
  async message(): Promise<ServerMessage | undefined> {
    return (await this.until(() => true))[0];
  }

  move(): Promise<ServerMessage[]> {
    return this.until((message) => message.kind === 'move');
  }

  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    while (this.closed === null) await this.#next();
    return this.closed;
  }

  #next(): Promise<void> {
    const there = (): string => `a message; there are ${JSON.stringify(this.received).slice(0, 2000)}`;
    return within(there, new Promise((resolve) => (this.#wake = resolve)));
  }
}
