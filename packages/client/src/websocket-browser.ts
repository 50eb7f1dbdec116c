import type { SocketConstructor } from './socket.js';

/** Pages have a WebSocket; the package `ws` stays out of their bundles. */
export function findWebSocket(): Promise<SocketConstructor | undefined> {
  return Promise.resolve((globalThis as { WebSocket?: SocketConstructor }).WebSocket);
}
