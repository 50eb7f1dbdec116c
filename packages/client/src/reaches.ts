import type { SluiceError } from '@sluice/core/errors';
import type { ClientMessage } from '@sluice/core/wire';
import type { Clock } from './clock.js';
import { clientError } from './errors.js';

export interface ReachOptions {
  /** Rejects with `reached_timeout` after this time. Default: waits as long as it takes. */
  readonly timeoutMs?: number;
  /** Rejects with `reached_aborted` when it fires. */
  readonly signal?: AbortSignal;
}

interface Reach {
  readonly target: string;
  resolve(): void;
  reject(error: SluiceError): void;
}

/** Who waits for a position: asked of the server again on each connection, until a move fulfils it. */
export class Reaches {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #send: (message: ClientMessage) => void;
  readonly #waiting = new Map<number, Reach>();
  #nextId = 1;

  constructor(clock: Clock, max: number, send: (message: ClientMessage) => void) {
    this.#clock = clock;
    this.#max = max;
    this.#send = send;
  }

  /** @param send whether there is a connection to ask on. */
  wait(target: string, options: ReachOptions, isOpen: boolean): Promise<void> {
    if (this.#waiting.size >= this.#max) return Promise.reject(clientError('too_many_reaches'));
    if (options.signal?.aborted) return Promise.reject(aborted(options.signal));
    const id = this.#nextId++;
    return new Promise<void>((resolve, reject) => {
      const cleanups: (() => void)[] = [];
      const end = (finish: () => void): void => {
        if (!this.#waiting.delete(id)) return;
        for (const cleanup of cleanups) cleanup();
        finish();
      };
      const fail = (error: SluiceError): void => end(() => reject(error));
      this.#waiting.set(id, { target, resolve: () => end(resolve), reject: fail });
      const { timeoutMs, signal } = options;
      if (timeoutMs !== undefined) {
        cleanups.push(this.#clock.after(timeoutMs, () => fail(clientError('reached_timeout'))));
      }
      if (signal) {
        const abort = (): void => fail(aborted(signal));
        signal.addEventListener('abort', abort, { once: true });
        cleanups.push(() => signal.removeEventListener('abort', abort));
      }
      if (isOpen) this.#send({ kind: 'reach', id, target });
    });
  }

  connected(): void {
    for (const [id, { target }] of this.#waiting) this.#send({ kind: 'reach', id, target });
  }

  reached(ids: readonly number[]): void {
    for (const id of ids) this.#waiting.get(id)?.resolve();
  }

  refused(id: number, error: SluiceError): void {
    this.#waiting.get(id)?.reject(error);
  }

  failAll(error: SluiceError): void {
    for (const reach of this.#waiting.values()) reach.reject(error);
  }
}

function aborted(signal: AbortSignal): SluiceError {
  return clientError('reached_aborted', undefined, signal.reason);
}
