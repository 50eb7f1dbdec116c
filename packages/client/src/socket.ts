import { clientError } from './errors.js';
import { findWebSocket } from '#websocket';

/** What the client needs of a WebSocket: the browser's, Node's and that of the package `ws` all have it. */
export interface Socket {
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string) => Socket;

/** The one passed in, else the platform's, else (in Node 20) that of the package `ws`. */
export async function socketConstructor(given: SocketConstructor | undefined): Promise<SocketConstructor> {
  const found = given ?? (await findWebSocket());
  if (!found) throw clientError('websocket_missing');
  return found;
}

/**
 * The address of the WebSocket. A url without a path is that of a server, whose WebSocket is at `/sluice/ws`;
 * one whose path ends in `/ws` is taken as it is; to any other path `/ws` is added. In a page it may be relative.
 * @returns null for a relative one where there is no page: on a server that renders pages, which evaluates their code.
 * @throws SluiceError `url_invalid`.
 */
export function socketUrl(url: string): string | null {
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  if (page === undefined && /^\.{0,2}\//.test(url)) return null;
  let parsed: URL;
  try {
    parsed = new URL(url, page);
  } catch {
    throw clientError('url_invalid');
  }
  if (parsed.protocol === 'http:') parsed.protocol = 'ws:';
  if (parsed.protocol === 'https:') parsed.protocol = 'wss:';
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') throw clientError('url_invalid');
  parsed.hash = '';
  const path = parsed.pathname.replace(/\/+$/, '');
  parsed.pathname = path === '' ? '/sluice/ws' : path.endsWith('/ws') ? path : `${path}/ws`;
  return parsed.href;
}
