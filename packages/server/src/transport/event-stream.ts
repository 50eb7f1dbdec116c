import type { Move, ServerMessage } from '@sluice/core/wire';
import { encode } from '../sessions/encode.js';
import type { Sink } from '../sessions/session.js';
import type { EventOut } from './exchange.js';
import { PlainSink } from './plain-sink.js';

/** The protocol's own messages, one an event; a move's has its position as id. */
export class DeltaEvents implements Sink {
  readonly #out: EventOut;
  /** Told of each move, after its events were written. */
  onMove: ((position: string) => void) | null = null;

  constructor(out: EventOut) {
    this.#out = out;
  }

  get bufferedBytes(): number {
    return this.#out.bufferedBytes;
  }

  say(message: ServerMessage): void {
    this.send([encode(message)]);
  }

  send(messages: readonly Uint8Array[]): void {
    let text = '';
    let position: string | null = null;
    for (const bytes of messages) {
      const data = Buffer.from(bytes).toString();
      const move = data.startsWith('{"kind":"move"');
      if (move) position = (JSON.parse(data) as Move).position;
      text += `${move ? `id: ${position}\n` : ''}data: ${data}\n\n`;
    }
    this.#out.write(text);
    if (position !== null) this.onMove?.(position);
  }

  goaway(afterMs: number, retryMs: number): void {
    this.#out.write(`retry: ${retryMs}\n\n`);
    this.say({ kind: 'goaway', afterMs });
  }

  close(): void {
    this.#out.end();
  }
}

/** Whole results as `rows` events, for those who keep nothing. */
export class RowEvents implements Sink {
  readonly #plain: PlainSink;
  readonly #out: EventOut;

  constructor(out: EventOut, several: boolean) {
    this.#out = out;
    this.#plain = new PlainSink(
      {
        emit: ({ name, position, data }) => {
          out.write(`event: ${name}\n${position === null ? '' : `id: ${position}\n`}data: ${data}\n\n`);
        },
        bufferedBytes: () => out.bufferedBytes,
        close: () => undefined,
      },
      several,
    );
  }

  get bufferedBytes(): number {
    return this.#out.bufferedBytes;
  }

  send(messages: readonly Uint8Array[]): void {
    this.#plain.send(messages);
  }

  goaway(afterMs: number, retryMs: number): void {
    this.#out.write(`event: goaway\nretry: ${retryMs}\ndata: {"afterMs":${afterMs}}\n\n`);
  }

  close(): void {
    this.#out.end();
  }
}
