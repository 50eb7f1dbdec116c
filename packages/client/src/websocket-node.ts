import type { SocketConstructor } from './socket.js';

/** Node has a WebSocket of its own from version 22 on; before, the package `ws` has one. */
export async function findWebSocket(): Promise<SocketConstructor | undefined> {
  const own = (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (own) return own;
  try {
    return (await import('ws')).WebSocket;
  } catch {
    return undefined;
  }
}
