import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSE } from '@sluice/core/wire';
import { WebSocketServer } from 'ws';
import { authRequestOf, type TransportContext } from './context.js';
import { SocketConnection } from './socket.js';

/** The WebSockets: takes upgrades, asks each now and then whether it lives, hands them over when the server goes. */
export class Sockets {
  readonly #context: TransportContext;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<SocketConnection>();
  #cancelPing: () => void;

  constructor(context: TransportContext) {
    this.#context = context;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: context.limits.messageBytesMax,
    });
    this.#cancelPing = this.#schedulePing();
  }

  get size(): number {
    return this.#connections.size;
  }

  /** @param gone called once when the connection has ended */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, gone: () => void): void {
    socket.once('close', gone);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const ended = (connection: SocketConnection): void => void this.#connections.delete(connection);
      const about = authRequestOf(request);
      this.#connections.add(new SocketConnection(this.#context, webSocket, socket, about, ended));
    });
  }

  /** Tells everybody to connect elsewhere, spread over that time. */
  goaway(spreadMs: number): void {
    let index = 0;
    for (const connection of this.#connections) {
      connection.goaway(Math.floor((spreadMs * index++) / this.#connections.size));
    }
  }

  close(): void {
    this.#cancelPing();
    for (const connection of this.#connections) connection.end(CLOSE.goingAway);
  }

  #schedulePing(): () => void {
    return this.#context.clock.after(this.#context.limits.pingMs, () => {
      for (const connection of this.#connections) connection.ping();
      this.#cancelPing = this.#schedulePing();
    });
  }
}
