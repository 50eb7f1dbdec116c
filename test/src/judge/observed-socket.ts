import type { Socket, SocketConstructor } from '@sluice/client';
import { WebSocket } from 'ws';

/** What stands on the wire between server and client: to look at it, or (planted faults) to change it. */
export interface Wire {
  /** A message as the client will see it: as it is, changed, dropped, or held back until later. */
  pass?(text: string): readonly string[];
  /** What the client says. */
  sent?(text: string): void;
  /** A connection is opened, or closed by the client or by the other side. */
  turned?(event: string): void;
  /** The client has handled it, all listeners included. */
  handled(text: string): void;
}

type Handler = ((event: never) => void) | null;

/** The WebSocket that the client would use by itself, with somebody looking over its shoulder. */
export function observedSocket(wire: Wire): SocketConstructor {
  return class implements Socket {
    readonly #socket: WebSocket;

    constructor(url: string) {
      this.#socket = new WebSocket(url);
      wire.turned?.('open');
      this.#socket.on('close', (code: number) => wire.turned?.(`closed ${code}`));
    }

    get bufferedAmount(): number {
      return this.#socket.bufferedAmount;
    }

    get onmessage(): Handler {
      return this.#socket.onmessage as Handler;
    }

    set onmessage(handler: Handler) {
      const handle = handler as ((event: { readonly data: unknown }) => void) | null;
      this.#socket.onmessage = handle
        ? ({ data }) => {
            const text = String(data);
            for (const passed of wire.pass?.(text) ?? [text]) {
              handle({ data: passed });
              wire.handled(passed);
            }
          }
        : null;
    }

    get onopen(): Handler {
      return this.#socket.onopen as Handler;
    }

    set onopen(handler: Handler) {
      this.#socket.onopen = handler as WebSocket['onopen'];
    }

    get onerror(): Handler {
      return this.#socket.onerror as Handler;
    }

    set onerror(handler: Handler) {
      this.#socket.onerror = handler as WebSocket['onerror'];
    }

    get onclose(): Handler {
      return this.#socket.onclose as Handler;
    }

    set onclose(handler: Handler) {
      this.#socket.onclose = handler as WebSocket['onclose'];
    }

    send(text: string): void {
      wire.sent?.(text);
      this.#socket.send(text);
    }

    close(code?: number, reason?: string): void {
      this.#socket.close(code, reason);
    }
  };
}
