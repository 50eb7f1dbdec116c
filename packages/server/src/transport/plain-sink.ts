import type { Move, ServerMessage, ViewId, WireError } from '@sluice/core/wire';
import type { Sink } from '../sessions/session.js';
import { rowPrinter } from './plain-values.js';
import { Replica } from './replica.js';

/** Where whole results go. */
export interface PlainChannel {
  emit(event: PlainEvent): void;
  bufferedBytes(): number;
  close(code: number, error: WireError | null): void;
}

export interface PlainEvent {
  readonly name: 'rows' | 'failure';
  /** Of `rows`. */
  readonly position: string | null;
  /** JSON. */
  readonly data: string;
}

interface Shown {
  readonly view: ViewId;
  readonly print: ReturnType<typeof rowPrinter>;
}

/**
 * For clients that keep nothing: holds the rows for them, and sends each result whole at every move that changes it.
 * Results that change with one move come in one event. One subscription: `{position, rows}`; several:
 * `{position, results: [{id, rows}]}`.
 */
export class PlainSink implements Sink {
  readonly #channel: PlainChannel;
  readonly #several: boolean;
  readonly #replica = new Replica();
  readonly #shown = new Map<number, Shown>();

  constructor(channel: PlainChannel, several = false) {
    this.#channel = channel;
    this.#several = several;
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedBytes();
  }

  send(messages: readonly Uint8Array[]): void {
    for (const bytes of messages) this.#hear(JSON.parse(Buffer.from(bytes).toString()) as ServerMessage);
  }

  close(code: number, error: WireError | null): void {
    this.#channel.close(code, error);
  }

  #hear(message: ServerMessage): void {
    switch (message.kind) {
      case 'subscribed':
        this.#replica.open(message.view, message.shape);
        this.#shown.set(message.id, { view: message.view, print: rowPrinter(message.shape) });
        break;
      case 'move':
        this.#move(message);
        break;
      case 'error':
        this.#fail(message.id, message.error);
        break;
      default:
        this.#replica.stage(message);
    }
  }

  #move(move: Move): void {
    const touched = new Set(this.#replica.move(move));
    for (const view of move.current ?? []) touched.add(view);
    for (const [view] of move.behind ?? []) touched.add(view);
    const results: string[] = [];
    const failures: [number, WireError][] = [];
    for (const [id, { view, print }] of this.#shown) {
      const error = move.errors?.find(([of]) => of === view)?.[1];
      if (error !== undefined) failures.push([id, error]);
      else if (touched.has(view)) results.push(this.#result(id, view, print));
    }
    for (const [id, error] of failures) this.#fail(id, error);
    if (results.length === 0) return;
    const position = `{"position":${JSON.stringify(move.position)},`;
    const data = this.#several
      ? `${position}"results":[${results.join(',')}]}`
      : `${position}${results[0] ?? ''}}`;
    this.#channel.emit({ name: 'rows', position: move.position, data });
  }

  #result(id: number, view: ViewId, print: Shown['print']): string {
    const { rows, keys } = this.#replica.view(view);
    const printed = keys.flatMap((key) => {
      const row = rows.get(key);
      return row === undefined ? [] : [print(row)];
    });
    const result = `"rows":[${printed.join(',')}]`;
    return this.#several ? `{"id":${id},${result}}` : result;
  }

  #fail(id: number | undefined, error: WireError): void {
    const data = JSON.stringify(this.#several && id !== undefined ? { id, error } : { error });
    this.#channel.emit({ name: 'failure', position: null, data });
  }
}
