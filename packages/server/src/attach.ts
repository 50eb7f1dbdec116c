import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** What frameworks give as their server; those of HTTP/2 take WebSockets over HTTP/1 (`allowHTTP1`). */
export type NodeServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** What a transport does with what a server hands it; false: the path is for somebody else. */
export interface Handlers {
  request(request: IncomingMessage, response: ServerResponse): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Serves our paths on a server that the application made, beside its own routes and upgrades. Those listeners that
 * are there already are asked only when a path is not ours; so attach after the application has added its own. One that
 * comes later (Next.js adds that of its own WebSocket with the first request) hears of all of them, as Node has it.
 *
 * @returns what detaches: the server is as it was
 */
export function attachTo(server: NodeServer, handlers: Handlers): () => void {
  const requests = server.listeners('request') as RequestListener[];
  const upgrades = server.listeners('upgrade') as UpgradeListener[];
  const request: RequestListener = (incoming, response) => {
    if (handlers.request(incoming, response)) return;
    for (const listener of requests) listener.call(server, incoming, response);
    if (requests.length === 0 && server.listenerCount('request') === 1) notFound(response);
  };
  const upgrade: UpgradeListener = (incoming, socket, head) => {
    if (handlers.upgrade(incoming, socket, head)) return;
    for (const listener of upgrades) listener.call(server, incoming, socket, head);
    // Node does that when nobody listens for upgrades.
    if (upgrades.length === 0 && server.listenerCount('upgrade') === 1) socket.destroy();
  };
  replace(server, 'request', request);
  replace(server, 'upgrade', upgrade);
  return () => {
    restore(server, 'request', request, requests);
    restore(server, 'upgrade', upgrade, upgrades);
  };
}

function replace(server: NodeServer, event: string, listener: RequestListener | UpgradeListener): void {
  server.removeAllListeners(event);
  server.on(event, listener);
}

function restore(
  server: NodeServer,
  event: string,
  ours: RequestListener | UpgradeListener,
  before: readonly (RequestListener | UpgradeListener)[],
): void {
  server.removeListener(event, ours);
  for (const listener of before) server.on(event, listener);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
}

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);
}

/** Where a server listens; null when it does not, or on a path of the file system. */
export function addressOf(server: NodeServer): AddressInfo | null {
  const address = server.address();
  return typeof address === 'object' ? address : null;
}
